//! Tests a policy as its author would: natively, with plain values.

#[path = "../examples/two_strikes.rs"]
mod two_strikes;

use reprieve_guest::{Attempt, Attempts, Decision, Experiment, FailureClass, Occasion, Policy, Progress};
use two_strikes::TwoStrikes;

fn decide(experiment: &Experiment, attempts: impl Into<Attempts>) -> Decision {
    TwoStrikes.decide(experiment, &attempts.into(), &Progress::default())
}

#[test]
fn a_network_failure_is_retried_twice() {
    let network = || Attempt::failed(FailureClass::Network, "connection reset");
    let experiment = Experiment { seed: 7, ..Experiment::default() };
    let Decision::Retry(retry) = decide(&experiment, [network(), network()]) else { panic!("not retried") };
    assert!(retry.delay <= 2000);
    assert_eq!(decide(&experiment, vec![network(); 3]), Decision::give_up("connection reset"));
}

#[test]
fn the_batch_is_halved_while_that_can_be_done() {
    let short = || Attempt::failed(FailureClass::DeviceMemory, "out of memory");
    let batch = |size| Experiment::default().with_adjustable("batch", size);
    let Decision::Retry(retry) = decide(&batch(32), [short()]) else { panic!("not retried") };
    assert_eq!((retry.overrides[0].name.as_str(), retry.overrides[0].value.as_str()), ("batch", "16"));
    assert_eq!(decide(&batch(1), [short()]), Decision::give_up("out of memory"));
    let fixed = Experiment::default().with_parameter("batch", 32);
    assert_eq!(decide(&fixed, [short()]), Decision::give_up("out of memory"));
}

#[test]
fn what_a_policy_leaves_out_has_a_default() {
    assert_eq!(decide(&Experiment::default(), [Attempt::succeeded()]), Decision::Accept);
    assert!(TwoStrikes.plan(&Experiment::default(), &Occasion::BeforeAttempt).is_empty());
    assert!(TwoStrikes::configure("{}").is_ok());
    let refusal = TwoStrikes::configure(r#"{"retries": 2}"#).err().unwrap();
    assert_eq!(refusal, r#"this policy has no settings, it was given `{"retries": 2}`"#);
}

#[test]
fn outside_a_host_the_devices_are_unavailable() {
    use reprieve_guest::{gpu_cleanup, nvml_status};
    assert_eq!(nvml_status::device_count(), 0);
    assert!(matches!(nvml_status::read(0), Err(nvml_status::StatusError::Unavailable(_))));
    assert!(gpu_cleanup::perform(&gpu_cleanup::Action::Synchronize).is_err());
}
