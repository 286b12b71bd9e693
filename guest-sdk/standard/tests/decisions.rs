//! What the `standard` policy decides, through the door that the host uses.

use reprieve_guest::{
    Attempt, Attempts, Decision, Experiment, FailureClass, Policy, Progress, SelfReport, Stage,
};
use reprieve_standard::Standard;

fn decide_in(progress: Progress, settings: &str, attempts: impl Into<Attempts>) -> Decision {
    let policy = Standard::configure(settings).unwrap();
    policy.decide(&Experiment { seed: 7, ..Experiment::default() }, &attempts.into(), &progress)
}

fn decide(settings: &str, attempts: impl Into<Attempts>) -> Decision {
    decide_in(Progress::default(), settings, attempts)
}

fn network() -> Attempt {
    Attempt::failed(FailureClass::Network, "Connection reset by peer")
}

fn failed(class: FailureClass) -> Attempt {
    Attempt::failed(class, "evidence")
}

fn reported(attempt: Attempt, retryable: bool, message: &str) -> Attempt {
    let report = SelfReport { retryable: Some(retryable), kind: String::new(), message: message.to_owned() };
    Attempt { self_report: Some(report), ..attempt }
}

/// The delay in milliseconds and the reason, of a decision that must be a retry.
fn retried(decision: Decision) -> (u64, String) {
    let Decision::Retry(retry) = decision else { panic!("not a retry: {decision:?}") };
    (retry.delay, retry.reason)
}

/// The reason, of a decision that must be to give up.
fn given_up(decision: Decision) -> String {
    let Decision::GiveUp(reason) = decision else { panic!("not given up: {decision:?}") };
    reason
}

#[test]
fn with_defaults_four_attempts_are_made_after_waits_of_one_two_and_four_seconds() {
    let why = "network failure can pass: Connection reset by peer";
    assert_eq!(retried(decide("{}", [network()])), (1000, format!("{why}; retry 1 of 3")));
    assert_eq!(retried(decide("{}", vec![network(); 2])), (2000, format!("{why}; retry 2 of 3")));
    assert_eq!(retried(decide("{}", vec![network(); 3])), (4000, format!("{why}; retry 3 of 3")));
    given_up(decide("{}", vec![network(); 4]));
}

