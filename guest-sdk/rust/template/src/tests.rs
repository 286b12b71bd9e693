//! A policy is a plain type: it is tested without a host, a GPU, or WebAssembly.

use super::*;
use reprieve_guest::{Attempt, SelfReport};

fn decide(experiment: &Experiment, attempts: impl Into<Attempts>) -> Decision {
    MyPolicy::default().decide(experiment, &attempts.into(), &Progress::default())
}

#[test]
fn a_success_is_accepted() {
    assert_eq!(
        decide(&Experiment::default(), [Attempt::succeeded()]),
        Decision::Accept
    );
}

#[test]
fn the_network_gets_three_more_chances() {
    let network = || Attempt::failed(FailureClass::Network, "connection reset");
    let Decision::Retry(retry) = decide(&Experiment::default(), [network()]) else {
        panic!("no retry")
    };
    assert!(
        (15_000..=30_000).contains(&retry.delay),
        "{} ms",
        retry.delay
    );
    let fourth = decide(
        &Experiment::default(),
        [network(), network(), network(), network()],
    );
    assert_eq!(fourth, Decision::give_up("connection reset"));
}

#[test]
fn a_service_that_asks_for_time_gets_it() {
    let asked = Attempt::failed(FailureClass::RateLimited, "429, retry after 90 seconds");
    let Decision::Retry(retry) = decide(&Experiment::default(), [asked]) else {
        panic!("no retry")
    };
    assert_eq!(retry.delay, 90_000);
}

#[test]
fn the_batch_is_halved_while_that_can_be_done() {
    let short = || Attempt::failed(FailureClass::DeviceMemory, "out of memory");
    let batch = |size| Experiment::default().with_adjustable("batch", size);
    let half = Retry::after(Duration::ZERO, "half the batch needs less").with("batch", 32);
    assert_eq!(decide(&batch(64), [short()]), half.into());
    assert_eq!(
        decide(&batch(1), [short()]),
        Decision::give_up("out of memory")
    );
}

#[test]
fn what_may_pass_is_tried_once_more() {
    let hang = || Attempt::failed(FailureClass::Hang, "silent");
    let first = decide(&Experiment::default(), [hang()]);
    assert!(matches!(first, Decision::Retry(_)), "{first:?}");
    let second = decide(&Experiment::default(), [hang(), hang()]);
    assert_eq!(second, Decision::give_up("silent"));
}

#[test]
fn what_the_experiment_says_of_its_failure_goes_before_its_class() {
    let said = |class, retryable| Attempt {
        self_report: Some(SelfReport {
            retryable: Some(retryable),
            ..SelfReport::default()
        }),
        ..Attempt::failed(class, "it says so")
    };
    let passing = decide(&Experiment::default(), [said(FailureClass::Access, true)]);
    assert!(matches!(passing, Decision::Retry(_)), "{passing:?}");
    let final_one = decide(&Experiment::default(), [said(FailureClass::Network, false)]);
    assert_eq!(final_one, Decision::give_up("it says so"));
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    assert!(MyPolicy::configure(r#"{ "max_retries": 5, "delay_seconds": 0.5 }"#).is_ok());
    for (settings, told) in [
        (
            r#"{ "smallest_batch": 0 }"#,
            "`smallest_batch`: `0`, expected 1 or more",
        ),
        (
            r#"{ "delay_seconds": -1 }"#,
            "`delay_seconds`: `-1` is negative, expected 0 or more",
        ),
        (
            r#"{ "max_retries": -1 }"#,
            "`max_retries`: invalid value: integer `-1`, expected u32",
        ),
        (
            r#"{ "max_retries": 1.5 }"#,
            "`max_retries`: invalid type: floating point `1.5`, expected u32",
        ),
    ] {
        assert_eq!(MyPolicy::configure(settings).err().as_deref(), Some(told));
    }
}

#[test]
fn the_schema_tells_the_defaults() {
    let schema: serde_json::Value =
        serde_json::from_str(MyPolicy::SETTINGS_SCHEMA.expect("there is one")).expect("it is JSON");
    let told = schema["properties"].as_object().expect("it has settings");
    let told: serde_json::Map<_, _> = told
        .iter()
        .map(|(name, setting)| (name.clone(), setting["default"].clone()))
        .collect();
    let told = serde_json::Value::Object(told).to_string();
    assert_eq!(MyPolicy::configure(&told), Ok(MyPolicy::default()));
}
