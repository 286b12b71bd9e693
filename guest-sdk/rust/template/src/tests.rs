//! A policy is a plain type: it is tested without a host, a GPU, or WebAssembly.

use super::*;
use reprieve_guest::Attempt;

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
fn settings_that_make_no_sense_are_refused() {
    assert!(MyPolicy::configure(r#"{ "max_retries": 5 }"#).is_ok());
    let refusal = MyPolicy::configure(r#"{ "smallest_batch": 0 }"#).err();
    assert_eq!(
        refusal.as_deref(),
        Some("`smallest_batch` is `0`, expected 1 or more")
    );
}
