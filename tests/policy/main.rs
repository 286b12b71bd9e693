//! Policies from outside: loading, deciding, and everything a guest can do wrong.
//!
//! The guests are small modules of text, see `guest`. What a policy *should*
//! decide is not tested here, but with the policy.

mod abi;
mod bombs;
mod calls;
mod contract;
mod fuel;
mod guest;
mod hostile;
mod languages;
mod load;
mod plan;
mod retry;

use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;
use reprieve::attempt::{Attempt, Ending, Failure, FailureClass, Parameter, Stage};
use reprieve::decision::{PolicyFault, Progress, Question, Subject, seed};
use reprieve::policy::{Engine, LimitOverrides, Limits, Policy, PolicySource};
use serde_json::json;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(None).expect("this machine runs policies"));

/// Loads a component under limits that end a runaway guest soon.
fn load(name: &str, bytes: Vec<u8>) -> Result<Policy, String> {
    let limits =
        LimitOverrides { fuel: Some(20_000_000), deadline: Some(Duration::from_secs(30)), ..<_>::default() };
    let source = PolicySource::Bytes { name: name.into(), bytes };
    Policy::load(&ENGINE, &source, &json!({}), Limits::checked(limits).expect("within the caps"))
        .map_err(|error| error.to_string())
}

/// Loads a guest of `guests/`.
fn policy(name: &str) -> Policy {
    load(name, guest::guest(name)).expect("the guest loads")
}

/// The fault of a guest of `guests/`, after which the next policy works as ever.
fn fault(name: &str) -> PolicyFault {
    let fault = policy(name).decide(&question(1)).result.expect_err("the guest fails");
    let next = policy("accept").decide(&question(1));
    assert_eq!(next.result, Ok(reprieve::decision::Decision::Accept), "after {name}");
    fault
}

/// A question about so many attempts.
fn question(attempts: u32) -> Question {
    Question {
        experiment: Subject {
            name: "batch-8".into(),
            parameters: vec![Parameter { name: "batch".into(), value: "8".into() }],
            adjustable: vec!["batch".into()],
            labels: Vec::new(),
            devices: 1,
            seed: seed(7, "batch-8", Stage::Measure, attempts),
        },
        attempts: (1..=attempts).map(attempt).collect(),
        progress: Progress { remaining: 1, ..Progress::default() },
        devices: Vec::new(),
        asked_at: Timestamp::from_second(1_700_000_000).expect("a moment of 2023"),
    }
}

fn attempt(number: u32) -> Attempt {
    Attempt {
        number,
        stage: Stage::Measure,
        ending: Ending::Exited(1),
        failure: Some(Failure { class: FailureClass::Network, evidence: "connection reset".into() }),
        waited_for: Duration::from_secs(1),
        ran_for: Duration::from_secs(60),
        stderr_tail: "connection reset by peer\n".repeat(80),
        stdout_tail: "step 1\n".into(),
        self_report: None,
        faults: Vec::new(),
        memory: Vec::new(),
        foreign_processes: 0,
        throttled_for: Duration::ZERO,
        facts: vec![Parameter { name: "node".into(), value: "a".into() }],
    }
}
