//! What is tried again, what is not, and after which waits.

use std::time::Duration;

use insta::assert_snapshot;
use reprieve::event::{Decided, Event};

use crate::guest;
use crate::support::Place;

/// A study of one experiment, which counts its attempts in `tries`.
fn study(head: &str, script: &str) -> Place {
    Place::of(&format!(
        "name = \"s\"\nslots = 1\n{head}\n[[experiments]]\nname = \"e\"\n\
         measure = {{ shell = '''\necho try >> tries\nn=$(wc -l < tries)\n{script}\n''' }}\n"
    ))
}

/// Settings that wait for moments.
const SOON: &str = "policy = { settings = { delay_seconds = 0.01 } }";

fn tries(place: &Place) -> usize {
    place.lines("tries").len()
}

fn decisions(place: &Place) -> Vec<Decided> {
    let decided = |stamped: reprieve::event::Stamped| match stamped.event {
        Event::Decided(decided) => Some(decided),
        _ => None,
    };
    place.events().into_iter().filter_map(decided).collect()
}

#[test]
fn a_failure_that_passes_is_retried_with_growing_waits_until_it_succeeds() {
    let place = study(
        "policy = { settings = { max_retries = 3, delay_seconds = 0.05, backoff_factor = 2.0 } }",
        r#"[ $n -ge 3 ] || { echo "ConnectionResetError: [Errno 104] Connection reset by peer" >&2; exit 1; }"#,
    );
    assert_snapshot!(place.run(), @"");
    let waits: Vec<Duration> = place.attempts().iter().map(|attempt| attempt.waited_for).collect();
    assert_eq!(waits, [0, 50, 100].map(Duration::from_millis));
}

#[test]
fn a_failure_that_does_not_pass_is_not_retried() {
    let place = study(SOON, r#"echo "ModuleNotFoundError: No module named 'tranformers'" >&2; exit 1"#);
    assert_snapshot!(place.run(), @"");
    assert_eq!(tries(&place), 1);
}

#[test]
fn the_last_failure_is_the_one_that_is_reported() {
    let place = study(
        "policy = { settings = { max_retries = 2, delay_seconds = 0.01 } }",
        r#"echo "ConnectionResetError: [Errno 104] Connection reset by peer, on try $n" >&2; exit 1"#,
    );
    let ran = place.run();
    assert_eq!((ran.code, tries(&place)), (100, 3));
    let summary = ran.stdout.lines().find(|line| line.contains("failed  e")).expect("the summary names it");
    assert!(summary.ends_with("on try 3"), "{summary}");
}

#[test]
fn exit_code_75_asks_for_another_attempt() {
    let place = study(SOON, "[ $n -ge 3 ] || exit 75");
    assert_snapshot!(place.run(), @"");
    assert_eq!(tries(&place), 3);
}

#[test]
fn an_experiment_may_say_that_its_failure_will_not_pass() {
    let place = study(
        SOON,
        r#"echo '{"retryable": false, "kind": "BadSplit", "message": "no rows"}' > "$REPRIEVE_REPORT"
           echo "ConnectionResetError: [Errno 104] Connection reset by peer" >&2; exit 1"#,
    );
    assert_eq!((place.run().code, tries(&place)), (100, 1));
    assert_snapshot!(place.show(), @"");
}

#[test]
fn an_experiment_may_say_that_its_failure_will_pass() {
    let place = study(
        SOON,
        r#"[ $n -ge 3 ] && exit 0
           echo '{"retryable": true, "kind": "Warming", "message": "the cache is cold"}' > "$REPRIEVE_REPORT"
           echo "ModuleNotFoundError: No module named 'tranformers'" >&2; exit 1"#,
    );
    assert_eq!((place.run().code, tries(&place)), (0, 3));
    assert_snapshot!(place.show(), @"");
}

#[test]
fn a_report_that_cannot_be_read_is_shown_and_changes_nothing() {
    let place = study(
        SOON,
        r#"echo '{"retryable": perhaps' > "$REPRIEVE_REPORT"
           echo "ModuleNotFoundError: No module named 'tranformers'" >&2; exit 1"#,
    );
    assert_eq!((place.run().code, tries(&place)), (100, 1));
    assert_snapshot!(place.show(), @"");
}

#[test]
fn a_report_does_not_make_a_success_a_failure() {
    let place = study(SOON, r#"echo '{"retryable": true, "kind": "x"}' > "$REPRIEVE_REPORT""#);
    assert_eq!((place.run().code, tries(&place)), (0, 1));
}

#[test]
fn a_study_says_itself_what_a_failure_looks_like() {
    let place = study(
        &format!("{SOON}\npatterns = [{{ class = \"rate-limited\", regex = \"tokens? spent: \\\\d+\" }}]"),
        r#"[ $n -ge 3 ] || { echo "token spent: 17"; exit 1; }"#,
    );
    assert_eq!((place.run().code, tries(&place)), (0, 3));
    let failure = place.attempts()[0].failure.clone().expect("the first one failed");
    assert_eq!((failure.class.name(), &*failure.evidence), ("rate-limited", "token spent: 17"));
}

#[test]
fn the_study_bounds_how_often_a_policy_may_retry() {
    let place = study(
        "limits = { max_attempts = 2 }\npolicy = { settings = { max_retries = 9, delay_seconds = 0.01 } }",
        r#"echo "ConnectionResetError: [Errno 104] Connection reset by peer" >&2; exit 1"#,
    );
    assert_eq!((place.run().code, tries(&place)), (100, 2));
    assert_snapshot!(place.show(), @"");
}

#[test]
fn the_study_bounds_how_long_a_policy_may_wait() {
    let place = study(
        "limits = { max_delay = \"20ms\" }\npolicy = { settings = { delay_seconds = 600 } }",
        r#"[ $n -ge 2 ] || { echo "ConnectionResetError: [Errno 104] Connection reset by peer" >&2; exit 1; }"#,
    );
    assert_eq!(place.run().code, 0);
    assert_eq!(place.attempts()[1].waited_for, Duration::from_millis(20));
    assert_snapshot!(decisions(&place)[0].bounded.join("\n"), @"");
}

/// Retries once, with `batch` at 4, then accepts.
const HALVE: &str = r#"(module
  (data (i32.const 3000) "batch")
  (data (i32.const 3008) "4")
  (data (i32.const 3016) "half of it fits")
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param $question i32) (result i32)
    ;; The attempts' count follows the experiment, which takes 48 bytes, and their address.
    (i32.store8 (i32.const 2048) (i32.eq (i32.load offset=52 (local.get $question)) (i32.const 1)))
    (i32.store (i32.const 2068) (i32.const 2100))
    (i32.store (i32.const 2072) (i32.const 1))
    (i32.store (i32.const 2076) (i32.const 3016))
    (i32.store (i32.const 2080) (i32.const 15))
    (i32.store (i32.const 2100) (i32.const 3000))
    (i32.store (i32.const 2104) (i32.const 5))
    (i32.store (i32.const 2108) (i32.const 3008))
    (i32.store (i32.const 2112) (i32.const 1))
    (i32.const 2048)))"#;

