//! Situations that a policy may find itself in: the ones everybody meets, and an author's own.
//!
//! What follows in them is a policy's to say.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use toml::Spanned;

use crate::attempt::{Attempt, Ending, Failure, FailureClass, Parameter, SelfReport, Stage};
use crate::cleanup::{HandOver, Quarantine};
use crate::decision::{Progress, Question, Subject, seed};
use crate::reading::{Reading, ReadingError, Recovery};

/// What the end of a stream holds at most, as supervisors cut it.
const TAIL_BYTES: usize = 4096;

/// An attempt that has ended, and what is known beside it.
#[derive(Clone, Debug)]
pub struct Situation {
    /// For people.
    pub name: String,
    /// What a policy is asked first; every later attempt ends like this one.
    pub question: Question,
    /// What the first decision is to be (`accept`, `retry`, `give-up`,
    /// `stop-study`), where the situation's author says so.
    pub expect: Option<String>,
}

/// Why a file of situations cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SituationError {
    /// It is no TOML.
    #[error("cannot be read as TOML: {0}")]
    Toml(String),
    /// What it holds is no situations.
    #[error("holds no situations: {0}")]
    Situations(String),
}

/// The situations that every policy meets, and those that most forget.
pub fn catalogue() -> Vec<Situation> {
    let network = || failed(FailureClass::Network, "ConnectionError: connection reset by peer");
    let mut all = vec![
        of("a success", succeeded(), |_| {}),
        of("a success beside another's process", Attempt { foreign_processes: 1, ..succeeded() }, |_| {}),
        of(
            "a success with throttled clocks",
            Attempt { throttled_for: Duration::from_secs(20), ..succeeded() },
            |_| {},
        ),
    ];
    all.extend(FailureClass::ALL.map(|class| of(class.name(), failed(class, evidence(class)), |_| {})));
    all.extend([
        of("it says: worth a retry", reported(FailureClass::Unknown, true), |_| {}),
        of("it says: not worth one", reported(FailureClass::Network, false), |_| {}),
        of(
            "a service asks for 30 s",
            failed(FailureClass::RateLimited, "HTTPError: 429 Too Many Requests, retry after 30 seconds"),
            |_| {},
        ),
        of("network, without parameters", network(), without_parameters),
        of("network, in prepare", Attempt { stage: Stage::Prepare, ..network() }, |_| {}),
        of("network, in finish", Attempt { stage: Stage::Finish, ..network() }, |_| {}),
        of(
            "lost with its supervisor",
            Attempt { ending: Ending::Lost, ..failed(FailureClass::Unknown, "lost") },
            |_| {},
        ),
        of("network, on two devices", network(), |question| {
            question.experiment.devices = 2;
            question.devices = vec![device(0), device(1)];
        }),
        of(
            "device memory, beside another",
            Attempt {
                foreign_processes: 2,
                ..failed(FailureClass::DeviceMemory, evidence(FailureClass::DeviceMemory))
            },
            |question| question.devices = vec![device(0)],
        ),
        of("network, its device is sick", network(), |question| question.devices = vec![sick()]),
        of("network, its device is lost", network(), |question| {
            let lost = ReadingError::DeviceLost("GPU is lost".to_owned());
            question.devices = vec![HandOver { reading: Err(lost), ..device(0) }];
        }),
        of("network, many retries before", network(), |question| question.progress.retries = 100_000),
        of("network, many failures before", network(), |question| {
            question.progress = Progress { failed: 1_000, failed_in_a_row: 1_000, ..question.progress };
        }),
        of("network, the last experiment", network(), |question| {
            question.progress = Progress { succeeded: 99, remaining: 1, ..question.progress };
        }),
        of("odd characters", failed(FailureClass::Unknown, ODD), |question| {
            question.experiment.name = ODD.to_owned();
            question.experiment.labels = vec![Parameter { name: ODD.to_owned(), value: ODD.to_owned() }];
        }),
        of(
            "as much output as there can be",
            Attempt {
                stderr_tail: "e".repeat(TAIL_BYTES),
                stdout_tail: "\u{1f642}".repeat(TAIL_BYTES / 4),
                ..failed(FailureClass::Unknown, &"long ".repeat(40))
            },
            |_| {},
        ),
    ]);
    all
}

const ODD: &str = "\u{0}\u{1b}[31m\"quoted\" \\ {braces} %s \u{202e}backwards\u{202c} ünï 日本 \u{1f642}";

