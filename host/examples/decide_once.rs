//! Asks the standard policy once and ends: `decide_once CACHE_DIR`.
//!
//! The least that a program can do with a policy. The benchmark
//! `first_decision` measures how long it takes as a whole.

#![expect(clippy::print_stdout, reason = "an example shows what it got")]

use std::path::PathBuf;
use std::time::Duration;

use reprieve::attempt::{Attempt, Ending, Failure, FailureClass, Stage};
use reprieve::decision::{Progress, Question, Subject};
use reprieve::policy::{Engine, Limits, Policy, PolicySource};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cache = std::env::args_os().nth(1).map(PathBuf::from);
    let engine = Engine::new(cache)?;
    let settings = serde_json::json!({});
    let policy = Policy::load(&engine, &PolicySource::Standard, &settings, Limits::DEFAULT)?;
    let evidence = "Connection reset by peer".to_owned();
    let attempt = Attempt {
        number: 1,
        stage: Stage::Prepare,
        ending: Ending::Exited(1),
        failure: Some(Failure { class: FailureClass::Network, evidence }),
        waited_for: Duration::ZERO,
        ran_for: Duration::from_secs(3),
        stderr_tail: String::new(),
        stdout_tail: String::new(),
        self_report: None,
        faults: Vec::new(),
        memory: Vec::new(),
        foreign_processes: 0,
        throttled_for: Duration::ZERO,
        facts: Vec::new(),
    };
    let question = Question {
        experiment: Subject { name: "download".to_owned(), ..<_>::default() },
        attempts: vec![attempt],
        progress: Progress { remaining: 1, ..<_>::default() },
        devices: Vec::new(),
        asked_at: reprieve::clock::wall(),
    };
    println!("{:?}", policy.decide(&question).result);
    // The process ends: what the kernel frees anyway need not be taken down first.
    std::mem::forget((policy, engine));
    Ok(())
}
