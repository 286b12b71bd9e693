//! One attempt's two ends: the assignment its supervisor gets, and what the record it leaves is taken to mean.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::action::Start;
use crate::attempt::{Attempt, Ending, Failure, FailureClass, Parameter, SelfReport, Stage};
use crate::event::{AttemptStarted, Device};
use crate::failure::{Classifier, Evidence};
use crate::millis;
use crate::process;
use crate::state::StudyState;
use crate::study::{ExperimentId, Study};
use crate::supervisor::{Assignment, REPORT_FILE, Record};

/// How much of a stream's end a policy is told, and the journal keeps. The
/// attempt's directory has all of it.
const TAIL_BYTES: usize = 4 * 1024;

/// What tells CUDA which devices to use.
pub const VISIBLE_DEVICES: &str = "CUDA_VISIBLE_DEVICES";

/// `EX_TEMPFAIL` of <sysexits.h>: a failure that passes; what failed asks to be run again.
const TEMPORARY_FAILURE: i32 = 75;

/// Where an attempt's files are, below the study's directory. The same attempt
/// always has the same directory, so that a later host finds it.
pub fn attempt_directory(
    study_dir: &Path,
    study: &Study,
    id: ExperimentId,
    stage: Stage,
    number: u32,
) -> PathBuf {
    study_dir.join(study.directory_of(id)).join(format!("{}-{number}", stage.name()))
}

/// Whether the attempt's supervisor is at work on this machine.
pub fn is_running(started: &AttemptStarted) -> bool {
    process::identify(started.supervisor.pid).is_ok_and(|now| now == started.supervisor)
}

/// What the attempt's supervisor is to do.
pub(super) fn assignment(study_id: &str, dir: &Path, state: &StudyState, start: &Start) -> Assignment {
    let experiment = state.study().experiment(start.experiment);
    let command = experiment
        .command(start.stage, state.overrides(start.experiment))
        .expect("the state starts only stages that an experiment has");
    let stage = start.stage.name();
    let token = format!("{study_id}/{}/{stage}/{}", start.experiment.0, start.attempt);
    let held: Vec<&Device> =
        start.devices.iter().map(|position| &state.devices()[usize::from(*position)]).collect();
    let mut environment = command.environment;
    // A lease is a lease; a mere slot takes nothing from whoever set the variable.
    let is_set = || {
        let in_study = environment.iter().any(|(name, _)| name == VISIBLE_DEVICES);
        in_study || std::env::var_os(VISIBLE_DEVICES).is_some()
    };
    if !held.iter().all(|device| device.is_slot()) || !is_set() {
        let ids: Vec<&str> = held.iter().map(|device| device.id.as_str()).collect();
        environment.push((VISIBLE_DEVICES.to_owned(), ids.join(",")));
    }
    environment.extend(
        [
            ("REPRIEVE_ATTEMPT", start.attempt.to_string()),
            ("REPRIEVE_EXPERIMENT", experiment.name.clone()),
            ("REPRIEVE_REPORT", dir.join(REPORT_FILE).to_string_lossy().into_owned()),
            ("REPRIEVE_STAGE", stage.to_owned()),
            ("REPRIEVE_STUDY", state.study().name.clone()),
            ("REPRIEVE_TOKEN", token.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    Assignment {
        token,
        command: command.command,
        environment,
        directory: command.directory,
        timeout_ms: command.timeout.map(millis::of),
        silence_ms: command.silence.map(millis::of),
        grace_ms: millis::of(command.grace),
    }
}

/// The number, stage and delay of an attempt, beside its record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Which {
    pub(super) number: u32,
    pub(super) stage: Stage,
    pub(super) waited_for: Duration,
}

/// What a record is taken to mean; says too whether an interrupt ended the attempt.
pub(super) fn judge_record(record: Option<Record>, which: Which, classifier: &Classifier) -> (Attempt, bool) {
    let Some(record) = record else {
        return (empty(which, Ending::Lost, "its supervisor went away and left no record"), false);
    };
    let failure = classifier.classify(&Evidence {
        ending: &record.ending,
        ended_by_host: matches!(record.ending, Ending::TimedOut | Ending::FellSilent) || record.interrupted,
        cancelled: record.interrupted,
        stdout: &record.stdout_tail,
        stderr: &record.stderr_tail,
        self_report: record.self_report.as_ref(),
    });
    let self_report = record.self_report.or_else(|| match record.ending {
        Ending::Exited(TEMPORARY_FAILURE) => Some(SelfReport {
            retryable: Some(true),
            kind: String::new(),
            message: "exit code 75 (EX_TEMPFAIL)".to_owned(),
        }),
        _ => None,
    });
    let mut facts = Vec::new();
    if record.leftovers > 0 {
        facts.push(fact("leftovers-ended", record.leftovers.to_string()));
    }
    if let Some(error) = record.self_report_error {
        facts.push(fact("self-report-error", error));
    }
    let attempt = Attempt {
        failure,
        ran_for: record.ran_for,
        stderr_tail: tail(record.stderr_tail),
        stdout_tail: tail(record.stdout_tail),
        self_report,
        facts,
        ..empty(which, record.ending, "")
    };
    (attempt, record.interrupted)
}

/// An attempt that never got as far as a record.
pub(super) fn empty(which: Which, ending: Ending, evidence: &str) -> Attempt {
    Attempt {
        number: which.number,
        stage: which.stage,
        ending,
        failure: Some(Failure { class: FailureClass::Unknown, evidence: evidence.to_owned() }),
        waited_for: which.waited_for,
        ran_for: Duration::ZERO,
        stderr_tail: String::new(),
        stdout_tail: String::new(),
        self_report: None,
        faults: Vec::new(),
        memory: Vec::new(),
        foreign_processes: 0,
        throttled_for: Duration::ZERO,
        facts: Vec::new(),
    }
}

fn fact(name: &str, value: String) -> Parameter {
    Parameter { name: name.to_owned(), value }
}

fn tail(mut text: String) -> String {
    if text.len() > TAIL_BYTES {
        let from = text.ceil_char_boundary(text.len() - TAIL_BYTES);
        text.drain(..from);
    }
    text
}
