//! Policies in Go.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use reprieve::attempt::{
    Attempt, DeviceFault, DeviceMemoryUse, Ending, Failure, FailureClass, Parameter, SelfReport, Stage,
};
use reprieve::cleanup::{
    CleanupAction, Consequence, HandOver, Occasion, PlanQuestion, Step, StepOutcome, StepReport,
};
use reprieve::decision::{Decision, Placement, Progress, Question, Turn};
use reprieve::policy::{Devices, Policy, PolicySource, componentize};
use reprieve::reading::{Reading, ReadingError};
use serde_json::json;

use super::{by_chance, conforms, engine, load, path_with_reprieve, root, settings, tells_its_settings};
use crate::{attempt, question};

/// Go, which `tests/run` installs.
#[expect(clippy::print_stdout, reason = "a test that cannot be run says so")]
fn go() -> Option<PathBuf> {
    let go = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../guests/go/bin/go");
    let there = go.exists();
    if !there {
        println!("SKIPPED: Go is not installed; `tests/run` installs it");
    }
    there.then_some(go)
}

/// Runs Go, or what runs it: it keeps what it compiles beside itself and fetches nothing.
fn run(program: &Path, go: &Path, in_dir: &Path, arguments: &[&str], variables: &[(&str, &str)]) {
    let beside = go.parent().and_then(|bin| bin.canonicalize().ok()).expect("it is in a folder");
    let ran = Command::new(program)
        .args(arguments)
        .current_dir(in_dir)
        .envs([("GOTOOLCHAIN", "local"), ("GOPROXY", "off"), ("GOFLAGS", ""), ("GOWORK", "off")])
        .env("PATH", format!("{}:{}", beside.display(), path_with_reprieve()))
        .env("GOCACHE", beside.join("../cache"))
        .env("GOPATH", beside.join("../path"))
        .envs(variables.iter().copied())
        .output()
        .expect("go starts");
    let said = [ran.stdout, ran.stderr].concat();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&said));
}

/// Builds a policy as the Go SDK's README says.
fn build(go: &Path, package: &Path) -> Vec<u8> {
    let dir = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let core = dir.path().join("core.wasm");
    let output = core.to_str().expect("a path of letters");
    let wasm = [("GOOS", "wasip1"), ("GOARCH", "wasm")];
    run(go, go, package, &["build", "-buildmode=c-shared", "-o", output, "."], &wasm);
    componentize(&std::fs::read(core).expect("it was built")).expect("it is a policy's")
}

/// Builds a policy of this source, in a module of its own.
fn build_text(go: &Path, text: &str) -> Vec<u8> {
    let dir = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let module = format!(
        "module mine\n\ngo 1.24\n\nrequire reprieve v0.0.0\n\nreplace reprieve => {}\n",
        sdk().display()
    );
    std::fs::write(dir.path().join("go.mod"), module).expect("it can be written");
    std::fs::write(dir.path().join("policy.go"), text).expect("it can be written");
    build(go, dir.path())
}

fn sdk() -> PathBuf {
    root().join("guest-sdk/go")
}

#[test]
fn the_standard_policy_in_go_decides_as_the_built_in_one() {
    let Some(go) = go() else { return };
    let component = build(&go, &sdk().join("examples/standard"));
    conforms(&component, [settings(), by_chance()].concat());
    tells_its_settings(&component);
}

#[test]
fn a_panic_in_go_is_told_with_its_line() {
    let Some(go) = go() else { return };
    let text = "package main\n\nimport (\n\t\"reprieve\"\n\t\"reprieve/retryonly\"\n)\n\ntype Broken struct{}\n\n\
                func (Broken) Decide(_ reprieve.Experiment, attempts reprieve.Attempts, _ reprieve.Progress) \
                reprieve.Decision {\n\treturn reprieve.GiveUp{Reason: attempts[len(attempts)].StderrTail}\n}\n\n\
                func init() { retryonly.Export(reprieve.Info{Name: \"broken\"}, Broken{}) }\n\nfunc main() {}\n";
    let source = PolicySource::Bytes { name: "broken".to_owned(), bytes: build_text(&go, text) };
    let policy = load(&engine(), &source, &json!({})).expect("it loads");
    let fault = policy.decide(&question(1)).result.expect_err("it panics");
    let last = fault.output_tail.lines().last().unwrap_or_default();
    let told = "panic: runtime error: index out of range [1] with length 1, in policy.go, line 11";
    assert_eq!(last, told, "{fault:?}");
    assert!(fault.backtrace.is_empty(), "Go's own functions: {fault:?}");
}

