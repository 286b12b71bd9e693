//! One attempt's two ends: the assignment its supervisor gets, and what the record it leaves is taken to mean.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::action::Start;
use crate::attempt::{Attempt, Ending, Failure, FailureClass, Stage};
use crate::decision::{Subject, seed};
use crate::event::{AttemptEnded, AttemptStarted, Device};
use crate::millis;
use crate::process;
use crate::state::StudyState;
use crate::study::{ExperimentId, PolicySpec, Study};
use crate::supervisor::{Assignment, LeasedDevice, REPORT_FILE, Record};

/// What tells CUDA which devices to use.
pub const VISIBLE_DEVICES: &str = "CUDA_VISIBLE_DEVICES";

/// What has Python write at once (its documentation, "Command line and environment").
const UNBUFFERED: &str = "PYTHONUNBUFFERED";

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
pub(super) fn assignment(
    study_id: &str,
    dir: &Path,
    state: &StudyState,
    start: &Start,
    cleaning: Cleaning,
) -> Assignment {
    let experiment = state.study().experiment(start.experiment);
    let command = experiment
        .command(start.stage, state.overrides(start.experiment))
        .expect("the state starts only stages that an experiment has");
    let stage = start.stage.name();
    let token = format!("{study_id}/{}/{stage}/{}", start.experiment.0, start.attempt);
    let held: Vec<&Device> =
        start.devices.iter().map(|position| &state.devices()[usize::from(*position)]).collect();
    let mut environment = command.environment;
    let is_set = |environment: &[(String, String)], name| {
        environment.iter().any(|(set, _)| set == name) || std::env::var_os(name).is_some()
    };
    // Python keeps what it prints to a file until it has 8 KiB of it: a program
    // that says something each second would seem silent, and be ended for that.
    if !is_set(&environment, UNBUFFERED) {
        environment.push((UNBUFFERED.to_owned(), "1".to_owned()));
    }
    // A lease is a lease; a mere slot takes nothing from whoever set the variable.
    let is_leased = !held.iter().all(|device| device.is_slot());
    if is_leased || !is_set(&environment, VISIBLE_DEVICES) {
        environment.retain(|(name, _)| name != VISIBLE_DEVICES);
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
            (process::TOKEN_VARIABLE, token.clone()),
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
        number: start.attempt,
        stage: start.stage,
        waited_for_ms: millis::of(state.waited_for(start.experiment)),
        experiment: subject(state, start.experiment, start.stage, start.attempt),
        patterns: state.study().patterns.clone(),
        devices: start.devices.iter().filter_map(|position| leased(state, *position)).collect(),
        nvml: state.study().nvml.clone(),
        planner: cleaning.planner,
        cache: cleaning.cache,
        hooks: state.study().cleanup.hooks.clone(),
        use_unclean: state.study().cleanup.use_unclean,
    }
}

/// What plans an attempt's cleanup.
pub(super) struct Cleaning {
    pub(super) planner: Option<PolicySpec>,
    pub(super) cache: Option<PathBuf>,
}

fn leased(state: &StudyState, position: u16) -> Option<LeasedDevice> {
    let device = &state.devices()[usize::from(position)];
    let baseline_bytes = state.baseline_bytes(position);
    device.is_readable().then(|| LeasedDevice { uuid: device.id.clone(), baseline_bytes })
}

/// The experiment, as policies see it at this attempt.
pub fn subject(state: &StudyState, id: ExperimentId, stage: Stage, attempt: u32) -> Subject {
    let study = state.study();
    let experiment = study.experiment(id);
    let mut parameters = experiment.parameters.clone();
    for new in state.overrides(id) {
        if let Some(parameter) = parameters.iter_mut().find(|old| old.name == new.name) {
            parameter.value.clone_from(&new.value);
        }
    }
    Subject {
        seed: seed(study.seed, &experiment.name, stage, attempt),
        name: experiment.name,
        parameters,
        adjustable: experiment.adjustable.to_vec(),
        labels: experiment.labels.to_vec(),
        devices: experiment.devices,
    }
}

/// The number, stage and delay of an attempt, beside its record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Which {
    pub(super) number: u32,
    pub(super) stage: Stage,
    pub(super) waited_for: Duration,
}

/// What is known of an attempt whose supervisor has gone.
pub(super) fn ended(experiment: ExperimentId, record: Option<Record>, which: Which) -> AttemptEnded {
    match record {
        Some(Record { interrupted, attempt, cleanup, devices, samples, .. }) => {
            AttemptEnded { experiment, interrupted, attempt, cleanup: Some(cleanup), devices, samples }
        }
        None => without_record(
            experiment,
            empty(
                which,
                Ending::Lost,
                FailureClass::Unknown,
                "its supervisor went away and left no record".to_owned(),
            ),
        ),
    }
}

/// An attempt that got as far as this and no record.
pub(super) fn without_record(experiment: ExperimentId, attempt: Attempt) -> AttemptEnded {
    AttemptEnded {
        experiment,
        interrupted: false,
        attempt,
        cleanup: None,
        devices: Vec::new(),
        samples: None,
    }
}

/// An attempt that never got as far as a record.
pub(super) fn empty(which: Which, ending: Ending, class: FailureClass, evidence: String) -> Attempt {
    Attempt {
        number: which.number,
        stage: which.stage,
        ending,
        failure: Some(Failure { class, evidence }),
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
