//! Values that the canonical ABI must refuse, in both directions.
//!
//! The contract has no `char`, no `flags` and no resources of its own: handles
//! are tried with those of WASI.

use reprieve::decision::Decision;
use wit_component::StringEncoding;

use crate::{guest, load, policy, question};

const DECIDE: &str = "reprieve:policy/retry-policy@0.1.0#decide";

/// A guest whose `decide` does this and then answers with what lies at 2,048.
fn answering(body: &str) -> String {
    format!("(module {})", function(body, "(i32.const 2048)"))
}

fn function(body: &str, answer: &str) -> String {
    format!("(func (export \"{DECIDE}\") (param i32) (result i32) {body} {answer})")
}

/// Stores at 2,048: the case of the decision, then words at their offsets.
fn stores(case: u8, words: &[(u32, u32)]) -> String {
    let words = words
        .iter()
        .map(|(offset, word)| format!("(i32.store (i32.const {}) (i32.const {word}))", 2048 + offset));
    format!("(i32.store8 (i32.const 2048) (i32.const {case})) {}", words.collect::<String>())
}

/// Gives up for the text at this place.
fn gives_up(pointer: u32, length: u32) -> String {
    answering(&stores(2, &[(8, pointer), (12, length)]))
}

/// A guest that calls what it imports, and then accepts.
fn calling(imports: &str, body: &str) -> String {
    format!("(module {imports} {})", function(&format!("{body} {}", stores(0, &[])), "(i32.const 2048)"))
}

/// What becomes of a guest: the fault of loading it or of its call, in one
/// line. A good policy works as ever after it.
fn outcome(name: &str, component: Vec<u8>) -> String {
    let said = match load(name, component) {
        Err(refused) => refused.lines().next().unwrap_or_default().to_owned(),
        Ok(policy) => match policy.decide(&question(1)).result {
            Ok(decision) => format!("{decision:?}"),
            Err(fault) => format!("{:?}: {}", fault.kind, fault.message),
        },
    };
    assert_eq!(policy("accept").decide(&question(1)).result, Ok(Decision::Accept), "after {name}");
    format!("{name}: {said}\n")
}

fn outcomes(guests: &[(&str, String)]) -> String {
    guests.iter().map(|(name, text)| outcome(name, guest::component(text, "guest"))).collect()
}

