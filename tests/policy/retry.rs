//! A policy around an operation of the test's own process.

use std::cell::Cell;
use std::time::Duration;

use reprieve::attempt::FailureClass;
use reprieve::policy::{Failing, Limits, Policy, PolicySource, retry};
use serde_json::json;

use crate::{ENGINE, policy};

#[derive(Debug, PartialEq)]
struct Lost(u32, FailureClass);

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "connection {} was lost", self.0)
    }
}

impl Failing for Lost {
    fn class(&self) -> FailureClass {
        self.1
    }
}

/// How often an operation that always fails is called under a policy, how
/// long that takes, and which of its errors comes back.
async fn fails(policy: &Policy, class: FailureClass) -> (u32, Duration, Lost) {
    let calls = Cell::new(0);
    let began = tokio::time::Instant::now();
    let result: Result<(), Lost> = retry(policy, || {
        calls.set(calls.get() + 1);
        let error = Lost(calls.get(), class);
        async move { Err(error) }
    })
    .await;
    (calls.get(), began.elapsed(), result.unwrap_err())
}

fn standard(max_retries: u32) -> Policy {
    let settings = json!({ "max_retries": max_retries });
    Policy::load(&ENGINE, &PolicySource::Standard, &settings, Limits::DEFAULT).expect("it loads")
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn the_last_error_comes_back_when_all_attempts_have_failed() {
    let (calls, waited, error) = fails(&standard(2), FailureClass::Network).await;
    assert_eq!((calls, error), (3, Lost(3, FailureClass::Network)));
    assert!(waited >= Duration::from_secs(1), "{waited:?}");
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn what_is_not_known_to_pass_is_not_tried_again() {
    let (calls, _, error) = fails(&standard(2), FailureClass::Configuration).await;
    assert_eq!((calls, error), (1, Lost(1, FailureClass::Configuration)));
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_policy_that_fails_does_not_hide_the_error() {
    let (calls, _, error) = fails(&policy("panic"), FailureClass::Network).await;
    assert_eq!((calls, error), (1, Lost(1, FailureClass::Network)));
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_delay_of_ages_is_cut_to_an_hour() {
    // The guest's random delay is longer than an hour by far, every time.
    let dice = policy("dice");
    let calls = Cell::new(0);
    let began = tokio::time::Instant::now();
    let result: Result<(), Lost> = retry(&dice, || {
        calls.set(calls.get() + 1);
        let result = if calls.get() < 3 { Err(Lost(0, FailureClass::Network)) } else { Ok(()) };
        async move { result }
    })
    .await;
    assert_eq!(result, Ok(()));
    assert!((Duration::from_secs(7200)..Duration::from_secs(7201)).contains(&began.elapsed()));
}
