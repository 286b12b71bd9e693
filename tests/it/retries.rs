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
    assert_snapshot!(place.run(), @r"
    exit code 0
    --- stdout
    study `s`: 1 experiment on 1 slot, judged by standard 0.1.0
    recorded in out
    TIME  e  measure  attempt 1 on slot 0
    TIME  e  measure  failed: exit code 1 after SPAN (attempt 1)
                          network: ConnectionResetError: [Errno 104] Connection reset by peer
    TIME  e  measure  retry in 50 ms at TIME (standard): network failure can pass; retry 1 of 3
    TIME  e  measure  attempt 2 on slot 0
    TIME  e  measure  failed: exit code 1 after SPAN (attempt 2)
                          network: ConnectionResetError: [Errno 104] Connection reset by peer
    TIME  e  measure  retry in 100 ms at TIME (standard): network failure can pass; retry 2 of 3
    TIME  e  measure  attempt 3 on slot 0
    TIME  e  measure  ok in SPAN (attempt 3)

    complete: 1 succeeded; 2 retries, SPAN
    ");
    let waits: Vec<Duration> = place.attempts().iter().map(|attempt| attempt.waited_for).collect();
    assert_eq!(waits, [0, 50, 100].map(Duration::from_millis));
}

#[test]
fn a_failure_that_does_not_pass_is_not_retried() {
    let place = study(SOON, r#"echo "ModuleNotFoundError: No module named 'tranformers'" >&2; exit 1"#);
    assert_snapshot!(place.run(), @r"
    exit code 100
    --- stdout
    study `s`: 1 experiment on 1 slot, judged by standard 0.1.0
    recorded in out
    TIME  e  measure  attempt 1 on slot 0
    TIME  e  measure  failed: exit code 1 after SPAN (attempt 1)
                          configuration: ModuleNotFoundError: No module named 'tranformers'
    TIME  e  measure  given up (standard): configuration failures do not pass by themselves

    complete: 0 succeeded, 1 failed; 0 retries, SPAN
      failed  e  measure: configuration: ModuleNotFoundError: No module named 'tranformers'
    hint: `reprieve show out` tells every attempt and where its output is
    ");
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
    assert_snapshot!(place.run(), @r"
    exit code 0
    --- stdout
    study `s`: 1 experiment on 1 slot, judged by standard 0.1.0
    recorded in out
    TIME  e  measure  attempt 1 on slot 0
    TIME  e  measure  failed: exit code 75 after SPAN (attempt 1)
                          unknown: exit code 75: the program says that the failure will pass
    TIME  e  measure  retry in 10 ms at TIME (standard): the experiment called its unknown failure worth retrying: exit code 75 (EX_TEMPFAIL); retry 1 of 3
    TIME  e  measure  attempt 2 on slot 0
    TIME  e  measure  failed: exit code 75 after SPAN (attempt 2)
                          unknown: exit code 75: the program says that the failure will pass
    TIME  e  measure  retry in 20 ms at TIME (standard): the experiment called its unknown failure worth retrying: exit code 75 (EX_TEMPFAIL); retry 2 of 3
    TIME  e  measure  attempt 3 on slot 0
    TIME  e  measure  ok in SPAN (attempt 3)

    complete: 1 succeeded; 2 retries, SPAN
    ");
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
    assert_snapshot!(place.show(), @r"
    exit code 0
    --- stdout
    study `s` (s-ID): 1 experiment

    e: failed
      measure 1 at TIME: exit code 1 after SPAN
        network: ConnectionResetError: [Errno 104] Connection reset by peer
        it said itself: BadSplit no rows (not worth a retry)
        output: out/attempts/0000-e/measure-1
        given up (standard): the experiment called its network failure final: no rows

    complete: 0 succeeded, 1 failed, 0 not done, 0 retried
    ");
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
    assert_snapshot!(place.show(), @r"
    exit code 0
    --- stdout
    study `s` (s-ID): 1 experiment

    e: succeeded
      measure 1 at TIME: exit code 1 after SPAN
        configuration: ModuleNotFoundError: No module named 'tranformers'
        it said itself: Warming the cache is cold (worth a retry)
        output: out/attempts/0000-e/measure-1
        retry in 10 ms at TIME (standard): the experiment called its configuration failure worth retrying: the cache is cold; retry 1 of 3
      measure 2 at TIME: exit code 1 after SPAN
        configuration: ModuleNotFoundError: No module named 'tranformers'
        it said itself: Warming the cache is cold (worth a retry)
        output: out/attempts/0000-e/measure-2
        retry in 20 ms at TIME (standard): the experiment called its configuration failure worth retrying: the cache is cold; retry 2 of 3
      measure 3 at TIME: exit code 0 after SPAN
        output: out/attempts/0000-e/measure-3
        accepted (standard)

    complete: 1 succeeded, 0 failed, 0 not done, 2 retried
    ");
}

#[test]
fn a_report_that_cannot_be_read_is_shown_and_changes_nothing() {
    let place = study(
        SOON,
        r#"echo '{"retryable": perhaps' > "$REPRIEVE_REPORT"
           echo "ModuleNotFoundError: No module named 'tranformers'" >&2; exit 1"#,
    );
    let ran = place.run();
    assert_eq!((ran.code, tries(&place)), (100, 1));
    let line = "                      its report cannot be read: expected value at line 1 column 15\n";
    assert!(ran.stdout.contains(line), "{ran}");
    assert_snapshot!(place.show(), @r"
    exit code 0
    --- stdout
    study `s` (s-ID): 1 experiment

    e: failed
      measure 1 at TIME: exit code 1 after SPAN
        configuration: ModuleNotFoundError: No module named 'tranformers'
        its report cannot be read: expected value at line 1 column 15
        output: out/attempts/0000-e/measure-1
        given up (standard): configuration failures do not pass by themselves

    complete: 0 succeeded, 1 failed, 0 not done, 0 retried
    ");
}

/// A named pipe that nobody writes to held its reader, and with it the study, for good.
#[test]
fn what_is_no_report_is_told_and_holds_nothing_up() {
    for (report, told) in [
        ("mkfifo \"$REPRIEVE_REPORT\"", "it is no file"),
        ("mkdir \"$REPRIEVE_REPORT\"", "it is no file"),
        (r#"echo '[false, "K", "message"]' > "$REPRIEVE_REPORT""#, "invalid type: sequence, expected a map"),
    ] {
        let place = study(SOON, report);
        let ran = place.run();
        assert_eq!((ran.code, tries(&place)), (0, 1), "{ran}");
        let shown = place.show();
        assert!(shown.stdout.contains(&format!("its report cannot be read: {told}")), "{shown}");
    }
}

#[test]
fn exit_code_75_counts_where_the_report_leaves_it_open() {
    for (report, attempts) in
        [("{}", 3), (r#"{"message": "mirror down"}"#, 3), (r#"{"retryable": false}"#, 1)]
    {
        let script = format!("[ $n -ge 3 ] || {{ echo '{report}' > \"$REPRIEVE_REPORT\"; exit 75; }}");
        let place = study("policy = { settings = { retry_once = [], delay_seconds = 0.01 } }", &script);
        let ran = place.run();
        assert_eq!((ran.code == 0, tries(&place)), (attempts == 3, attempts), "{report}: {ran}");
    }
}

#[test]
fn a_report_of_many_lines_is_shown_in_one() {
    let place = study(
        SOON,
        r#"printf '{"retryable": false, "message": "no\\u001b[31m rows\\nat all"}' > "$REPRIEVE_REPORT"; exit 1"#,
    );
    place.run();
    let shown = place.show();
    let line = "    it said itself: no\\u{1b}[31m rows\\nat all (not worth a retry)\n";
    assert!(shown.stdout.contains(line), "{shown}");
}

#[test]
fn a_report_of_a_failure_counts_whatever_the_exit_code_is() {
    let place = study(SOON, r#"echo '{"retryable": false, "kind": "NanLoss"}' > "$REPRIEVE_REPORT""#);
    assert_eq!((place.run().code, tries(&place)), (100, 1));
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
    assert_snapshot!(place.show(), @r"
    exit code 0
    --- stdout
    study `s` (s-ID): 1 experiment

    e: failed
      measure 1 at TIME: exit code 1 after SPAN
        network: ConnectionResetError: [Errno 104] Connection reset by peer
        output: out/attempts/0000-e/measure-1
        retry in 10 ms at TIME (standard): network failure can pass; retry 1 of 9
      measure 2 at TIME: exit code 1 after SPAN
        network: ConnectionResetError: [Errno 104] Connection reset by peer
        output: out/attempts/0000-e/measure-2
        bounded: max_attempts = 2
        given up (standard): the study allows 2 attempts at `measure`; the policy wanted another: network failure can pass; retry 2 of 9

    complete: 0 succeeded, 1 failed, 0 not done, 1 retried
    ");
}

#[test]
fn the_study_bounds_how_long_a_policy_may_wait() {
    let place = study(
        "limits = { max_delay = \"20ms\" }\npolicy = { settings = { delay_seconds = 600 } }",
        r#"[ $n -ge 2 ] || { echo "ConnectionResetError: [Errno 104] Connection reset by peer" >&2; exit 1; }"#,
    );
    assert_eq!(place.run().code, 0);
    assert_eq!(place.attempts()[1].waited_for, Duration::from_millis(20));
    assert_snapshot!(decisions(&place)[0].bounded.join("\n"), @"a delay of 600s is cut to max_delay = 20ms");
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
    assert_snapshot!(place.run(), @r"
    exit code 0
    --- stdout
    study `s`: 1 experiment on 1 slot, judged by guest 1.2.3
    recorded in out
    TIME  e  measure  attempt 1 on slot 0
    TIME  e  measure  failed: exit code 1 after SPAN (attempt 1)
                          unknown: exit code 1
    TIME  e  measure  retry in 0 s on the same devices with batch = 4 at TIME (guest): half of it fits
    TIME  e  measure  attempt 2 on slot 0 with batch = 4
    TIME  e  measure  ok in SPAN (attempt 2) with batch = 4

    complete: 1 succeeded (1 with changed parameters); 1 retry, SPAN
      changed  e  with batch = 4
    ");
    assert_eq!(place.lines("batches"), ["8 8", "4 4"]);
    assert_snapshot!(place.show(), @r"
    exit code 0
    --- stdout
    study `s` (s-ID): 1 experiment

    e: succeeded with batch = 4
      measure 1 at TIME: exit code 1 after SPAN
        unknown: exit code 1
        output: out/attempts/0000-e/measure-1
        retry in 0 s on the same devices with batch = 4 at TIME (guest): half of it fits
      measure 2 at TIME: exit code 0 after SPAN
        output: out/attempts/0000-e/measure-2
        accepted (guest)

    complete: 1 succeeded (1 with changed parameters), 0 failed, 0 not done, 1 retried
    ");
    let told = place.reprieve(&["show", "--json", "out"]).json();
    let changed = serde_json::json!([{ "name": "batch", "value": "4" }]);
    assert_eq!(told[0]["overrides"], changed);
    assert_eq!(told[0]["events"][4]["overrides"], changed, "the second attempt has them");
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
    assert_snapshot!(place.run(), @r"
    exit code 100
    --- stdout
    study `s`: 2 experiments on 1 slot, judged by guest 1.2.3
    recorded in out
    TIME  good  measure  attempt 1 on slot 0
    TIME  good  measure  ok in SPAN (attempt 1)
                             policy fault: \u{1b}[31mno such class\u{1b}[0m (wasm `unreachable` instruction executed); `give-up` decides
                               at choose_delay
    TIME  bad   measure  attempt 1 on slot 0
    TIME  bad   measure  failed: exit code 1 after SPAN (attempt 1)
                             unknown: exit code 1
                             policy fault: \u{1b}[31mno such class\u{1b}[0m (wasm `unreachable` instruction executed); `give-up` decides
                               at choose_delay
    TIME  bad   measure  given up (give-up): the policy did not answer: wasm `unreachable` instruction executed

    complete: 1 succeeded, 1 failed; 0 retries, 2 policy faults, SPAN
      failed  bad   measure: unknown: exit code 1
    hint: `reprieve show out` tells every attempt and where its output is
    ");
}

#[test]
fn the_log_of_a_policy_has_no_colours_where_nobody_sees_them() {
    let place = Place::of(
        "name = \"s\"\nslots = 1\npolicy = { use = \"panic.wasm\" }\n\
         [[experiments]]\nname = \"e\"\nmeasure = [\"true\"]\n",
    )
    .env("REPRIEVE_LOG", "trace");
    place.write("panic.wasm", guest::guest("panic"));
    let said = place.run().stderr;
    assert!(said.contains("no such class") && !said.contains('\u{1b}'), "{said}");
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
    assert_snapshot!(place.run(), @r"
    exit code 75
    --- stdout
    study `s`: 4 experiments on 1 slot, judged by standard 0.1.0
    recorded in out
    TIME  e#1  measure  attempt 1 on slot 0
    TIME  e#1  measure  failed: exit code 1 after SPAN (attempt 1)
                            unknown: exit code 1
    TIME  e#1  measure  given up (standard): gave up after 1 attempt: unknown failure
    TIME  e#2  measure  attempt 1 on slot 0
    TIME  e#2  measure  failed: exit code 1 after SPAN (attempt 1)
                            unknown: exit code 1
    TIME  e#2  measure  study stopped (standard): experiments that failed in a row: 2; the last: gave up after 1 attempt: unknown failure

    stopped: 0 succeeded, 2 failed, 2 not done; 0 retries, SPAN
      because  experiments that failed in a row: 2; the last: gave up after 1 attempt: unknown failure: exit code 1
      failed  e#1  measure: unknown: exit code 1
      failed  e#2  measure: unknown: exit code 1
    hint: `reprieve resume out` goes on with the rest
    ");
    place.write("mended", "");
    assert_eq!((place.resume().code, tries(&place)), (100, 4));
}

#[test]
fn a_failure_that_nothing_explains_is_told_by_the_last_complaint() {
    let evidence = |script: &str| {
        let place = study("policy = { settings = { max_retries = 0 } }", script);
        assert_eq!(place.run().code, 100);
        place.attempts()[0].failure.clone().expect("it failed").evidence
    };
    let bars = r#"printf '100%%|##########| 10/10 [00:01<00:00, 9.5it/s]\n----------\n' >&2"#;
    assert_eq!(evidence("echo 'epoch 3 done'; exit 7"), "exit code 7");
    assert_eq!(
        evidence(&format!("echo 'rank 3 has no shard' >&2; {bars}; echo epoch; exit 7")),
        "exit code 7: rank 3 has no shard"
    );
    assert_eq!(evidence("echo '2026-11-23 INFO saved' >&2; exit 7"), "exit code 7");
    assert_eq!(evidence("echo 'the cache is cold' >&2; exit 75"), "exit code 75: the cache is cold");
}

#[test]
fn a_policy_that_is_set_aside_is_counted_in_the_summary() {
    let place = Place::of(
        "name = \"s\"\nslots = 1\npolicy = { use = \"panic.wasm\" }\n\
         [[experiments]]\nname = \"e\"\nrepeats = 4\nmeasure = [\"true\"]\n",
    );
    place.write("panic.wasm", guest::guest("panic"));
    let said = place.run().to_string();
    let (_, summary) = said.split_once("\n\n").expect("a summary");
    assert_snapshot!(summary, @r"
    complete: 4 succeeded; 0 retries, 3 policy faults, SPAN
      set aside  the policy of `measure`: it failed to answer too often in a row
    ");
}
