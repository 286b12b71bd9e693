//! The committed component is what this source builds, and decides as it does.
//!
//! `REPRIEVE_BLESS=1 cargo test -p reprieve-standard --test component the_source_builds`
//! commits a new one.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use reprieve_guest::{Attempt, Attempts, Experiment, FailureClass, Policy, Progress, SelfReport, Stage};
use reprieve_standard::Standard;
use sha2::{Digest, Sha256};
use support::Sandbox;

const TARGET: &str = "wasm32-unknown-unknown";

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn committed() -> PathBuf {
    workspace().join("host/src/policy/standard.wasm")
}

fn digest_file() -> PathBuf {
    committed().with_extension("wasm.sha256")
}

/// What `sha256sum` writes, so that `sha256sum --check` reads it.
fn digest_line(component: &[u8]) -> String {
    let digits: String = Sha256::digest(component).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{digits}  standard.wasm\n")
}

fn output_of(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}:\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Builds the component so that its bytes tell nothing of this machine: where
/// the checkout and the sources of dependencies lie would show in messages of
/// panics, and in the order of functions.
fn build() -> Vec<u8> {
    let cargo_home =
        env::var_os("CARGO_HOME").map_or_else(|| env::home_dir().unwrap().join(".cargo"), PathBuf::from);
    let mut flags = vec![format!("--remap-path-prefix={}=.", workspace().display())];
    for registry in fs::read_dir(cargo_home.join("registry/src")).unwrap() {
        flags.push(format!("--remap-path-prefix={}=crates", registry.unwrap().path().display()));
    }
    let target_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("standard");
    let package = ["--package", "reprieve-standard", "--lib"];
    output_of(
        Command::new(env!("CARGO"))
            .current_dir(workspace())
            .args(["build", "--offline", "--locked", "--profile", "guest", "--target", TARGET])
            .args(package)
            .arg("--target-dir")
            .arg(&target_dir)
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f")),
    );
    fs::read(target_dir.join(TARGET).join("guest/reprieve_standard.wasm")).unwrap()
}

#[test]
fn the_source_builds_the_committed_component() {
    let rustc = || Command::new(env::var_os("RUSTC").unwrap_or("rustc".into()));
    let library = output_of(rustc().args(["--print", "target-libdir", "--target", TARGET]));
    if !Path::new(&library).exists() {
        println!("SKIPPED: rustc has no target `{TARGET}`, `rustup target add {TARGET}` installs it");
        return;
    }
    let version = output_of(rustc().arg("--version"));
    let built = build();
    let version_file = committed().with_extension("wasm.rustc");
    if env::var_os("REPRIEVE_BLESS").is_some() {
        fs::create_dir_all(committed().parent().unwrap()).unwrap();
        fs::write(committed(), &built).unwrap();
        fs::write(&version_file, format!("{version}\n")).unwrap();
        fs::write(digest_file(), digest_line(&built)).unwrap();
    }
    let built_by = fs::read_to_string(&version_file).unwrap();
    if built_by.trim() == version {
        assert!(
            built == fs::read(committed()).unwrap(),
            "the committed component is not what this source builds\n\
             hint: REPRIEVE_BLESS=1 cargo test -p reprieve-standard --test component the_source_builds"
        );
    } else {
        println!(
            "`{}` built the committed component, this is `{version}`: bytes not compared",
            built_by.trim()
        );
        decides_as_the_source_does(&Sandbox::new(&built));
    }
}

/// The host takes this digest for the component's without computing it: with
/// a stale one it would run the machine code of an older component.
#[test]
fn the_committed_digest_is_the_committed_components() {
    let digest = fs::read_to_string(digest_file()).unwrap();
    assert_eq!(digest, digest_line(&fs::read(committed()).unwrap()));
}

#[test]
fn the_committed_component_decides_as_the_source_does() {
    decides_as_the_source_does(&Sandbox::new(&fs::read(committed()).unwrap()));
}

