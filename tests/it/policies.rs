//! Policies looked at, tried out, and asked about the past, by the command.

use insta::assert_snapshot;

use crate::guest;
use crate::support::{Place, Ran};

/// A place with this guest as `policy.wasm`.
fn with(guest: &str) -> Place {
    let place = Place::new();
    place.write("policy.wasm", guest::component(guest, "guest"));
    place
}

/// The breaches that a test of the policy tells, and its exit code.
fn breaches(place: &Place) -> (i32, String) {
    let ran = place.reprieve(&["policy", "test", "policy.wasm"]);
    let told = ran.stdout.split("of the contract:\n").nth(1).unwrap_or_default().to_owned();
    (ran.code, told)
}

#[test]
fn inspect_tells_what_a_policy_is_and_what_a_call_costs() {
    let place = Place::new();
    let ran = place.reprieve(&["policy", "inspect", "standard"]);
    assert_eq!(ran.code, 0, "{ran}");
    for told in
        ["standard 0.1.0\n", "reprieve:policy@0.1.0", " fuel, ", "max_retries", "Attempts after the first"]
    {
        assert!(ran.stdout.contains(told), "{told}: {ran}");
    }
    let json = &place.reprieve(&["policy", "inspect", "standard", "--json"]).json()[0];
    assert_eq!(json["settings_schema"]["properties"]["max_retries"]["default"], 3);
    assert!(
        json["call"]["fuel"].as_u64() > Some(1000) && json["call"]["memory_bytes"].as_u64() > Some(0),
        "{json}"
    );
}

#[test]
fn the_standard_policy_keeps_to_the_contract_in_every_situation() {
    let ran = Place::new().reprieve(&["policy", "test", "standard"]);
    assert_eq!(ran.code, 0, "{ran}");
    let row = |name: &str| ran.stdout.lines().find(|line| line.starts_with(name)).expect("a row").to_owned();
    assert!(row("network ").contains("retry in 1 s, 2 s, 4 s, given up: gave up after 4 attempts"), "{ran}");
    assert!(row("a service asks for 30 s").contains("retry in 30 s, 30 s, 30 s, given up"), "{ran}");
    assert!(row("configuration").contains("  given up: configuration failures do not pass"), "{ran}");
    assert!(row("plan after").contains("await-memory or quarantine"), "{ran}");
    assert!(ran.stdout.contains("no breach of the contract"), "{ran}");
}

#[test]
fn a_policy_that_never_ends_is_a_breach() {
    let (code, told) = breaches(&with(include_str!("../policy/guests/mover.wat")));
    assert!(
        code == 1 && told.contains("a success: attempt 100: it still retries after 100 attempts"),
        "{told}"
    );
}

#[test]
fn a_policy_that_traps_is_a_breach_in_its_words() {
    let (code, told) = breaches(&with(include_str!("../policy/guests/panic.wat")));
    assert_eq!(code, 1, "{told}");
    assert_snapshot!(told.lines().next().unwrap_or_default(), @r"  a success: attempt 1: \u{1b}[31mno such class\u{1b}[0m (wasm `unreachable` instruction executed), in choose_delay");
}