#[test]
fn the_go_sdk_s_own_tests_pass_without_a_host() {
    let Some(go) = go() else { return };
    run(&go, &go, &sdk(), &["test", "./..."], &[]);
}

#[test]
fn the_go_sdk_s_readme_is_right_word_for_word() {
    let Some(go) = go() else { return };
    let desk = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    // Its commands are run where a checkout lies beside, and then in the module.
    std::os::unix::fs::symlink(root(), desk.path().join("reprieve")).expect("it can be linked");
    let module = desk.path().join("two-strikes");
    let read = |path: &str| std::fs::read_to_string(sdk().join(path)).expect("it is there");
    let readme = read("README.md");
    let mut scripts = readme.split("```sh\n").skip(1).filter_map(|block| block.split("```").next());
    run(Path::new("sh"), &go, desk.path(), &["-euc", scripts.next().expect("it makes a module")], &[]);
    for example in ["two_strikes.go", "two_strikes_test.go"] {
        let text = read(&format!("examples/two_strikes/{example}"));
        assert!(readme.contains(&format!("```go\n{text}```\n")), "not word for word: {example}");
        std::fs::write(module.join(example), text).expect("it can be written");
    }
    let mut followed = 0;
    for script in scripts {
        run(Path::new("sh"), &go, &module, &["-euc", script], &[]);
        followed += 1;
    }
    assert_eq!(followed, 2, "it builds the policy, and tests it");
}

#[test]
fn a_negative_span_in_go_is_told_by_its_value() {
    let Some(go) = go() else { return };
    let text = "package main\n\nimport (\n\t\"reprieve\"\n\t\"reprieve/retryonly\"\n\t\"time\"\n)\n\ntype Broken struct{}\n\n\
                func (Broken) Decide(reprieve.Experiment, reprieve.Attempts, reprieve.Progress) reprieve.Decision \
                {\n\treturn reprieve.Retry{After: -5 * time.Second}\n}\n\n\
                func init() { retryonly.Export(reprieve.Info{Name: \"broken\"}, Broken{}) }\n\nfunc main() {}\n";
    let source = PolicySource::Bytes { name: "broken".to_owned(), bytes: build_text(&go, text) };
    let policy = load(&engine(), &source, &json!({})).expect("it loads");
    let fault = policy.decide(&question(1)).result.expect_err("it panics");
    let last = fault.output_tail.lines().last().unwrap_or_default();
    assert_eq!(last, "panic: `-5s` is no span of time, expected 0 or more", "{fault:?}");
}

/// A policy that answers with all that it is told.
fn mirror(go: &Path) -> Policy {
    let text = root().join("tests/policy/guests/mirror.go");
    let text = std::fs::read_to_string(text).expect("it is there");
    let source = PolicySource::Bytes { name: "mirror".to_owned(), bytes: build_text(go, &text) };
    load(&engine(), &source, &json!({})).expect("it loads")
}

/// A question in which every field of the contract has a value of its own.
fn everything() -> Question {
    let parameter = |name: &str, value: &str| Parameter { name: name.into(), value: value.into() };
    let mut asked = question(1);
    asked.experiment.name = "ünï".into();
    asked.experiment.parameters = vec![parameter("a", "1"), parameter("b", "")];
    asked.experiment.adjustable = vec!["a".into(), "b".into()];
    asked.experiment.labels = vec![parameter("who", "me")];
    asked.experiment.devices = 2;
    asked.experiment.seed = u64::MAX - 1;
    asked.progress = Progress {
        succeeded: 1,
        failed: 2,
        remaining: 3,
        retries: 4,
        failed_in_a_row: 5,
        elapsed: Duration::from_secs(6),
    };
    let bare = Attempt {
        failure: None,
        waited_for: Duration::ZERO,
        ran_for: Duration::ZERO,
        stderr_tail: String::new(),
        stdout_tail: String::new(),
        facts: Vec::new(),
        ..attempt(1)
    };
    let full = Attempt {
        number: 2,
        stage: Stage::Finish,
        ending: Ending::NotStarted("no such file".into()),
        failure: Some(Failure { class: FailureClass::Unknown, evidence: "evidence".into() }),
        waited_for: Duration::from_millis(7),
        ran_for: Duration::from_millis(u64::MAX),
        stderr_tail: "stderr".into(),
        stdout_tail: "stdout".into(),
        self_report: Some(SelfReport {
            retryable: Some(false),
            kind: "kind".into(),
            message: "message".into(),
        }),
        faults: vec![DeviceFault { device: 1, xid: 79 }, DeviceFault { device: 0, xid: 1 << 40 }],
        memory: vec![DeviceMemoryUse {
            device: 1,
            baseline_bytes: 2,
            peak_bytes: 1 << 36,
            residual_bytes: 4,
        }],
        foreign_processes: 8,
        throttled_for: Duration::from_millis(9),
        facts: vec![parameter("node", "a")],
    };
    let report = SelfReport { retryable: None, kind: String::new(), message: "said".into() };
    let ended = |ending| Attempt { ending, ..bare.clone() };
    asked.attempts = vec![full, Attempt { self_report: Some(report), ..ended(Ending::Signalled(-9)) }];
    asked.attempts.extend([Ending::TimedOut, Ending::FellSilent, Ending::Lost, Ending::Exited(3)].map(ended));
    let reading = json!({
        "uuid": "GPU-1", "name": "H100", "memory_total_bytes": 1_u64 << 37, "memory_used_bytes": 5, "processes": [],
        "temperature_celsius": 41, "power_milliwatts": 70_000, "utilization_percent": 0, "clock_reasons": [],
        "uncorrected_errors": 1_u64 << 33, "recovery": "restart-machine",
    });
    let reading = serde_json::from_value(reading).expect("a reading");
    let hand_over = |reading| HandOver { baseline_bytes: 6, reading, quarantine: None };
    asked.devices =
        vec![hand_over(Ok(reading)), hand_over(Err(ReadingError::Transient("no answer".to_owned())))];
    asked
}

