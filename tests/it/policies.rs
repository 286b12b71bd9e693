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
    "#);
    assert_snapshot!(own("[[situations]]\nname = \"a\"\nadjustable = [\"batch\"]\n"), @r"
    exit code 2
    --- stderr
    error: `own.toml` holds no situations: `a`: no parameter `batch` to adjust
    hint: give it a value in `parameters`
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
    assert_snapshot!(replay(&past(), r#"{ "delay_seconds": 0.01 }"#), @r"
    exit code 0
    --- stdout
    study `s` in out: 6 decisions, 0 differences

    standard decides all 6 as they were decided
    ");
}

#[test]
fn another_policy_is_told_by_what_it_would_have_done_otherwise() {
    let place = past();
    let ran = replay(&place, r#"{ "delay_seconds": 0.01, "max_retries": 1 }"#);
    let differs = "  fails  measure 2  was: retry in 20 ms\n      now: given up: gave up after 2 attempts: network failure";
    assert!(ran.code == 0 && ran.stdout.contains(differs), "{ran}");
    assert!(ran.stdout.contains("standard decides 1 of 4 otherwise: 2 attempts fewer ("), "{ran}");
    let ran = replay(&place, r#"{ "delay_seconds": 0.01, "max_retries": 0, "retry_once": [] }"#);
    assert!(
        ran.stdout.contains("4 attempts fewer")
            && ran.stdout.contains("1 experiment ended early that succeeded"),
        "{ran}"
    );
}