/// A schema is a program. This one would take 2^40 steps for any settings.
#[test]
fn a_settings_schema_that_takes_for_ever_meets_the_deadline() {
    let definitions: String = (1..=40)
        .map(|n| {
            format!(
                "\"{n}\": {{\"allOf\": [{{\"$ref\": \"#/$defs/{}\"}}, {{\"$ref\": \"#/$defs/{}\"}}]}},",
                n - 1,
                n - 1
            )
        })
        .collect();
    let schema = format!("{{\"$defs\": {{{definitions} \"0\": {{}}}}, \"$ref\": \"#/$defs/40\"}}");
    let place = Place::of(
        "name = \"s\"\nslots = 1\n[policy]\nuse = \"./slow.wasm\"\nsettings = { patience = 3 }\n\
         limits = { deadline = \"300ms\" }\n[[experiments]]\nname = \"e\"\nmeasure = [\"true\"]\n",
    );
    place.write("slow.wasm", guest::described(&schema));
    assert_snapshot!(place.run(), @r"
    exit code 2
    --- stderr
    error: policy `HERE/./slow.wasm` failed in `describe` when it was loaded: its settings schema ran past its deadline of `300ms`
    ");
}

#[test]
fn an_override_that_nobody_declared_is_a_breach() {
    let (code, told) = breaches(&with(include_str!("../policy/guests/override-unasked.wat")));
    assert!(code == 1 && told.contains("`seed`"), "{told}");
}

/// A test of the standard policy with these situations of one's own.
fn own(situations: &str) -> Ran {
    let place = Place::new();
    place.write("own.toml", situations);
    place.reprieve(&["policy", "test", "standard", "--situations", "own.toml"])
}

#[test]
fn authors_add_situations_and_say_what_they_expect() {
    let situation =
        "[[situations]]\nname = \"quota\"\nclass = \"rate-limited\"\nevidence = \"quota of 5 spent\"\n";
    let ran = own(&format!("{situation}expect = \"retry\"\n"));
    assert!(ran.code == 0 && ran.stdout.contains("\nquota "), "{ran}");
    let ran = own(&format!("{situation}expect = \"give-up\"\n"));
    assert!(
        ran.code == 1 && ran.stdout.contains("quota: `give-up` was expected first, and it is `retry`"),
        "{ran}"
    );
}

#[test]
fn situations_that_are_wrong_are_told_with_their_place() {
    assert_snapshot!(own("[[situations]]\nname = \"a\"\nclas = \"hang\"\n"), @r#"
    exit code 2
    --- stderr
    error: `own.toml` holds no situations: TOML parse error at line 3, column 1
      |
    3 | clas = "hang"
      | ^^^^
    unknown field `clas`, expected one of `name`, `class`, `evidence`, `stage`, `stderr_tail`, `stdout_tail`, `retryable`, `foreign_processes`, `retries_in_study`, `parameters`, `adjustable`, `expect`
    hint: each begins with `[[situations]]` and has a `name`; `reprieve policy new` writes some to begin with
    "#);
    assert_snapshot!(own("[[situations]]\nname = \"a\"\nadjustable = [\"batch\"]\n"), @r"
    exit code 2
    --- stderr
    error: `own.toml` holds no situations: `a`, line 3: no parameter `batch` to adjust
    hint: give it a value in `parameters`
    ");
    assert_snapshot!(own("[[situations]]\nname = \"a\nclass = \"hang\"\n"), @r#"
    exit code 2
    --- stderr
    error: `own.toml` cannot be read as TOML: TOML parse error at line 2, column 10
      |
    2 | name = "a
      |          ^
    invalid basic string, expected `"`
    "#);
    let named = |name: &str| own(&format!("[[situations]]\nname = \"a\"\n\n[[situations]]\nname = {name}\n"));
    assert_snapshot!(named("\"a\""), @r"
    exit code 2
    --- stderr
    error: `own.toml` holds no situations: line 5: `a` is the name of the situation at line 2 already
    hint: give each a name of its own
    ");
    assert_snapshot!(named("\"\""), @r"
    exit code 2
    --- stderr
    error: `own.toml` holds no situations: line 5: `` is no name
    hint: a name is one line, and not empty
    ");
    assert_snapshot!(named(r#""two\nlines""#), @r"
    exit code 2
    --- stderr
    error: `own.toml` holds no situations: line 5: `two\nlines` is no name
    hint: a name is one line, and not empty
    ");
    let test = |file| Place::new().reprieve(&["policy", "test", "standard", "--situations", file]);
    assert_snapshot!(test("none.toml"), @r"
    exit code 2
    --- stderr
    error: `none.toml` cannot be read: No such file or directory (os error 2)
    hint: it has to be a text that you may read
    ");
    assert_snapshot!(test("/dev/zero"), @r"
    exit code 2
    --- stderr
    error: `/dev/zero` is larger than `1048576` bytes
    hint: each begins with `[[situations]]` and has a `name`; `reprieve policy new` writes some to begin with
    ");
}

/// A study whose one network failure was tried four times, and in which another experiment passed at its second attempt.
fn past() -> Place {
    let place = Place::of(
        "name = \"s\"\nslots = 1\npolicy = { settings = { delay_seconds = 0.01 } }\n\
         [[experiments]]\nname = \"passes\"\nmeasure = { shell = '[ -e tried ] || { touch tried; exit 75; }' }\n\
         [[experiments]]\nname = \"fails\"\nmeasure = { shell = 'echo ConnectionError: connection reset by peer >&2; exit 1' }\n",
    );
    assert_eq!(place.run().code, 100);
    place
}

fn replay(place: &Place, settings: &str) -> Ran {
    place.reprieve(&["policy", "replay", "standard", "--settings", settings, "--study", "out"])
}

#[test]
fn a_policy_asked_about_its_own_past_decides_as_it_did() {
    let place = past();
    let ran = place.reprieve(&["policy", "replay", "standard", "--study", "out"]);
    assert_snapshot!(ran, @r"
    exit code 0
    --- stdout
    study `s` in out: 6 decisions, 0 differences

    standard decides all 6 as they were decided
    ");
    let ran = replay(&place, "{}");
    assert!(
        ran.stdout.contains("4 attempts with another wait"),
        "its defaults, where one asks for them: {ran}"
    );
}

#[test]
fn another_policy_is_told_by_what_it_would_have_done_otherwise() {
    let place = past();
    let ran = replay(&place, r#"{ "delay_seconds": 0.01, "max_retries": 1 }"#);
    let differs = "    fails  measure 2  was: retry in 20 ms\n        now: given up: gave up after 2 attempts: network failure";
    assert!(ran.code == 0 && ran.stdout.contains(differs), "{ran}");
    assert!(ran.stdout.contains("standard decides 1 of 4 otherwise: 2 attempts fewer ("), "{ran}");
    let ran = replay(&place, r#"{ "delay_seconds": 0.01, "max_retries": 0, "retry_once": [] }"#);
    assert!(
        ran.stdout.contains("4 attempts fewer")
            && ran.stdout.contains("1 experiment ended early that succeeded"),
        "{ran}"
    );
    let ran = replay(&place, r#"{ "delay_seconds": 0.01, "max_retries": 9 }"#);
    assert!(ran.stdout.ends_with("otherwise: 1 stage tried again that was not\n"), "{ran}");
}

#[test]
fn after_another_wait_the_policy_is_asked_on_and_after_another_way_the_rest_is_counted() {
    let place = past();
    let shorter = r#"{ "delay_seconds": 0.02, "max_retries": 1 }"#;
    let ran = replay(&place, shorter);
    let lines: Vec<&str> = ran.stdout.lines().filter(|line| !line.starts_with("    ")).collect();
    assert_eq!(
        lines[..3],
        [
            "study `s` in out: 4 decisions, 3 differences",
            "  1 unknown failure: retried, now with another wait",
            "  1 network failure: retried, now with another wait",
        ],
        "{ran}"
    );
    assert_eq!(
        lines[3], "  1 network failure: retried, now given up; 2 later decisions not asked about",
        "{ran}"
    );
    let all =
        place.reprieve(&["policy", "replay", "standard", "--settings", shorter, "--study", "out", "--json"]);
    let not_asked: Vec<_> = all.json().iter().map(|told| told["decisions_not_asked"].as_u64()).collect();
    assert_eq!(not_asked, [Some(0), Some(0), Some(2)], "{all}");
}

#[test]
fn differences_that_are_alike_are_told_once_with_examples_and_whole_for_machines() {
    let place = Place::of(
        "name = \"s\"\nslots = 1\npolicy = { settings = { max_retries = 0, retry_once = [] } }\n\
         [[experiments]]\nname = \"net-{n}\"\nmatrix = { n = [1, 2, 3, 4] }\n\
         measure = { shell = 'echo ConnectionError: connection reset by peer >&2; exit 1' }\n\
         [[experiments]]\nname = \"odd\"\nmeasure = { shell = 'exit 9' }\n",
    );
    assert_eq!(place.run().code, 100);
    assert_snapshot!(replay(&place, "{}"), @r"
    exit code 0
    --- stdout
    study `s` in out: 5 decisions, 5 differences
      4 network failures: given up, now retried
        net-1  measure 1  was: given up
            now: retry in 1 s: network failure can pass: ConnectionError: connection reset by peer; retry 1 of 3
        net-2  measure 1  was: given up
            now: retry in 1 s: network failure can pass: ConnectionError: connection reset by peer; retry 1 of 3
        and 2 more
      1 unknown failure: given up, now retried
        odd  measure 1  was: given up
            now: retry in 1 s: unknown failures are retried once: exit code 9

    standard decides 5 of 5 otherwise: 5 stages tried again that were not
    ");
    let all = place
        .reprieve(&["policy", "replay", "standard", "--settings", "{}", "--study", "out", "--json"])
        .json();
    assert_eq!(all.len(), 5);
    assert_eq!(
        (&all[0]["experiment"], &all[0]["failure"]),
        (&"net-1".into(), &"network".into()),
        "{}",
        all[0]
    );
}

#[test]
fn a_policy_that_fails_to_answer_about_the_past_is_told_in_its_words() {
    let place = past();
    place.write("policy.wasm", guest::component(include_str!("../policy/guests/exit-told.wat"), "guest"));
    let ran = place.reprieve(&["policy", "replay", "policy.wasm", "--study", "out"]);
    let told = "  1 network failure: retried, now no answer; 3 later decisions not asked about\n    fails  measure 1  was: retry in 10 ms\n        \
                now: no answer: KeyError: 1, in mine.py, line 6 (it exited with code `1` instead of answering)\n";
    assert!(ran.code == 0 && ran.stdout.contains(told), "{ran}");
}

/// A policy that has no settings, and accepts what comes.
fn without_settings() -> Vec<u8> {
    let text = r#"(module
        (data (i32.const 3000) "this policy has no settings")
        (func (export "reprieve:policy/guest@0.1.0#configure") (param i32 i32) (result i32)
          (i32.store8 (i32.const 3200) (i32.ne (local.get 1) (i32.const 2)))
          (i32.store (i32.const 3204) (i32.const 3000)) (i32.store (i32.const 3208) (i32.const 27))
          (i32.const 3200))
        (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32) (i32.const 1200)))"#;
    guest::component(text, "guest")
}

#[test]
fn a_policy_that_refuses_the_study_s_settings_is_asked_with_its_defaults_and_says_so() {
    let place = past();
    place.write("policy.wasm", without_settings());
    let replay = ["policy", "replay", "policy.wasm", "--study", "out"];
    let ran = place.reprieve(&replay);
    assert!(
        ran.code == 0 && ran.stdout.contains("guest decides 2 of 2 otherwise: 4 attempts fewer"),
        "{ran}"
    );
    assert_snapshot!(ran.stderr, @r#"
    guest refuses the settings of study `s` in out, `{"delay_seconds":0.01}`, and is asked with its defaults: this policy has no settings
    hint: `--settings` gives it others
    "#);
    let given = [&replay[..], &["--settings", r#"{"patience":3}"#]].concat();
    let ran = place.reprieve(&given);
    assert!(
        ran.code == 2 && ran.stderr.contains("refuses its settings: this policy has no settings"),
        "{ran}"
    );
    // One that stood in for the study's own was told nothing of its settings.
    let ran = place.reprieve(&["run", "study.toml", "--dir", "instead", "--policy", "policy.wasm"]);
    assert_eq!(ran.code, 100, "{ran}");
    let ran = place.reprieve(&["policy", "replay", "policy.wasm", "--study", "instead"]);
    assert!(ran.stderr.is_empty() && ran.stdout.contains("0 differences"), "{ran}");
}

#[test]
fn what_breaks_everywhere_is_told_once() {
    let (_, told) = breaches(&with(include_str!("../policy/guests/panic.wat")));
    assert_snapshot!(told, @r"
    a success: attempt 1: \u{1b}[31mno such class\u{1b}[0m (wasm `unreachable` instruction executed), in choose_delay
        in 35 situations: a success, a success beside another's process, a success with throttled clocks, and 32 more
    ");
    let (_, told) = breaches(&with(include_str!("../policy/guests/mover.wat")));
    assert!(told.lines().count() < 5, "{told}");
    let place = with(include_str!("../policy/guests/panic.wat"));
    let all = place.reprieve(&["policy", "test", "policy.wasm", "--json"]).json();
    assert!(all.iter().all(|situation| situation["breaches"].as_array().is_some_and(|all| all.len() == 1)));
}

#[test]
fn a_plan_s_breach_is_told_to_machines_too() {
    let place = Place::new();
    let text = "(module (func (export \"reprieve:policy/cleanup-policy@0.1.0#plan\") (param i32) (result i32) \
                (unreachable)))";
    place.write("policy.wasm", guest::component(text, "planner"));
    let ran = place.reprieve(&["policy", "test", "policy.wasm", "--json"]);
    let told = ran.json();
    assert_eq!(ran.code, 1, "{ran}");
    assert_eq!(told[0]["situation"], "plan before an attempt", "{ran}");
    assert!(told[0]["breaches"][0].as_str().is_some_and(|breach| breach.contains("unreachable")), "{ran}");
}

#[test]
fn what_cannot_become_a_component_is_told_with_the_way_out() {
    let place = Place::new();
    place.write("empty", "");
    place.write("photo.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF");
    place.write("core.wasm", b"\0asm\x01\0\0\0");
    let made = |file: &str, output: &str| place.reprieve(&["policy", "componentize", file, "-o", output]);
    assert_snapshot!(made("photo.jpg", "out.wasm"), @r"
    exit code 2
    --- stderr
    error: `photo.jpg` is not WebAssembly: it begins with `\xff\xd8\xff\xe0\x00\x10JFIF`
    hint: give what a compiler wrote for WebAssembly, `.wasm` or `.wat`
    ");
    assert_snapshot!(made("empty", "out.wasm"), @r"
    exit code 2
    --- stderr
    error: `empty` is empty
    hint: build it again
    ");
    assert_snapshot!(made("/dev/zero", "out.wasm"), @r"
    exit code 2
    --- stderr
    error: `/dev/zero` is larger than `67108864` bytes
    hint: build it for release and strip it
    ");
    assert_snapshot!(made("none.wasm", "out.wasm"), @r"
    exit code 2
    --- stderr
    error: `none.wasm` does not exist
    hint: look at the path
    ");
    assert_snapshot!(made("core.wasm", "-"), @r"
    exit code 2
    --- stderr
    error: invalid value '-' for '--output <FILE>': a component goes to a file; `./-` is one of that name

    For more information, try '--help'.
    ");
    assert!(!place.path("out.wasm").exists() && !place.path("-").exists());
}