/// An author's own situations, in TOML.
///
/// # Errors
///
/// What is wrong with the text, and where.
pub fn parse(text: &str) -> Result<Vec<Situation>, SituationError> {
    let whole = |error: toml::de::Error| error.to_string().trim_end().to_owned();
    let document = toml::de::Deserializer::parse(text).map_err(|error| SituationError::Toml(whole(error)))?;
    let file = File::deserialize(document).map_err(|error| SituationError::Situations(whole(error)))?;
    let line = |at: usize| text[..at].matches('\n').count() + 1;
    let mut named: BTreeMap<String, usize> = BTreeMap::new();
    for written in &file.situations {
        let (name, line) = (written.name.as_ref(), line(written.name.span().start));
        let wrong = |what: &str, hint: &str| {
            Err(SituationError::Situations(format!("line {line}: {what}\nhint: {hint}")))
        };
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            let name = name.escape_debug();
            return wrong(&format!("`{name}` is no name"), "a name is one line, and not empty");
        }
        if let Some(first) = named.insert(name.clone(), line) {
            let what = format!("`{name}` is the name of the situation at line {first} already");
            return wrong(&what, "give each a name of its own");
        }
    }
    file.situations.into_iter().map(|written| written.situation(line)).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    situations: Vec<Written>,
}

/// A situation as its author writes it; what is left out is as in the catalogue.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Spanned<String>,
    /// None is a success.
    class: Option<FailureClass>,
    #[serde(default)]
    evidence: String,
    #[serde(default = "measure")]
    stage: Stage,
    #[serde(default)]
    stderr_tail: String,
    #[serde(default)]
    stdout_tail: String,
    retryable: Option<bool>,
    #[serde(default)]
    foreign_processes: u32,
    #[serde(default)]
    retries_in_study: u32,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    #[serde(default)]
    adjustable: Vec<Spanned<String>>,
    expect: Option<Expected>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Expected {
    Accept,
    Retry,
    GiveUp,
    StopStudy,
}

fn measure() -> Stage {
    Stage::Measure
}

impl Written {
    fn situation(self, line: impl Fn(usize) -> usize) -> Result<Situation, SituationError> {
        let missing = self.adjustable.iter().find(|name| !self.parameters.contains_key(name.as_ref()));
        if let Some(name) = missing {
            let (situation, line, name) = (self.name.as_ref(), line(name.span().start), name.as_ref());
            let hint = "hint: give it a value in `parameters`";
            return Err(SituationError::Situations(format!(
                "`{situation}`, line {line}: no parameter `{name}` to adjust\n{hint}"
            )));
        }
        let base = self.class.map_or_else(succeeded, |class| failed(class, &self.evidence));
        let self_report = self
            .retryable
            .map(|retryable| SelfReport { retryable: Some(retryable), ..SelfReport::default() });
        let attempt = Attempt {
            stage: self.stage,
            stderr_tail: self.stderr_tail,
            stdout_tail: self.stdout_tail,
            foreign_processes: self.foreign_processes,
            self_report,
            ..base
        };
        let expect = self.expect.map(|expected| match expected {
            Expected::Accept => "accept",
            Expected::Retry => "retry",
            Expected::GiveUp => "give-up",
            Expected::StopStudy => "stop-study",
        });
        let mut situation = of(self.name.as_ref(), attempt, |question| {
            question.progress.retries = self.retries_in_study;
            let parameters = self.parameters.into_iter();
            question.experiment.parameters =
                parameters.map(|(name, value)| Parameter { name, value }).collect();
            question.experiment.adjustable = self.adjustable.into_iter().map(Spanned::into_inner).collect();
        });
        situation.expect = expect.map(str::to_owned);
        Ok(situation)
    }
}

fn of(name: &str, attempt: Attempt, change: impl FnOnce(&mut Question)) -> Situation {
    let experiment = Subject {
        name: "llama-8b-b64".to_owned(),
        parameters: vec![Parameter { name: "batch".to_owned(), value: "64".to_owned() }],
        adjustable: vec!["batch".to_owned()],
        labels: Vec::new(),
        devices: 1,
        seed: seed(0, name, attempt.stage, 1),
    };
    let mut question = Question {
        experiment,
        attempts: vec![attempt],
        progress: Progress { remaining: 50, elapsed: Duration::from_secs(3600), ..Progress::default() },
        devices: Vec::new(),
        asked_at: Timestamp::UNIX_EPOCH,
    };
    change(&mut question);
    Situation { name: name.to_owned(), question, expect: None }
}

