//! Components that are too much of something: what is refused when they are loaded.

use reprieve::policy::{Limits, Policy, PolicySource};
use serde_json::json;

use crate::{ENGINE, guest, load, policy, question};

/// A policy that does nothing wrong, with this beside it. Says the first line
/// of what is wrong with it.
fn refusal(beside: &str) -> String {
    let text = wasmprinter::print_bytes(guest::guest("accept")).expect("it prints");
    let policy = text.trim_end().strip_suffix(')').expect("a component");
    let refusal = load("bomb", format!("{policy} {beside})").into_bytes()).expect_err("it is refused");
    let first = refusal.lines().next().expect("it says why");
    // Where in the file it is found differs from compiler to compiler.
    first.split(" (at offset").next().unwrap_or(first).to_owned()
}

fn module(body: &str) -> String {
    format!("(core module $bomb {body}) (core instance $exploded (instantiate $bomb))")
}

#[test]
fn what_a_component_declares_is_bounded_before_any_of_it_is_made() {
    let instances =
        |count: usize| format!("(core module $m) {}", "(core instance (instantiate $m))".repeat(count));
    let refused = [
        refusal(&module(&"(memory 1)".repeat(1_000))),
        refusal(&module(&"(memory 1)".repeat(90))),
        refusal(&module("(memory 65536)")),
        refusal(&module("(memory i64 4294967296)")),
        refusal(&module(&"(table 1 funcref)".repeat(1_000))),
        refusal(&module(&"(table 1 funcref)".repeat(90))),
        refusal(&module("(table 4294967295 funcref)")),
        refusal(&instances(10_000)),
        refusal(&instances(900)),
    ];
    insta::assert_snapshot!(refused.join("\n"), @r"
    policy `bomb` is malformed: failed to parse WebAssembly module: memories count exceeds limit of 100
    policy `bomb` is malformed: module memory does not fit in pooling allocator requirements: defined memories count of 90 exceeds the per-instance limit of 4
    policy `bomb` is malformed: module memory does not fit in pooling allocator requirements: memory index 0 is unsupported in this pooling allocator configuration: memory has a minimum byte size of 4294967296 which exceeds the limit of 0x40000000 bytes
    policy `bomb` is malformed: module memory does not fit in pooling allocator requirements: memory index 0 is unsupported in this pooling allocator configuration: memory has a minimum byte size of 281474976710656 which exceeds the limit of 0x40000000 bytes
    policy `bomb` is malformed: failed to parse WebAssembly module: tables count exceeds limit of 100
    policy `bomb` is malformed: module table does not fit in pooling allocator requirements: defined tables count of 90 exceeds the per-instance limit of 32
    policy `bomb` is malformed: module table does not fit in pooling allocator requirements: table index 0 has a minimum element size of 4294967295 which exceeds the limit of 1000000
    policy `bomb` is malformed: failed to parse WebAssembly module: instances count exceeds limit of 1000
    policy `bomb` is malformed: The component transitively contains 901 core module instances, which exceeds the configured maximum of 256 in the pooling allocator
    ");
    assert!(policy("accept").decide(&question(1)).result.is_ok());
}

#[test]
fn what_is_nested_too_deep_is_refused_and_no_stack_overflows() {
    let text = "(component ".repeat(100_000) + &")".repeat(100_000);
    let lists = (1..50_000).map(|n| format!("(type $t{n} (list $t{}))", n - 1)).collect::<String>();
    let types = format!("(component (type $t0 (list u8)) {lists})");
    // Each holds the one before it as its section 4.
    let binary = (0..2_000).fold(b"\0asm\x0d\0\x01\0".to_vec(), |inner, _| {
        let mut outer = b"\0asm\x0d\0\x01\0\x04".to_vec();
        let mut length = inner.len();
        while length > 0x7f {
            outer.push(0x80 | u8::try_from(length & 0x7f).expect("seven bits"));
            length >>= 7;
        }
        outer.push(u8::try_from(length).expect("seven bits"));
        outer.extend(inner);
        outer
    });
    for bytes in [text.into_bytes(), types.into_bytes(), binary] {
        assert!(load("nested", bytes).is_err());
    }
}

/// A component whose functions nest that deep compiles: the compiler keeps its own stack.
#[test]
fn blocks_may_nest_as_deep_as_they_like() {
    let body = format!("(func {} {})", "block ".repeat(20_000), "end ".repeat(20_000));
    let text = format!("(component (core module {body}))");
    assert!(load("blocks", text.into_bytes()).expect_err("it is no policy").contains("exports nothing"));
}

#[test]
fn an_error_does_not_repeat_a_hundred_thousand_names() {
    let exports = (0..900).map(|n| format!("(export \"name-{n}\" (core module $m))")).collect::<String>();
    let text = format!("(component (core module $m) {exports})");
    let refusal = load("names", text.into_bytes()).expect_err("it is no policy");
    assert!(refusal.contains("`name-15` and 884 more\nhint: "), "{refusal}");
}

#[test]
fn a_schema_that_refers_to_itself_comes_to_an_end() {
    for schema in [
        r##"{"$ref": "#"}"##,
        r##"{"allOf": [{"$ref": "#"}]}"##,
        r##"{"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}"##,
        r##"{"$dynamicAnchor": "x", "anyOf": [{"$dynamicRef": "#x"}]}"##,
        r##"{"properties": {"x": {"pattern": "^(?=(a+)+$)(a|aa)+\\1$"}}}"##,
        r##"{"$ref": "file:///etc/passwd"}"##,
        r##"{"$ref": "https://json-schema.org/draft/2020-12/schema"}"##,
    ] {
        let source = PolicySource::Bytes { name: "own".into(), bytes: guest::described(schema) };
        let settings = json!({ "x": "a".repeat(60) + "!" });
        let loaded = Policy::load(&ENGINE, &source, &settings, Limits::DEFAULT).map(drop);
        if let Err(refusal) = loaded {
            assert!(refusal.to_string().len() < 500, "{refusal}");
        }
    }
}

/// A megabyte of these would take the compiler minutes and gibibytes.
#[test]
fn what_would_take_too_long_to_compile_is_refused_before_it_is() {
    let refused = [
        refusal(&format!("(core module {})", "(func)".repeat(100_001))),
        refusal(&"(core module)".repeat(1_001)),
        refusal(&format!("{}{}", "(component ".repeat(90), ")".repeat(90)).repeat(12)),
    ];
    insta::assert_snapshot!(refused.join("\n"), @r"
    policy `bomb` is too much to compile: it has `100005` functions, and at most `100000` are compiled
    policy `bomb` is too much to compile: it has `1001` parts, and at most `1000` are compiled
    policy `bomb` is too much to compile: it has `1001` parts, and at most `1000` are compiled
    ");
}
