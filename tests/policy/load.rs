//! Policies that cannot be used, each with the words that its author reads.

use std::os::unix::fs::PermissionsExt;

use reprieve::policy::{Engine, Limits, Policy, PolicySource, componentize};
use serde_json::json;

use crate::{ENGINE, guest, load, question};

const WORLDS: &str = r"
package reprieve:policy@0.1.0;
interface guest {
    record info { name: string, version: string, summary: string, settings-schema: option<string> }
    describe: func() -> info;
    configure: func(settings: string) -> result<_, string>;
}
interface retry-policy { decide: func() -> string; }
world plain { export hello: func(); }
world roleless { export guest; }
world other-types { export guest; export retry-policy; }
";

fn file(path: &std::path::Path) -> String {
    let source = PolicySource::File(path.into());
    Policy::load(&ENGINE, &source, &json!({}), Limits::DEFAULT).unwrap_err().to_string()
}

fn refusal(bytes: impl Into<Vec<u8>>) -> String {
    load("mine.wasm", bytes.into()).unwrap_err()
}

#[test]
fn a_file_that_is_not_there() {
    insta::assert_snapshot!(file("no/such/policy.wasm".as_ref()), @r"
    policy `no/such/policy.wasm` does not exist
    hint: look at the path; `standard` names the built-in policy, and `oci://…` one in a registry
    ");
}

#[test]
fn a_file_that_cannot_be_read() {
    insta::assert_snapshot!(file("/".as_ref()), @r"
    policy `/` cannot be read: Is a directory (os error 21)
    hint: it has to be a file that you may read
    ");
}

#[test]
fn a_file_that_is_too_large() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("large.wasm");
    std::fs::File::create(&path).and_then(|file| file.set_len((64 << 20) + 1)).expect("a sparse file");
    let error = file(&path).replace(&path.display().to_string(), "large.wasm");
    insta::assert_snapshot!(error, @r"
    policy `large.wasm` is larger than `67108864` bytes
    hint: build it for release and strip it
    ");
}

#[test]
fn something_else_than_webassembly() {
    insta::assert_snapshot!(refusal("#!/usr/bin/python3\nimport tenacity\n"), @r"
    policy `mine.wasm` is not WebAssembly: it begins with `#!/usr/bin/pytho`
    hint: give what a compiler wrote for WebAssembly, `.wasm` or `.wat`
    ");
    insta::assert_snapshot!(refusal(""), @r"
    policy `mine.wasm` is empty
    hint: build it again
    ");
}

#[test]
fn a_core_module() {
    insta::assert_snapshot!(refusal("(module)"), @r"
    policy `mine.wasm` is a core module, not a component
    hint: `reprieve policy componentize` makes one of it; Rust makes one itself for `wasm32-wasip2`
    ");
    assert_eq!(refusal("(module)"), refusal(b"\0asm\x01\0\0\0".as_slice()));
}

#[test]
fn a_core_module_of_the_contract_s_names_is_made_a_component() {
    let text = guest::text("accept");
    let made = componentize(&guest::core(&text)).expect("it has all that a policy exports");
    let policy = load("made", made.clone()).expect("it loads");
    assert_eq!((policy.info().roles.retry, policy.info().roles.cleanup), (true, false));
    assert_eq!(policy.decide(&super::question(1)).result, Ok(reprieve::decision::Decision::Accept));
    let refusal = |module: &[u8]| componentize(module).expect_err("it is refused").to_string();
    insta::assert_snapshot!(refusal(&made), @r"
    is a component already
    hint: use it as it is; `reprieve policy inspect` tells what it is
    ");
    insta::assert_snapshot!(refusal(b"(module (memory (export \"memory\") 1))"), @r"
    exports neither `reprieve:policy/retry-policy@0.1.0#decide` nor `reprieve:policy/cleanup-policy@0.1.0#plan`; it exports `memory`
    hint: link it so that these exports are kept, see the SDK of your language
    ");
    let wrong = guest::core(&text.replace("(param i32) (result i32)", "(param i64) (result i32)"));
    insta::assert_snapshot!(refusal(&wrong), @r"
    does not fit the contract: failed to decode world from module: module was not valid: failed to classify export `reprieve:policy/retry-policy@0.1.0#decide`: failed to validate export for `reprieve:policy/retry-policy@0.1.0`: type mismatch for function `decide`: expected `[I32] -> [I32]` but found `[I64] -> [I32]`
    hint: build it with the SDK of its language for `reprieve:policy@0.1.0`
    ");
    assert!(refusal(b"#!/bin/sh").starts_with("is not WebAssembly: it begins with `#!/bin/sh`\nhint: "));
}

#[test]
fn a_component_that_is_cut_off() {
    let whole = guest::guest("accept");
    let error = refusal(&whole[..whole.len() / 2]);
    let (start, offset) = error.split_once(" (at offset 0x").expect("it says where");
    let (_, hint) = offset.split_once(')').expect("it says where");
    insta::assert_snapshot!(format!("{start}{hint}"), @r"
    policy `mine.wasm` is malformed: failed to parse WebAssembly module: unexpected end-of-file
    hint: `wasm-tools validate` says more; if it is cut off, fetch it again
    ");
}

#[test]
fn text_with_a_mistake() {
    insta::assert_snapshot!(refusal("(component\n  (core modul))"), @r"
    policy `mine.wasm` is malformed: expected valid component field
         --> <anon>:2:4
          |
        2 |   (core modul))
          |    ^
    hint: `wasm-tools validate` says more; if it is cut off, fetch it again
    ");
}

#[test]
fn a_component_as_text() {
    let text = wasmprinter::print_bytes(guest::guest("accept")).expect("it prints");
    let policy = load("accept.wat", text.into_bytes()).expect("text loads too");
    assert!(policy.decide(&question(1)).result.is_ok());
}

#[test]
fn a_component_of_another_kind() {
    let hello = guest::foreign(r#"(module (func (export "hello")))"#, WORLDS, "plain");
    insta::assert_snapshot!(refusal(hello), @r"
    policy `mine.wasm` exports no `reprieve:policy/guest@0.1.0`, so it is no policy; it exports `hello`
    hint: build it for a world of `reprieve:policy@0.1.0`: `policy`, `retry-only` or `cleanup-only`
    ");
    insta::assert_snapshot!(refusal("(component)"), @r"
    policy `mine.wasm` exports no `reprieve:policy/guest@0.1.0`, so it is no policy; it exports nothing
    hint: build it for a world of `reprieve:policy@0.1.0`: `policy`, `retry-only` or `cleanup-only`
    ");
}

const GUEST: &str = r#"
    (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
    (func (export "reprieve:policy/guest@0.1.0#describe") (result i32) unreachable)
    (func (export "reprieve:policy/guest@0.1.0#configure") (param i32 i32) (result i32) unreachable)"#;

#[test]
fn a_guest_without_a_role() {
    insta::assert_snapshot!(refusal(guest::foreign(&format!("(module {GUEST})"), WORLDS, "roleless")), @r"
    policy `mine.wasm` exports neither `reprieve:policy/retry-policy@0.1.0` nor `reprieve:policy/cleanup-policy@0.1.0`; it exports `reprieve:policy/guest@0.1.0`
    hint: build it for a world of `reprieve:policy@0.1.0`: `policy`, `retry-only` or `cleanup-only`
    ");
}

#[test]
fn exports_of_the_right_name_and_another_type() {
    let decide = r#"(func (export "reprieve:policy/retry-policy@0.1.0#decide") (result i32) unreachable)"#;
    let bytes = guest::foreign(&format!("(module {GUEST} {decide})"), WORLDS, "other-types");
    insta::assert_snapshot!(refusal(bytes), @r"
    policy `mine.wasm` does not keep to the contract: its `retry-policy.decide` takes `()`, the contract says `(experiment, attempts, progress)`
    hint: build it against the unchanged `reprieve:policy@0.1.0`
    ");
}

/// What is said of a policy that was built against a contract in which this is that.
fn difference(from: &str, to: &str) -> String {
    let bytes = guest::of_another_contract(&guest::text("accept"), &[(from, to)]);
    let said = refusal(bytes);
    let said = said.strip_prefix("policy `mine.wasm` does not keep to the contract: ").expect(&said);
    said.lines().next().expect("a line").to_owned()
}

#[test]
fn a_type_that_differs_is_told_by_its_place() {
    insta::assert_snapshot!(difference("number: u32", "number: string"), @"its `retry-policy.decide` takes `attempt.number` as `string`, the contract says `u32`");
    insta::assert_snapshot!(difference("failure: option<failure>", "failure: failure"), @"its `retry-policy.decide` takes `attempt.failure` as `failure`, the contract says `option<failure>`");
    insta::assert_snapshot!(difference("labels: list<parameter>", "labels: list<string>"), @"its `retry-policy.decide` takes `experiment.labels` as `list<string>`, the contract says `list<parameter>`");
    insta::assert_snapshot!(difference("retry(retry)", "retry(milliseconds)"), @"its `retry-policy.decide` returns `decision.retry` as `u64`, the contract says `retry`");
    insta::assert_snapshot!(difference("exited(s32)", "exited"), @"its `retry-policy.decide` takes `ending.exited` as `nothing`, the contract says `s32`");
    insta::assert_snapshot!(difference("-> decision;", "-> result<decision, string>;"), @"its `retry-policy.decide` returns `result<decision, string>`, the contract says `decision`");
}

#[test]
fn a_part_that_is_missing_or_added_is_told_by_its_name() {
    insta::assert_snapshot!(difference("foreign-processes: u32,", ""), @"its `retry-policy.decide` takes `attempt` without its field `foreign-processes`");
    insta::assert_snapshot!(difference("faults: list<device-fault>,", "faults: list<device-fault>,\n joules: u64,"), @"its `retry-policy.decide` takes `attempt` with the field `joules`, which the contract does not have");
    insta::assert_snapshot!(difference("timed-out,", "over-time,"), @"its `retry-policy.decide` takes `ending` without its case `timed-out`");
    insta::assert_snapshot!(difference("same-devices,\n", "same-devices, no-devices,\n"), @"its `retry-policy.decide` returns `placement` with the value `no-devices`, which the contract does not have");
}

/// A guest that says it was built against another version of the contract.
fn built_against(version: &[u8; 6]) -> Vec<u8> {
    let mut bytes = guest::guest("accept");
    for at in 0..bytes.len() - version.len() {
        if bytes[at..].starts_with(b"@0.1.0") {
            bytes[at..at + version.len()].copy_from_slice(version);
        }
    }
    bytes
}

#[test]
fn another_version_of_the_contract() {
    insta::assert_snapshot!(refusal(built_against(b"@0.2.0")), @r"
    policy `mine.wasm` was built for `reprieve:policy/guest@0.2.0`, and this host speaks `0.1.0`
    hint: that is a later one; a later Reprieve speaks it, or build it against `reprieve:policy@0.1.0`
    ");
}

#[test]
fn a_later_patch_of_the_contract_loads() {
    let policy = load("later", built_against(b"@0.1.7")).expect("a patch breaks nothing");
    assert_eq!(policy.info().contract, "0.1.7");
    assert!(policy.decide(&question(1)).result.is_ok());
}

#[test]
fn imports_that_no_policy_is_given() {
    insta::assert_snapshot!(refusal(guest::guest("http")), @r"
    policy `mine.wasm` imports `wasi:http/outgoing-handler@0.2.0`, which no policy is given
    hint: a policy may import `reprieve:policy@0.1.0`, and of WASI 0.2 `cli`, `clocks`, `filesystem`, `io`, `random` and `sockets`, with nothing behind them
    ");
    insta::assert_snapshot!(refusal(guest::guest("metrics")), @r"
    policy `mine.wasm` imports `acme:metrics/push@1.0.0`, which no policy is given
    hint: a policy may import `reprieve:policy@0.1.0`, and of WASI 0.2 `cli`, `clocks`, `filesystem`, `io`, `random` and `sockets`, with nothing behind them
    ");
}

#[test]
fn settings_that_the_policy_refuses() {
    insta::assert_snapshot!(refusal(guest::guest("refuses")), @"policy `mine.wasm` refuses its settings: `max_retries` must be a number");
}

#[test]
fn settings_that_its_schema_does_not_know() {
    let source = PolicySource::Bytes { name: "mine.wasm".into(), bytes: guest::guest("described") };
    let load =
        |settings| Policy::load(&ENGINE, &source, &settings, Limits::DEFAULT).map_err(|e| e.to_string());
    assert!(load(json!({})).is_ok());
    assert!(load(json!({ "patience": 3 })).is_ok());
    insta::assert_snapshot!(load(json!({ "patience": "much" })).unwrap_err(), @r#"policy `mine.wasm` refuses its settings: `/patience`: "much" is not of type "integer" (by its settings schema)"#);
    insta::assert_snapshot!(load(json!({ "patiense": 3 })).unwrap_err(), @"policy `mine.wasm` refuses its settings: Additional properties are not allowed ('patiense' was unexpected) (by its settings schema)");
}

#[test]
fn more_stack_than_there_is() {
    let error = Engine::with_stack(None, 8 << 20).unwrap_err();
    insta::assert_snapshot!(error, @r"
    policy limit `stack_bytes` is `8388608`, above its cap of `1048576`
    hint: give at most `1048576`, or leave it out for the usual `524288`
    ");
}

#[test]
fn settings_that_are_no_object() {
    let source = PolicySource::Bytes { name: "mine.wasm".into(), bytes: guest::guest("accept") };
    let error = Policy::load(&ENGINE, &source, &json!(["max_retries", 3]), Limits::DEFAULT).unwrap_err();
    insta::assert_snapshot!(error, @r#"
    policy `mine.wasm` needs an object for its settings, not `["max_retries",3]`
    hint: leave the settings out, or give names and values
    "#);
}

#[test]
fn who_a_policy_is() {
    let bytes = guest::guest("panic");
    let policy = load("panic", bytes).expect("it loads");
    let info = policy.info();
    assert_eq!((info.name.as_str(), info.version.as_str()), ("guest", "1.2.3"));
    assert_eq!((info.summary.as_str(), info.contract.as_str()), ("A guest of the tests.", "0.1.0"));
    assert_eq!((info.digest.len(), info.roles.retry, info.roles.cleanup), (64, true, false));
    assert!(info.imports.contains(&"wasi:cli/stderr@0.2.6".to_owned()), "{:?}", info.imports);
}

fn cached(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).expect("the cache");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

#[test]
fn a_compiled_policy_is_kept_for_its_owner_and_survives_its_own_damage() {
    let parent = tempfile::tempdir().expect("a directory");
    let directory = parent.path().join("compiled");
    let decides = |engine: &Engine| {
        let policy = Policy::load(engine, &PolicySource::Standard, &json!({}), Limits::DEFAULT);
        policy.expect("it loads").decide(&question(1)).result.is_ok()
    };
    let engine = || Engine::new(Some(directory.clone())).expect("an engine");
    assert!(decides(&engine()));
    let files = cached(&directory);
    assert_eq!(files.len(), 1, "{files:?}");
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&directory), mode(&files[0])), (0o700, 0o600));

    let written = std::fs::metadata(&files[0]).and_then(|m| m.modified()).expect("a time");
    assert!(decides(&engine()));
    assert_eq!(std::fs::metadata(&files[0]).and_then(|m| m.modified()).expect("a time"), written);

    let bytes = std::fs::read(&files[0]).expect("the file");
    std::fs::write(&files[0], &bytes[..100]).expect("cut it off");
    assert!(decides(&engine()));
    assert_eq!(std::fs::read(&files[0]).expect("the file").len(), bytes.len());
}

#[test]
fn a_cache_that_others_can_write_to_is_left_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let all = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(directory.path(), all).expect("open to all");
    let engine = Engine::new(Some(directory.path().into())).expect("an engine");
    Policy::load(&engine, &PolicySource::Standard, &json!({}), Limits::DEFAULT).expect("it loads");
    assert_eq!(cached(directory.path()).len(), 0);
}