fn succeeded() -> Attempt {
    Attempt {
        number: 1,
        stage: Stage::Measure,
        ending: Ending::Exited(0),
        failure: None,
        waited_for: Duration::ZERO,
        ran_for: Duration::from_secs(90),
        stderr_tail: String::new(),
        stdout_tail: "throughput 123.4 tokens/s\n".to_owned(),
        self_report: None,
        faults: Vec::new(),
        memory: Vec::new(),
        foreign_processes: 0,
        throttled_for: Duration::ZERO,
        facts: Vec::new(),
    }
}

fn failed(class: FailureClass, evidence: &str) -> Attempt {
    let ending = match class {
        FailureClass::Hang => Ending::FellSilent,
        FailureClass::Crash => Ending::Signalled(11),
        FailureClass::HostMemory => Ending::Signalled(9),
        FailureClass::Cancelled => Ending::Signalled(15),
        _ => Ending::Exited(1),
    };
    Attempt {
        ending,
        failure: Some(Failure { class, evidence: evidence.to_owned() }),
        stderr_tail: format!("Traceback (most recent call last):\n{evidence}\n"),
        stdout_tail: String::new(),
        ..succeeded()
    }
}

fn reported(class: FailureClass, retryable: bool) -> Attempt {
    let self_report =
        SelfReport { retryable: Some(retryable), kind: "Told".to_owned(), message: "by itself".to_owned() };
    Attempt { self_report: Some(self_report), ..failed(class, evidence(class)) }
}

/// What programs print for a class.
fn evidence(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Network => "ConnectionError: connection reset by peer",
        FailureClass::RateLimited => "HTTPError: 429 Client Error: Too Many Requests",
        FailureClass::DriverTransient => "NVML: Timeout",
        FailureClass::Communication => "NCCL error: unhandled system error",
        FailureClass::DeviceMemory => "torch.OutOfMemoryError: CUDA out of memory.",
        FailureClass::DeviceOccupied => "CUDA error: all CUDA-capable devices are busy or unavailable",
        FailureClass::HostMemory => "killed by signal 9 (SIGKILL), not by Reprieve",
        FailureClass::DeviceProgram => "CUDA error: an illegal memory access was encountered",
        FailureClass::DeviceHardware => "Xid 79 on device 0",
        FailureClass::Hang => "printed nothing for longer than its silence limit",
        FailureClass::Crash => "signal 11 (SIGSEGV)",
        FailureClass::Storage => "OSError: [Errno 28] No space left on device",
        FailureClass::Access => "GatedRepoError: 403 Client Error",
        FailureClass::Configuration => "ModuleNotFoundError: No module named 'tranformers'",
        FailureClass::Cancelled => "slurmstepd: error: JOB CANCELLED",
        FailureClass::Unknown => "exit code 1",
    }
}

/// A device that is well.
fn device(number: u32) -> HandOver {
    HandOver {
        baseline_bytes: 0,
        reading: Ok(Reading {
            uuid: format!("GPU-{number}"),
            name: "NVIDIA H200".to_owned(),
            memory_total_bytes: 150_754_820_096,
            memory_used_bytes: 0,
            processes: Vec::new(),
            temperature_celsius: Some(41),
            slowdown_celsius: Some(87),
            power_milliwatts: Some(76_000),
            energy_millijoules: Some(1_000_000),
            utilization_percent: Some(0),
            sm_clock_mhz: Some(345),
            clock_reasons: Some(Vec::new()),
            uncorrected_errors: Some(0),
            remapped_rows: None,
            recovery: Some(Recovery::None),
        }),
        quarantine: None,
    }
}

fn without_parameters(question: &mut Question) {
    question.experiment.parameters.clear();
    question.experiment.adjustable.clear();
}

fn sick() -> HandOver {
    let mut sick = device(0);
    if let Ok(reading) = &mut sick.reading {
        reading.recovery = Some(Recovery::ResetDevice);
    }
    let quarantine = Quarantine {
        reason: "the driver says that it needs a reset".to_owned(),
        remedy: "reset it".to_owned(),
    };
    HandOver { quarantine: Some(quarantine), ..sick }
}