#[test]
fn a_go_policy_is_told_every_field_and_its_decision_arrives_whole() {
    let Some(go) = go() else { return };
    let decided = mirror(&go).decide(&everything()).result.expect("it decides");
    let Decision::Retry(retry) = decided else { panic!("{decided:?}") };
    assert_eq!(retry.delay, Duration::from_millis(1234));
    assert_eq!((retry.placement, retry.turn), (Placement::OtherDevices, Turn::Last));
    assert_eq!(retry.reason, "a reason\u{fffd}");
    assert_eq!(retry.overrides[0], Parameter { name: "a".into(), value: String::new() });
    assert_eq!(retry.overrides[1].name, "b");
    insta::assert_snapshot!(retry.overrides[1].value, @r#"
    {Name:ünï Parameters:map[a:1 b:] Adjustable:[a b] Labels:map[who:me] Devices:2 Seed:18446744073709551614}
    {Succeeded:1 Failed:2 Remaining:3 Retries:4 FailedInARow:5 Elapsed:6s}
    reprieve.NotStarted {"Number":2,"Stage":"finish","Ending":{"Reason":"no such file"},"Failure":{"Class":"unknown","Evidence":"evidence"},"WaitedFor":7000000,"RanFor":9223372036854775807,"StderrTail":"stderr","StdoutTail":"stdout","SelfReport":{"Retryable":false,"Kind":"kind","Message":"message"},"Faults":[{"Device":1,"Xid":79},{"Device":0,"Xid":1099511627776}],"Memory":[{"Device":1,"Baseline":2,"Peak":68719476736,"Residual":4}],"ForeignProcesses":8,"ThrottledFor":9000000,"Facts":{"node":"a"}}
    reprieve.Signalled {"Number":1,"Stage":"measure","Ending":{"Signal":-9},"Failure":null,"WaitedFor":0,"RanFor":0,"StderrTail":"","StdoutTail":"","SelfReport":{"Retryable":null,"Kind":"","Message":"said"},"Faults":[],"Memory":[],"ForeignProcesses":0,"ThrottledFor":0,"Facts":{}}
    reprieve.TimedOut {"Number":1,"Stage":"measure","Ending":{},"Failure":null,"WaitedFor":0,"RanFor":0,"StderrTail":"","StdoutTail":"","SelfReport":null,"Faults":[],"Memory":[],"ForeignProcesses":0,"ThrottledFor":0,"Facts":{}}
    reprieve.FellSilent {"Number":1,"Stage":"measure","Ending":{},"Failure":null,"WaitedFor":0,"RanFor":0,"StderrTail":"","StdoutTail":"","SelfReport":null,"Faults":[],"Memory":[],"ForeignProcesses":0,"ThrottledFor":0,"Facts":{}}
    reprieve.Lost {"Number":1,"Stage":"measure","Ending":{},"Failure":null,"WaitedFor":0,"RanFor":0,"StderrTail":"","StdoutTail":"","SelfReport":null,"Faults":[],"Memory":[],"ForeignProcesses":0,"ThrottledFor":0,"Facts":{}}
    reprieve.Exited {"Number":1,"Stage":"measure","Ending":{"Code":3},"Failure":null,"WaitedFor":0,"RanFor":0,"StderrTail":"","StdoutTail":"","SelfReport":null,"Faults":[],"Memory":[],"ForeignProcesses":0,"ThrottledFor":0,"Facts":{}}
    {"UUID":"GPU-1","Name":"H100","Memory":{"Total":137438953472,"Used":5,"Baseline":6},"Temperature":41,"Power":70000,"Utilization":0,"Throttled":false,"UncorrectedErrors":8589934592,"Recovery":2,"Processes":0} <nil> false
    {"UUID":"","Name":"","Memory":{"Total":0,"Used":0,"Baseline":0},"Temperature":null,"Power":null,"Utilization":null,"Throttled":null,"UncorrectedErrors":null,"Recovery":null,"Processes":0} NVML failed in passing: no answer true
    "#);
}

/// Devices on which an action is done, fails and is refused, by turns.
struct ByTurns(u64);

impl Devices for ByTurns {
    fn read(&mut self, _: u32) -> Result<(Reading, u64), ReadingError> {
        Err(ReadingError::NotSupported)
    }

    fn perform(&mut self, action: CleanupAction) -> Result<StepReport, String> {
        self.0 += 1;
        let outcome = match self.0 % 3 {
            0 => return Err(format!("no {action:?}")),
            1 => StepOutcome::Done("unheard".to_owned()),
            _ => StepOutcome::Failed(format!("{action:?} is stuck")),
        };
        Ok(StepReport {
            step: Step { action, if_it_fails: Consequence::CarryOn },
            outcome,
            took: Duration::from_millis(self.0),
            released_bytes: self.0 << 32,
            failed_on: Vec::new(),
            while_planning: true,
        })
    }
}

#[test]
fn a_go_policy_s_plan_and_what_it_performs_arrive_whole() {
    let Some(go) = go() else { return };
    let Question { experiment, asked_at, mut attempts, .. } = everything();
    let occasion = Occasion::AfterAttempt(Box::new(attempts.swap_remove(0)));
    let asked = PlanQuestion { experiment, occasion, asked_at };
    let steps = mirror(&go).plan(&asked, Box::new(ByTurns(0))).result.expect("it plans");
    let told: String =
        steps.iter().map(|step| format!("{:?} {:?}\n", step.if_it_fails, step.action)).collect();
    insta::assert_snapshot!(told, @r#"
    CarryOn EndLeftovers(1s)
    CarryOn RunHook("{Outcome:0 Why: Took:1ms Released:4294967296} <nil> 2")
    QuarantineDevice RemoveSharedMemory
    CarryOn RunHook("{Outcome:2 Why:RemoveSharedMemory is stuck Took:2ms Released:8589934592} <nil> 2")
    StopStudy Synchronize
    CarryOn RunHook("{Outcome:0 Why: Took:0s Released:0} no Synchronize 2")
    CarryOn ReleaseCachedMemory
    CarryOn RunHook("{Outcome:0 Why: Took:4ms Released:17179869184} <nil> 2")
    QuarantineDevice ResetContexts
    CarryOn RunHook("{Outcome:2 Why:ResetContexts is stuck Took:5ms Released:21474836480} <nil> 2")
    StopStudy AwaitMemory { tolerance_bytes: 1099511627776, timeout: 2s }
    CarryOn RunHook("{Outcome:0 Why: Took:0s Released:0} no AwaitMemory { tolerance_bytes: 1099511627776, timeout: 2s } 2")
    CarryOn AwaitTemperature { at_most_celsius: 45, timeout: 3s }
    CarryOn RunHook("{Outcome:0 Why: Took:7ms Released:30064771072} <nil> 2")
    QuarantineDevice AwaitIdle { at_most_percent: 5, timeout: 4s }
    CarryOn RunHook("{Outcome:2 Why:AwaitIdle { at_most_percent: 5, timeout: 4s } is stuck Took:8ms Released:34359738368} <nil> 2")
    StopStudy Probe { allocate_bytes: 8589934592, timeout: 5s }
    CarryOn RunHook("{Outcome:0 Why: Took:0s Released:0} no Probe { allocate_bytes: 8589934592, timeout: 5s } 2")
    CarryOn Pause(6s)
    CarryOn RunHook("{Outcome:0 Why: Took:10ms Released:42949672960} <nil> 2")
    QuarantineDevice RunHook("settle")
    "#);
}