#[test]
fn the_committed_component_needs_nothing_of_its_host() {
    let sandbox = Sandbox::new(&fs::read(committed()).unwrap());
    // Of these it uses the types: nothing that could be called.
    assert_eq!(sandbox.imports(), ["reprieve:policy/types@0.1.0", "reprieve:policy/gpu-cleanup@0.1.0"]);
    assert_eq!(
        sandbox.exports(),
        [
            "reprieve:policy/guest@0.1.0",
            "reprieve:policy/retry-policy@0.1.0",
            "reprieve:policy/cleanup-policy@0.1.0"
        ]
    );
}

/// Fuel counts instructions, so it is the same on every machine. A decision
/// is to cost a small part of what starting an instance does.
#[test]
fn a_decision_on_five_attempts_with_full_tails_costs_little_fuel() {
    let sandbox = Sandbox::new(&fs::read(committed()).unwrap());
    let mut attempt = Attempt::failed(FailureClass::RateLimited, "429 Too Many Requests ".repeat(10));
    attempt.stderr_tail = "e".repeat(2048);
    attempt.stdout_tail = "o".repeat(2048);
    let attempts = Attempts::from(vec![attempt; 5]);
    let settings = r#"{"max_retries": 9, "jitter": "decorrelated", "retry": ["rate-limited"]}"#;
    let (_, fuel) = sandbox.decide(settings, &Experiment::default(), &attempts, &Progress::default());
    println!("fuel: {fuel}");
    assert!(fuel < 60_000, "{fuel}");
}

fn decides_as_the_source_does(sandbox: &Sandbox) {
    let questions = (
        settings(),
        proptest::collection::vec(attempt(), 1..6).prop_map(Attempts::from),
        any::<u64>().prop_map(|seed| Experiment { seed, ..Experiment::default() }),
        (0..9_u32, 0..4_u32).prop_map(|(retries, failed_in_a_row)| Progress {
            retries,
            failed_in_a_row,
            ..Progress::default()
        }),
    );
    // A failure repeats by itself: the questions are the same in every run.
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&questions, |(settings, attempts, experiment, progress)| {
        let policy = Standard::configure(&settings).unwrap();
        let expected = policy.decide(&experiment, &attempts, &progress);
        let (decision, _) = sandbox.decide(&settings, &experiment, &attempts, &progress);
        prop_assert_eq!(decision, support::decision(&expected));
        Ok(())
    });
    outcome.unwrap();
}

fn settings() -> impl Strategy<Value = String> {
    let jitter = proptest::sample::select(&["none", "full", "equal", "decorrelated"][..]);
    let retry = proptest::collection::vec(class(), 0..8);
    let limits = proptest::option::of((0..9_u32, 1..4_u32));
    (0..5_u32, 0.0..9.0, 0.0..9.0, jitter, retry, limits).prop_map(
        |(max_retries, delay_seconds, backoff_factor, jitter, retry, limits)| {
            serde_json::json!({
                "max_retries": max_retries,
                "delay_seconds": delay_seconds,
                "backoff_factor": backoff_factor,
                "max_delay_seconds": 100,
                "jitter": jitter,
                "retry": retry.iter().map(|class| class.name()).collect::<Vec<_>>(),
                "retries_in_study": limits.map(|limits| limits.0),
                "stop_after_failures_in_a_row": limits.map(|limits| limits.1),
            })
            .to_string()
        },
    )
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let evidence = prop_oneof![Just(String::new()), Just("é retry after 7 s".to_owned()), "[ -~]{0,60}"];
    let report = (any::<Option<bool>>(), "[a-z]{0,3}", "[a-z]{0,3}")
        .prop_map(|(retryable, kind, message)| SelfReport { retryable, kind, message });
    let stage = proptest::sample::select(&[Stage::Prepare, Stage::Measure, Stage::Finish][..]);
    let failure = proptest::option::weighted(0.9, (class(), evidence));
    (failure, proptest::option::of(report), stage, 0..100_000_u64).prop_map(
        |(failure, self_report, stage, waited_for)| {
            let attempt = match failure {
                Some((class, evidence)) => Attempt::failed(class, evidence),
                None => Attempt::succeeded(),
            };
            Attempt { self_report, stage, waited_for, ..attempt }
        },
    )
}

fn class() -> impl Strategy<Value = FailureClass> {
    proptest::sample::select(&FailureClass::ALL[..])
}