#[test]
fn answers_that_lie_about_memory_are_refused() {
    let overrides = |pointer, length| answering(&stores(1, &[(20, pointer), (24, length)]));
    insta::assert_snapshot!(outcomes(&[
        ("text of 2 GiB", gives_up(4096, 1 << 31)),
        ("text of 4 GiB less one", gives_up(0, u32::MAX)),
        ("text across the end", gives_up(8 * 65536 - 4, 8)),
        ("text from the end", gives_up(u32::MAX, 1)),
        ("list of 2^31", overrides(4096, 1 << 31)),
        ("list whose bytes overflow", overrides(4096, u32::MAX / 16 + 2)),
        ("list across the end", overrides(8 * 65536 - 16, 2)),
        ("list misaligned", overrides(4097, 1)),
        ("list of 2.8 million", answering(&format!(
            "(drop (memory.grow $memory (i32.const 700))) {}",
            stores(1, &[(20, 4096), (24, 2_800_000)]),
        ))),
        ("answer misaligned", format!("(module {})", function("", "(i32.const 2049)"))),
        ("answer at the end", format!("(module {})", function("", "(i32.const 524280)"))),
        ("answer outside", format!("(module {})", function("", "(i32.const -8)"))),
    ]), @r"
    text of 2 GiB: Answer: its answer could not be read: string pointer/length out of bounds of memory
    text of 4 GiB less one: Answer: its answer could not be read: string pointer/length out of bounds of memory
    text across the end: Answer: its answer could not be read: string pointer/length out of bounds of memory
    text from the end: Answer: its answer could not be read: string pointer/length out of bounds of memory
    list of 2^31: Answer: its answer could not be read: list pointer/length out of bounds of memory
    list whose bytes overflow: Answer: its answer could not be read: list pointer/length out of bounds of memory
    list across the end: Answer: its answer could not be read: list pointer/length out of bounds of memory
    list misaligned: Answer: its answer could not be read: list pointer is not aligned
    list of 2.8 million: Answer: its answer could not be read: too much data is being copied between the host and the guest: fuel allocated for hostcalls has been exhausted
    answer misaligned: Answer: its answer could not be read: return pointer not aligned
    answer at the end: Answer: its answer could not be read: pointer out of bounds of memory
    answer outside: Answer: its answer could not be read: pointer out of bounds of memory
    ");
}

#[test]
fn answers_with_cases_that_do_not_exist_are_refused() {
    insta::assert_snapshot!(outcomes(&[
        ("decision 4", answering(&stores(4, &[]))),
        ("decision 255", answering(&stores(255, &[]))),
        ("placement 3", answering(&stores(1, &[(16, 3)]))),
        ("turn 2", answering(&stores(1, &[(16, 0x0200)]))),
    ]), @r"
    decision 4: Answer: its answer could not be read: unexpected discriminant: 4
    decision 255: Answer: its answer could not be read: unexpected discriminant: 255
    placement 3: Answer: its answer could not be read: unexpected discriminant: 3
    turn 2: Answer: its answer could not be read: unexpected discriminant: 2
    ");
}

#[test]
fn texts_that_are_no_text_are_refused_in_every_encoding() {
    let text = |bytes: &str, length: u32| {
        let body = function(&stores(2, &[(8, 3000), (12, length)]), "(i32.const 2048)");
        format!("(module (data (i32.const 3000) \"{bytes}\") {body})")
    };
    let mut said = outcomes(&[
        ("utf-8, stray byte", text("\\80", 1)),
        ("utf-8, cut off", text("\\e2\\82", 2)),
        ("utf-8, overlong", text("\\c0\\af", 2)),
        ("utf-8, surrogate", text("\\ed\\a0\\80", 3)),
        ("utf-8, beyond unicode", text("\\f4\\90\\80\\80", 4)),
    ]);
    for (name, encoding, bytes, length) in [
        ("utf-16, lone surrogate", StringEncoding::UTF16, "\\00\\d8x\\00", 2),
        ("utf-16, surrogates the wrong way round", StringEncoding::UTF16, "\\00\\dc\\00\\d8", 2),
        ("utf-16, too long", StringEncoding::UTF16, "x\\00", 0x7fff_ffff),
        ("latin-1 or utf-16, lone surrogate", StringEncoding::CompactUTF16, "\\00\\d8", 0x8000_0001),
        ("latin-1 or utf-16, too long", StringEncoding::CompactUTF16, "x", 0xffff_fffe),
    ] {
        said.push_str(&outcome(name, guest::component_in(encoding, &text(bytes, length), "guest")));
    }
    insta::assert_snapshot!(said, @r"
    utf-8, stray byte: Answer: its answer could not be read: invalid utf-8 sequence of 1 bytes from index 0
    utf-8, cut off: Answer: its answer could not be read: incomplete utf-8 byte sequence from index 0
    utf-8, overlong: Answer: its answer could not be read: invalid utf-8 sequence of 1 bytes from index 0
    utf-8, surrogate: Answer: its answer could not be read: invalid utf-8 sequence of 1 bytes from index 0
    utf-8, beyond unicode: Answer: its answer could not be read: invalid utf-8 sequence of 1 bytes from index 0
    utf-16, lone surrogate: Answer: its answer could not be read: unpaired surrogate found: d800
    utf-16, surrogates the wrong way round: Answer: its answer could not be read: unpaired surrogate found: dc00
    utf-16, too long: Answer: its answer could not be read: string pointer/length out of bounds of memory
    latin-1 or utf-16, lone surrogate: Answer: its answer could not be read: unpaired surrogate found: d800
    latin-1 or utf-16, too long: Answer: its answer could not be read: string pointer/length out of bounds of memory
    ");
}

#[test]
fn memory_that_a_guest_gives_for_what_it_is_told_is_checked() {
    let allocating = |pointer: &str| {
        format!(
            "(module (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) {pointer}) {})",
            function(&stores(0, &[]), "(i32.const 2048)")
        )
    };
    insta::assert_snapshot!(outcomes(&[
        ("memory outside", allocating("(i32.const -16)")),
        ("memory misaligned", allocating("(i32.add (i32.const 5001) (i32.const 0))")),
        ("memory across the end", allocating("(i32.const 524280)")),
        ("no memory", allocating("(unreachable)")),
    ]), @r"
    memory outside: policy `memory outside` failed in `configure` when it was loaded: its answer could not be read: realloc return: beyond end of memory
    memory misaligned: Answer: its answer could not be read: realloc return: result not aligned
    memory across the end: Answer: its answer could not be read: realloc return: beyond end of memory
    no memory: policy `no memory` failed in `configure` when it was loaded: wasm `unreachable` instruction executed
    ");
}

#[test]
fn what_a_guest_says_of_itself_is_checked() {
    let exporting = |name: &str, parameters: &str, body: &str| {
        format!(
            "(module (func (export \"reprieve:policy/guest@0.1.0#{name}\") {parameters} (result i32) {body}) {})",
            function(&stores(0, &[]), "(i32.const 2048)")
        )
    };
    insta::assert_snapshot!(outcomes(&[
        ("name outside", exporting("describe", "",
            "(i32.store (i32.const 1024) (i32.const -4)) (i32.store (i32.const 1028) (i32.const 9)) (i32.const 1024)")),
        ("schema neither there nor not", exporting("describe", "",
            "(i32.store8 (i32.const 1048) (i32.const 7)) (i32.const 1024)")),
        ("settings neither taken nor refused", exporting("configure", "(param i32 i32)",
            "(i32.store8 (i32.const 1100) (i32.const 3)) (i32.const 1100)")),
    ]), @r"
    name outside: policy `name outside` failed in `describe` when it was loaded: its answer could not be read: string pointer/length out of bounds of memory
    schema neither there nor not: policy `schema neither there nor not` failed in `describe` when it was loaded: its answer could not be read: invalid option discriminant
    settings neither taken nor refused: policy `settings neither taken nor refused` failed in `configure` when it was loaded: its answer could not be read: invalid expected discriminant
    ");
}

#[test]
fn what_a_guest_passes_to_the_host_is_checked() {
    const PERFORM: &str = "(import \"reprieve:policy/gpu-cleanup@0.1.0\" \"perform\" \
                           (func $perform (param i32 i64 i64 i32)))";
    const STREAMS: &str = "(import \"wasi:cli/stderr@0.2.6\" \"get-stderr\" (func $stderr (result i32)))
        (import \"wasi:io/streams@0.2.6\" \"[method]output-stream.blocking-write-and-flush\"
            (func $write (param i32 i32 i32 i32)))
        (import \"wasi:io/streams@0.2.6\" \"[resource-drop]output-stream\" (func $drop (param i32)))";
    let perform = |case: i32, first: i64, second: i64, result: i32| {
        calling(
            PERFORM,
            &format!(
                "(call $perform (i32.const {case}) (i64.const {first}) (i64.const {second}) (i32.const {result}))"
            ),
        )
    };
    insta::assert_snapshot!(outcomes(&[
        ("action 99", perform(99, 0, 0, 3000)),
        ("hook's name outside", perform(10, -1, 64, 3000)),
        ("hook's name of 4 GiB", perform(10, 4096, 0xffff_ffff, 3000)),
        ("report outside", perform(9, 0, 0, -8)),
        ("report misaligned", perform(9, 0, 0, 3001)),
        ("handle forged", calling(STREAMS,
            "(call $write (i32.const 77) (i32.const 0) (i32.const 1) (i32.const 3000))")),
        ("handle dropped twice", calling(STREAMS,
            "(local $h i32) (local.set $h (call $stderr)) (call $drop (local.get $h)) (call $drop (local.get $h))")),
        ("handle used after its drop", calling(STREAMS,
            "(local $h i32) (local.set $h (call $stderr)) (call $drop (local.get $h))
             (call $write (local.get $h) (i32.const 0) (i32.const 1) (i32.const 3000))")),
        ("output outside", calling(STREAMS,
            "(call $write (call $stderr) (i32.const -4) (i32.const 64) (i32.const 3000))")),
    ]), @r"
    action 99: HostCalls: unexpected discriminant: 99
    hook's name outside: HostCalls: string pointer/length out of bounds of memory
    hook's name of 4 GiB: HostCalls: string pointer/length out of bounds of memory
    report outside: HostCalls: pointer out of bounds
    report misaligned: HostCalls: pointer not aligned
    handle forged: HostCalls: unknown handle index 77
    handle dropped twice: HostCalls: unknown handle index 1
    handle used after its drop: HostCalls: unknown handle index 1
    output outside: HostCalls: list pointer/length out of bounds of memory
    ");
}

#[test]
fn a_loop_after_the_answer_ends_like_any_other() {
    let text = format!(
        "(module {} (func $tidy (export \"cabi_post_{DECIDE}\") (param i32) (loop (br 0))))",
        function(&stores(0, &[]), "(i32.const 2048)")
    );
    insta::assert_snapshot!(outcomes(&[("loop in post-return", text)]), @"loop in post-return: OutOfFuel: it used up its fuel of `20000000`");
}

#[test]
fn a_million_calls_of_the_host_meet_a_bound() {
    let devices =
        "(import \"reprieve:policy/nvml-status@0.1.0\" \"device-count\" (func $count (result i32)))";
    let text = calling(devices, "(loop (drop (call $count)) (br 0))");
    insta::assert_snapshot!(outcomes(&[("endless calls", text)]), @"endless calls: OutOfFuel: it used up its fuel of `20000000`");
}