#[test]
fn a_policy_changes_an_adjustable_parameter_of_the_next_attempt() {
    let place = Place::of(
        r#"
        name = "s"
        slots = 1
        policy = { use = "halve.wasm" }
        [[experiments]]
        name = "e"
        parameters = { batch = 8 }
        adjustable = ["batch"]
        measure = ["/bin/sh", "-c", "echo $0 $REPRIEVE_PARAMETER_BATCH >> batches; [ $0 -lt 8 ]", "{batch}"]
        "#,
    );
    place.write("halve.wasm", guest::component(HALVE, "guest"));
    assert_snapshot!(place.run(), @"");
    assert_eq!(place.lines("batches"), ["8 8", "4 4"]);
}

#[test]
fn each_stage_has_the_policy_that_the_study_gives_it() {
    let place = Place::of(
        r#"
        name = "s"
        slots = 1
        [policy]
        settings = { max_retries = 0 }
        [policy.prepare]
        settings = { max_retries = 5, delay_seconds = 0.01 }
        [[experiments]]
        name = "e"
        prepare = { shell = 'echo p >> prepared; [ $(wc -l < prepared) -ge 3 ] || exit 75' }
        measure = { shell = 'echo m >> measured; exit 75' }
        "#,
    );
    assert_eq!(place.run().code, 100);
    assert_eq!((place.lines("prepared").len(), place.lines("measured").len()), (3, 1));
}

#[test]
fn a_policy_that_fails_to_answer_costs_no_experiment() {
    let place = Place::of(
        r#"
        name = "s"
        slots = 1
        policy = { use = "panic.wasm", fallback = "give-up" }
        [[experiments]]
        name = "good"
        measure = ["true"]
        [[experiments]]
        name = "bad"
        measure = ["false"]
        "#,
    );
    place.write("panic.wasm", guest::guest("panic"));
    assert_snapshot!(place.run(), @"");
}

#[test]
fn a_policy_stops_a_study_and_resume_goes_on() {
    let place = Place::of(
        r#"
        name = "s"
        slots = 1
        policy = { settings = { max_retries = 0, stop_after_failures_in_a_row = 2 } }
        [[experiments]]
        name = "e"
        repeats = 4
        measure = { shell = 'echo run >> tries; [ -e mended ]' }
        "#,
    );
    assert_snapshot!(place.run(), @"");
    place.write("mended", "");
    assert_eq!((place.resume().code, tries(&place)), (100, 4));
}
