//! What a well-behaved policy may rely on: the same call, the same answer.

use std::collections::HashSet;
use std::time::Duration;

use reprieve::attempt::{Parameter, Stage};
use reprieve::decision::{Decision, Question, seed};
use reprieve::policy::{LimitOverrides, Limits, Policy, PolicySource};
use serde_json::json;

use crate::{ENGINE, policy, question};

fn delay(policy: &Policy, question: &Question) -> Duration {
    match policy.decide(question).result {
        Ok(Decision::Retry(retry)) => retry.delay,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_thousand_equal_calls_get_one_answer_for_one_amount_of_fuel() {
    let dice = policy("dice");
    let answers: HashSet<String> = (0..1000)
        .map(|_| dice.decide(&question(3)))
        .map(|answer| format!("{:?} for {}", answer.result, answer.fuel))
        .collect();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[test]
fn equal_calls_at_the_same_time_get_one_answer() {
    let dice = policy("dice");
    let answers: Vec<(Duration, u64)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..40)
            .map(|_| scope.spawn(|| (delay(&dice, &question(3)), dice.decide(&question(3)).fuel)))
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no call panics")).collect()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

#[test]
fn randomness_differs_by_what_the_seed_is_made_of() {
    let dice = policy("dice");
    let mut asked = question(1);
    let drawn: HashSet<Duration> = [
        seed(1, "a", Stage::Measure, 1),
        seed(1, "a", Stage::Measure, 2),
        seed(1, "a", Stage::Prepare, 1),
        seed(1, "b", Stage::Measure, 1),
        seed(2, "a", Stage::Measure, 1),
    ]
    .into_iter()
    .map(|seed| {
        asked.experiment.seed = seed;
        delay(&dice, &asked)
    })
    .collect();
    assert_eq!(drawn.len(), 5);
}

#[test]
fn every_call_has_an_instance_of_its_own() {
    let counter = policy("counter");
    for _ in 0..100 {
        assert_eq!(counter.decide(&question(1)).result, Ok(Decision::GiveUp("0".into())));
    }
}

#[test]
fn the_clock_stands_at_the_time_of_the_question() {
    assert_eq!(delay(&policy("clock"), &question(1)), Duration::from_millis(1_700_000_000));
}

#[test]
fn waiting_for_no_time_is_not_waiting() {
    assert_eq!(policy("yielder").decide(&question(1)).result, Ok(Decision::Accept));
}

#[test]
fn there_are_no_files_and_no_sockets_and_asking_does_no_harm_on_a_runtime() {
    let policy = policy("reach-out");
    assert_eq!(policy.decide(&question(1)).result, Ok(Decision::Accept));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let answer = runtime.block_on(async { policy.decide(&question(1)) });
    assert_eq!(answer.result, Ok(Decision::Accept));
}

#[test]
fn a_device_that_was_not_read_is_unavailable_and_one_that_is_not_held_does_not_exist() {
    // One device: case 0 (`unavailable`) for device 0, case 1 (`no-such-device`) for device 1.
    assert_eq!(delay(&policy("devices"), &question(1)), Duration::from_millis(110));
}

#[test]
fn memory_keeps_to_the_maximum_that_it_declares() {
    assert_eq!(policy("memory-refused").decide(&question(1)).result, Ok(Decision::Accept));
}

#[test]
fn the_standard_policy_decides_on_a_full_record() {
    let source = PolicySource::Standard;
    let policy = Policy::load(&ENGINE, &source, &json!({}), Limits::DEFAULT).expect("it loads");
    let mut asked = question(2);
    asked.experiment.labels.push(Parameter { name: "kind".into(), value: "sweep".into() });
    let answer = policy.decide(&asked);
    assert!(matches!(answer.result, Ok(Decision::Retry(_))), "{answer:?}");
}

#[test]
fn a_limit_above_its_cap_is_refused() {
    let overrides = LimitOverrides { fuel: Some(u64::MAX), ..<_>::default() };
    insta::assert_snapshot!(Limits::checked(overrides).unwrap_err(), @r"
    policy limit `fuel` is `18446744073709551615`, above its cap of `10000000000`
    hint: give at most `10000000000`, or leave it out for the usual `100000000`
    ");
    let overrides = LimitOverrides { deadline: Some(Duration::from_secs(61)), ..<_>::default() };
    insta::assert_snapshot!(Limits::checked(overrides).unwrap_err(), @r"
    policy limit `deadline_ms` is `61000`, above its cap of `60000`
    hint: give at most `60000`, or leave it out for the usual `1000`
    ");
}

/// Runs by itself, in a process of its own, so that only its calls are seen:
/// see the test below.
#[test]
#[ignore = "the test below runs it"]
fn ten_thousand_calls() {
    let resident = || {
        let pages = std::fs::read_to_string("/proc/self/statm").expect("procfs is mounted");
        pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("it says the pages") * 4096
    };
    let policies = ["accept", "panic", "dice"].map(policy);
    let call = |times: u32| {
        for number in 0..times {
            let _ = policies[number as usize % policies.len()].decide(&question(3));
        }
    };
    call(1_000);
    let before = resident();
    call(10_000);
    let grown = resident().saturating_sub(before);
    assert!(grown < 10_000 * 1024, "10,000 calls left {grown} bytes behind");
}

#[expect(clippy::disallowed_methods, reason = "a test runs itself in a process of its own")]
#[test]
fn ten_thousand_calls_leave_less_than_a_kibibyte_each_behind() {
    let ran = std::process::Command::new(std::env::current_exe().expect("it has a path"))
        .args(["--exact", "calls::ten_thousand_calls", "--ignored"])
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}
