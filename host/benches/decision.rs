//! What one decision costs: a fresh sandbox each time, with every bound on.
//!
//! The question is a full one: the newest attempt and the four before it, each
//! with 2 KiB of standard output and 2 KiB of standard error. Compared with
//! the same policies as native functions, with tenacity, and with Extism.
//!
//! `search` is what the goals are for: it searches the output with `memmem` and
//! SIMD, as a policy that reads much should.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod common;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use common::{Peer, Variant, alternate, goal};
use jiff::Timestamp;
use reprieve::attempt::{Attempt, Ending, Failure, FailureClass, Parameter, Stage};
use reprieve::decision::{Decision, Progress, Question, Subject, seed};
use reprieve::policy::{Engine, Limits, Policy, PolicySource};
use reprieve_guest::Policy as _;
use reprieve_log_search::{LogSearch, PASSING};
use reprieve_standard::Standard;

const ROUNDS: usize = 41;
/// Few enough that most samples are not interrupted by another process.
const CALLS: u32 = 40;
const TAIL_BYTES: usize = 2048;
const ATTEMPTS: u32 = 5;

fn main() -> ExitCode {
    common::machine();
    let engine = Engine::new(None).expect("this machine runs policies");
    let component = log_search_component();
    if !component.exists() {
        println!("`{}` is not built; the README says how", component.display());
        return ExitCode::FAILURE;
    }
    let load = |source, settings| {
        Policy::load(&engine, &source, &settings, Limits::DEFAULT).expect("the policy loads")
    };
    let standard = load(PolicySource::Standard, serde_json::json!({ "max_retries": 9, "jitter": "full" }));
    let search = load(PolicySource::File(component), serde_json::json!({}));
    let question = question();
    let success = Question { attempts: vec![succeeded()], ..question.clone() };
    fuel(&standard, "standard, a failure", &question);
    fuel(&standard, "standard, a first success", &success);
    fuel(&search, "search, a failure", &question);

    let (experiment, attempts, progress) = native(&question);
    let native_standard = Standard { max_retries: 9, jitter: reprieve_guest::Jitter::Full, ..<_>::default() };
    let tenacity_args: Vec<&str> =
        PASSING.into_iter().chain([question.attempts[4].stderr_tail.as_str()]).collect();
    let tenacity = Peer::start("tenacity", &tenacity_args);
    let extism = extism();
    for peer in [&tenacity, &extism].into_iter().flatten() {
        println!("{}", peer.version);
    }

    let mut variants = vec![
        Variant::cpu("native search", CALLS * 20, || LogSearch.decide(&experiment, &attempts, &progress)),
        Variant::cpu("native standard", CALLS * 20, || {
            native_standard.decide(&experiment, &attempts, &progress)
        }),
        Variant::cpu("search", CALLS, || search.decide(&question)),
        Variant::cpu("standard", CALLS, || standard.decide(&question)),
        Variant::cpu("standard, a first success", CALLS, || standard.decide(&success)),
    ];
    let (mut has_tenacity, mut has_extism) = (false, false);
    if let Some(mut peer) = tenacity {
        has_tenacity = true;
        variants.push(Variant::new("tenacity", move || peer.sample(CALLS)));
    }
    if let Some(mut peer) = extism {
        has_extism = true;
        variants.push(Variant::new("Extism, fresh, no decision", move || peer.sample(CALLS)));
    }
    println!("\nCPU time of one decision, {ROUNDS} rounds of {CALLS}:");
    let samples = alternate(ROUNDS, variants);
    let mut beside = vec!["native search"];
    if has_tenacity {
        beside.push("tenacity");
    }
    samples.print("us", &beside);
    goal("a decision in microseconds", samples.of("search").median, 26.0);
    goal("a decision in native ones", samples.ratio("search", "native search").median, 22.0);
    if has_tenacity {
        goal("a decision in tenacity's", samples.ratio("search", "tenacity").median, 1.0);
    }
    if has_extism {
        goal(
            "a decision in Extism's calls",
            samples.ratio("search", "Extism, fresh, no decision").median,
            0.125,
        );
    }
    ExitCode::SUCCESS
}

fn fuel(policy: &Policy, what: &str, question: &Question) {
    let answer = policy.decide(question);
    let decision = answer.result.expect("the policy decides");
    assert!(matches!(decision, Decision::Retry(_) | Decision::Accept), "{what}: {decision:?}");
    println!("fuel of one decision, {what}: {}", answer.fuel);
}