#[test]
fn the_last_failure_is_the_one_reported() {
    let last = Attempt::failed(FailureClass::Communication, "NCCL timeout");
    let reason = given_up(decide("{}", [network(), network(), network(), last]));
    assert_eq!(reason, "gave up after 4 attempts: communication failure: NCCL timeout");
    let reason = given_up(decide(r#"{"max_retries": 0}"#, [network()]));
    assert_eq!(reason, "gave up after 1 attempt: network failure: Connection reset by peer");
}

#[test]
fn a_success_is_accepted_also_after_failures() {
    assert_eq!(decide("{}", [Attempt::succeeded()]), Decision::Accept);
    assert_eq!(decide("{}", [network(), Attempt::succeeded()]), Decision::Accept);
    let called_retryable = reported(Attempt::succeeded(), true, "");
    assert_eq!(decide("{}", [called_retryable]), Decision::Accept);
}

#[test]
fn each_class_is_retried_as_the_truth_table_says() {
    use FailureClass::*;
    let rows = [
        // Class, retried after its first failure, and after its second.
        (Network, true, true),
        (RateLimited, true, true),
        (DriverTransient, true, true),
        (Communication, true, true),
        (DeviceMemory, false, false),
        (DeviceOccupied, true, true),
        (HostMemory, false, false),
        (DeviceProgram, true, false),
        (DeviceHardware, false, false),
        (Hang, true, false),
        (Crash, true, false),
        (Storage, false, false),
        (Access, false, false),
        (Configuration, false, false),
        (Cancelled, false, false),
        (Unknown, true, false),
    ];
    assert_eq!(rows.map(|row| row.0), FailureClass::ALL);
    for (class, first, second) in rows {
        let retries = |attempts: Vec<Attempt>| matches!(decide("{}", attempts), Decision::Retry(_));
        assert_eq!(retries(vec![failed(class)]), first, "{class:?}");
        assert_eq!(retries(vec![failed(class), failed(class)]), second, "{class:?} again");
        assert_eq!(retries(vec![network(), failed(class)]), first, "{class:?} after another");
    }
}

#[test]
fn what_is_not_retried_says_why() {
    let wrong = Attempt::failed(FailureClass::Configuration, "ModuleNotFoundError: No module named 'vllm'");
    assert_eq!(
        given_up(decide("{}", [wrong])),
        "configuration failures do not pass by themselves: ModuleNotFoundError: No module named 'vllm'"
    );
    let hung = || Attempt::failed(FailureClass::Hang, "silent for 300 s");
    assert_eq!(retried(decide("{}", [hung()])).1, "hang failures are retried once: silent for 300 s");
    assert_eq!(
        given_up(decide("{}", [hung(), network(), hung()])),
        "gave up after 3 attempts: hang failure again: silent for 300 s"
    );
    assert_eq!(
        given_up(decide("{}", [Attempt::failed(FailureClass::Storage, "")])),
        "storage failures do not pass by themselves"
    );
}

#[test]
fn the_study_chooses_the_classes() {
    let settings = r#"{"retry": ["hang"], "retry_once": ["hang", "storage"]}"#;
    retried(decide(settings, vec![failed(FailureClass::Hang); 2]));
    retried(decide(settings, [failed(FailureClass::Storage)]));
    given_up(decide(settings, vec![failed(FailureClass::Storage); 2]));
    given_up(decide(settings, [network()]));
}

#[test]
fn the_experiments_own_word_overrides_the_class() {
    let final_one = reported(network(), false, "checkpoint is corrupt");
    assert_eq!(
        given_up(decide("{}", [final_one])),
        "the experiment called its network failure final: checkpoint is corrupt"
    );
    let passing = || reported(failed(FailureClass::Storage), true, "quota is being raised");
    assert_eq!(
        retried(decide("{}", [passing(), passing()])),
        (
            2000,
            "the experiment called its storage failure worth retrying: quota is being raised; retry 2 of 3"
                .into()
        )
    );
    given_up(decide("{}", vec![passing(); 4]));
}

#[test]
fn a_service_that_asks_for_time_gets_it_within_the_cap() {
    let limited = |text: &str| Attempt::failed(FailureClass::RateLimited, text);
    assert_eq!(retried(decide("{}", [limited("429: retry after 30 seconds")])).0, 30_000);
    assert_eq!(
        retried(decide("{}", vec![limited("try again in 500ms"); 2])).0,
        2000,
        "our own wait is longer"
    );
    let capped = r#"{"max_delay_seconds": 20}"#;
    assert_eq!(retried(decide(capped, [limited("429: retry after 30 seconds")])).0, 20_000);
    let own_words = reported(limited("429"), true, "Retry-After: 12");
    assert_eq!(retried(decide("{}", [own_words])).0, 12_000);
    let other = Attempt::failed(FailureClass::Network, "retry after 30 seconds");
    assert_eq!(retried(decide("{}", [other])).0, 1000, "only of services that limit their rate");
}

#[test]
fn waits_follow_the_settings() {
    let settings = r#"{"max_retries": 9, "delay_seconds": 0.3, "backoff_factor": 3, "max_delay_seconds": 5}"#;
    for (attempts, delay_ms) in [(1, 300), (2, 900), (3, 2700), (4, 5000), (9, 5000)] {
        assert_eq!(retried(decide(settings, vec![network(); attempts])).0, delay_ms);
    }
    let endless = r#"{"delay_seconds": 1e300, "backoff_factor": 1e300, "max_delay_seconds": 1e300}"#;
    assert!(retried(decide(endless, vec![network(); 3])).0 > 1_000_000_000_000);
}

#[test]
fn jitter_shortens_waits_and_repeats_itself_under_one_seed() {
    let four = |jitter: &str| retried(decide(&format!(r#"{{"jitter": "{jitter}"}}"#), vec![network(); 3])).0;
    assert!(four("full") <= 4000);
    assert!((2000..=4000).contains(&four("equal")));
    assert_eq!(four("full"), four("full"));
    let waited = |waited_for| vec![network(), Attempt { waited_for, ..network() }];
    let decorrelated = retried(decide(r#"{"jitter": "decorrelated"}"#, waited(10_000))).0;
    assert!((1000..=30_000).contains(&decorrelated));
}

#[test]
fn the_studys_budget_of_retries_is_kept() {
    let settings = r#"{"retries_in_study": 20}"#;
    let used = |retries| Progress { retries, ..Progress::default() };
    retried(decide_in(used(19), settings, [network()]));
    assert_eq!(
        given_up(decide_in(used(20), settings, [network()])),
        "the study's 20 retries are used up: network failure: Connection reset by peer"
    );
    retried(decide_in(used(u32::MAX), "{}", [network()]));
}

#[test]
fn the_study_stops_when_too_many_experiments_in_a_row_have_failed() {
    let settings = r#"{"stop_after_failures_in_a_row": 3}"#;
    let row = |failed_in_a_row| Progress { failed_in_a_row, ..Progress::default() };
    let denied = || Attempt::failed(FailureClass::Access, "401");
    given_up(decide_in(row(1), settings, [denied()]));
    assert_eq!(
        decide_in(row(2), settings, [denied()]),
        Decision::StopStudy(
            "experiments that failed in a row: 3; the last: access failures do not pass by themselves: 401"
                .into()
        )
    );
    retried(decide_in(row(9), settings, [network()]));
    given_up(decide_in(row(u32::MAX), "{}", [denied()]));
}

#[test]
fn a_failed_finish_is_retried_alike_but_stops_no_study() {
    let finish = |class| Attempt { stage: Stage::Finish, ..failed(class) };
    retried(decide("{}", [finish(FailureClass::Network)]));
    let row = Progress { failed_in_a_row: 9, ..Progress::default() };
    given_up(decide_in(row, r#"{"stop_after_failures_in_a_row": 3}"#, [finish(FailureClass::Access)]));
}