/// The crate `reprieve-log-search` as a component, as the README builds it.
fn log_search_component() -> PathBuf {
    common::target().join("wasm32-unknown-unknown/guest/reprieve_log_search.wasm")
}

/// Extism's fresh plugin takes as many bytes in as a question has, and decides nothing.
fn extism() -> Option<Peer> {
    let module = wat::parse_str(
        r#"(module
            (import "extism:host/env" "input_length" (func $length (result i64)))
            (memory (export "memory") 1)
            (func (export "decide") (result i32) (drop (call $length)) (i32.const 0)))"#,
    )
    .expect("the module is text of WebAssembly");
    let path = common::target().join("bench-peers/length.wasm");
    std::fs::create_dir_all(path.parent().expect("it has a folder"))
        .expect("the build's output can be written");
    std::fs::write(&path, module).expect("the build's output can be written");
    let bytes = (ATTEMPTS as usize * 2 * TAIL_BYTES).to_string();
    Peer::start("extism", &[path.to_str().expect("the path is Unicode"), &bytes])
}

fn question() -> Question {
    Question {
        experiment: Subject {
            name: "batch-8".into(),
            parameters: vec![Parameter { name: "batch".into(), value: "8".into() }],
            adjustable: vec!["batch".into()],
            labels: vec![Parameter { name: "suite".into(), value: "latency".into() }],
            devices: 1,
            seed: seed(7, "batch-8", Stage::Measure, ATTEMPTS),
        },
        attempts: (1..=ATTEMPTS).map(failed).collect(),
        progress: Progress { succeeded: 10, remaining: 90, retries: 12, ..Progress::default() },
        devices: Vec::new(),
        asked_at: Timestamp::from_second(1_700_000_000).expect("a moment of 2023"),
    }
}

fn failed(number: u32) -> Attempt {
    // The ninth of the texts that the search policy looks for, two thirds down.
    let (above, below) = (filler(TAIL_BYTES * 2 / 3), filler(TAIL_BYTES));
    let mut stderr_tail = format!("{above}\n{}\n{below}", PASSING[8]);
    stderr_tail.truncate(TAIL_BYTES);
    Attempt {
        number,
        stage: Stage::Measure,
        ending: Ending::Exited(1),
        failure: Some(Failure { class: FailureClass::Network, evidence: PASSING[8].into() }),
        waited_for: Duration::from_secs(u64::from(number)),
        ran_for: Duration::from_secs(90),
        stderr_tail,
        stdout_tail: filler(TAIL_BYTES),
        self_report: None,
        faults: Vec::new(),
        memory: Vec::new(),
        foreign_processes: 0,
        throttled_for: Duration::ZERO,
        facts: vec![Parameter { name: "leftovers-ended".into(), value: "1".into() }],
    }
}

fn succeeded() -> Attempt {
    Attempt { ending: Ending::Exited(0), failure: None, ..failed(1) }
}

/// Lines as a program in Python prints them.
fn filler(bytes: usize) -> String {
    let mut text = String::new();
    for line in 0.. {
        text.push_str(&format!("  File \"train.py\", line {line}, in step: loss = model(batch).mean()\n"));
        if text.len() >= bytes {
            break;
        }
    }
    text.truncate(bytes);
    text
}

/// The same question in the types that a policy gets it in.
fn native(
    question: &Question,
) -> (reprieve_guest::Experiment, reprieve_guest::Attempts, reprieve_guest::Progress) {
    let parameter =
        |p: &Parameter| reprieve_guest::Parameter { name: p.name.clone(), value: p.value.clone() };
    let attempt = |attempt: &Attempt| reprieve_guest::Attempt {
        number: attempt.number,
        stderr_tail: attempt.stderr_tail.clone(),
        stdout_tail: attempt.stdout_tail.clone(),
        ..reprieve_guest::Attempt::failed(reprieve_guest::FailureClass::Network, PASSING[8])
    };
    let Question { experiment, attempts, progress, .. } = question;
    let experiment = reprieve_guest::Experiment {
        name: experiment.name.clone(),
        parameters: experiment.parameters.iter().map(parameter).collect(),
        adjustable: experiment.adjustable.clone(),
        labels: experiment.labels.iter().map(parameter).collect(),
        devices: experiment.devices,
        seed: experiment.seed,
    };
    let attempts: Vec<_> = attempts.iter().map(attempt).collect();
    let progress = reprieve_guest::Progress {
        succeeded: progress.succeeded,
        remaining: progress.remaining,
        retries: progress.retries,
        ..<_>::default()
    };
    (experiment, attempts.into(), progress)
}
