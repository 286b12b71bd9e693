//! Between the vocabulary and the contract's types; checks what a policy answers.
//!
//! Whether a decision is carried out as it is, is the host's to say.

use std::collections::HashSet;
use std::time::Duration;

use super::bindings::exports::reprieve::policy::{cleanup_policy, retry_policy as wit};
use super::bindings::reprieve::policy::{gpu_cleanup, nvml_status, types};
use crate::attempt::{Attempt, Ending, FailureClass, Parameter, SelfReport, Stage};
use crate::cleanup::{CleanupAction, Consequence, Step, StepOutcome, StepReport};
use crate::decision::{Decision, Placement, Progress, Question, Retry, Subject, Turn};
use crate::millis;
use crate::reading::{Reading, ReadingError, Recovery};
use crate::text::line;

type Parameters<'a> = Vec<types::ParameterParam<'a>>;

/// The lists of a question, which the contract's types borrow.
pub(super) struct Lists<'a> {
    of: &'a Subject,
    parameters: Parameters<'a>,
    adjustable: Vec<&'a str>,
    labels: Parameters<'a>,
    attempts: Vec<AttemptLists<'a>>,
}

struct AttemptLists<'a> {
    of: &'a Attempt,
    faults: Vec<types::DeviceFault>,
    memory: Vec<types::DeviceMemoryUse>,
    facts: Parameters<'a>,
}

impl<'a> Lists<'a> {
    pub(super) fn of(experiment: &'a Subject, attempts: &'a [Attempt]) -> Self {
        Self {
            of: experiment,
            parameters: parameters(&experiment.parameters),
            adjustable: experiment.adjustable.iter().map(String::as_str).collect(),
            labels: parameters(&experiment.labels),
            attempts: attempts.iter().map(AttemptLists::of).collect(),
        }
    }

    pub(super) fn experiment(&'a self) -> types::Experiment<'a> {
        types::Experiment {
            name: &self.of.name,
            parameters: &self.parameters,
            adjustable: &self.adjustable,
            labels: &self.labels,
            devices: self.of.devices,
            seed: self.of.seed,
        }
    }

    pub(super) fn attempts(&'a self) -> Vec<types::Attempt<'a>> {
        self.attempts.iter().map(AttemptLists::attempt).collect()
    }

    /// After the attempt, or before the first.
    pub(super) fn occasion(&'a self) -> cleanup_policy::Occasion<'a> {
        match self.attempts.last() {
            Some(attempt) => cleanup_policy::Occasion::AfterAttempt(attempt.attempt()),
            None => cleanup_policy::Occasion::BeforeAttempt,
        }
    }
}

impl<'a> AttemptLists<'a> {
    fn of(attempt: &'a Attempt) -> Self {
        let fault =
            |fault: &crate::attempt::DeviceFault| types::DeviceFault { device: fault.device, xid: fault.xid };
        let memory = |memory: &crate::attempt::DeviceMemoryUse| types::DeviceMemoryUse {
            device: memory.device,
            baseline: memory.baseline_bytes,
            peak: memory.peak_bytes,
            residual: memory.residual_bytes,
        };
        Self {
            of: attempt,
            faults: attempt.faults.iter().map(fault).collect(),
            memory: attempt.memory.iter().map(memory).collect(),
            facts: parameters(&attempt.facts),
        }
    }

    fn attempt(&'a self) -> types::Attempt<'a> {
        let attempt = self.of;
        types::Attempt {
            number: attempt.number,
            stage: stage(attempt.stage),
            ending: ending(&attempt.ending),
            failure: attempt
                .failure
                .as_ref()
                .map(|failure| types::Failure { class: class(failure.class), evidence: &failure.evidence }),
            waited_for: millis::of(attempt.waited_for),
            ran_for: millis::of(attempt.ran_for),
            stderr_tail: &attempt.stderr_tail,
            stdout_tail: &attempt.stdout_tail,
            self_report: attempt.self_report.as_ref().map(self_report),
            faults: &self.faults,
            memory: &self.memory,
            foreign_processes: attempt.foreign_processes,
            throttled_for: millis::of(attempt.throttled_for),
            facts: &self.facts,
        }
    }
}

pub(super) fn progress(progress: &Progress) -> types::Progress {
    types::Progress {
        succeeded: progress.succeeded,
        failed: progress.failed,
        remaining: progress.remaining,
        retries: progress.retries,
        failed_in_a_row: progress.failed_in_a_row,
        elapsed: millis::of(progress.elapsed),
    }
}

fn parameters(parameters: &[Parameter]) -> Parameters<'_> {
    parameters.iter().map(|p| types::ParameterParam { name: &p.name, value: &p.value }).collect()
}

fn stage(stage: Stage) -> types::Stage {
    match stage {
        Stage::Prepare => types::Stage::Prepare,
        Stage::Measure => types::Stage::Measure,
        Stage::Finish => types::Stage::Finish,
    }
}

fn ending(ending: &Ending) -> types::Ending<'_> {
    match ending {
        Ending::Exited(code) => types::Ending::Exited(*code),
        Ending::Signalled(signal) => types::Ending::Signalled(*signal),
        Ending::TimedOut => types::Ending::TimedOut,
        Ending::FellSilent => types::Ending::FellSilent,
        Ending::NotStarted(why) => types::Ending::NotStarted(why),
        Ending::Lost => types::Ending::Lost,
    }
}

fn self_report(report: &SelfReport) -> types::SelfReport<'_> {
    types::SelfReport { retryable: report.retryable, kind: &report.kind, message: &report.message }
}

fn class(class: FailureClass) -> types::FailureClass {
    match class {
        FailureClass::Network => types::FailureClass::Network,
        FailureClass::RateLimited => types::FailureClass::RateLimited,
        FailureClass::DriverTransient => types::FailureClass::DriverTransient,
        FailureClass::Communication => types::FailureClass::Communication,
        FailureClass::DeviceMemory => types::FailureClass::DeviceMemory,
        FailureClass::DeviceOccupied => types::FailureClass::DeviceOccupied,
        FailureClass::HostMemory => types::FailureClass::HostMemory,
        FailureClass::DeviceProgram => types::FailureClass::DeviceProgram,
        FailureClass::DeviceHardware => types::FailureClass::DeviceHardware,
        FailureClass::Hang => types::FailureClass::Hang,
        FailureClass::Crash => types::FailureClass::Crash,
        FailureClass::Storage => types::FailureClass::Storage,
        FailureClass::Access => types::FailureClass::Access,
        FailureClass::Configuration => types::FailureClass::Configuration,
        FailureClass::Cancelled => types::FailureClass::Cancelled,
        FailureClass::Unknown => types::FailureClass::Unknown,
    }
}

/// The decision, or what is wrong with it in one line.
pub(super) fn decision(
    answer: wit::Decision,
    question: &Question,
    bound_bytes: u64,
) -> Result<Decision, String> {
    let bytes = match &answer {
        wit::Decision::Accept => 0,
        wit::Decision::GiveUp(reason) | wit::Decision::StopStudy(reason) => reason.len(),
        wit::Decision::Retry(retry) => {
            retry.reason.len() + retry.overrides.iter().map(|p| p.name.len() + p.value.len()).sum::<usize>()
        }
    };
    if bytes as u64 > bound_bytes {
        return Err(format!("its answer holds `{bytes}` bytes of text, the bound is `{bound_bytes}`"));
    }
    Ok(match answer {
        wit::Decision::Accept => Decision::Accept,
        wit::Decision::GiveUp(reason) => Decision::GiveUp(line(&reason)),
        wit::Decision::StopStudy(reason) => Decision::StopStudy(line(&reason)),
        wit::Decision::Retry(retry) => Decision::Retry(Retry {
            delay: Duration::from_millis(retry.delay),
            placement: match retry.placement {
                wit::Placement::SameDevices => Placement::SameDevices,
                wit::Placement::OtherDevices => Placement::OtherDevices,
                wit::Placement::AnyDevices => Placement::AnyDevices,
            },
            turn: match retry.turn {
                wit::Turn::WhenDue => Turn::WhenDue,
                wit::Turn::Last => Turn::Last,
            },
            reason: line(&retry.reason),
            overrides: overrides(retry.overrides, &question.experiment.adjustable)?,
        }),
    })
}

/// Each adjustable parameter at most once, and no others. So there are never
/// more of them than the study declares adjustable.
fn overrides(list: Vec<types::ParameterResult>, adjustable: &[String]) -> Result<Vec<Parameter>, String> {
    let mut seen = HashSet::new();
    for types::ParameterResult { name, .. } in &list {
        if !adjustable.contains(name) {
            let name = line(name);
            return Err(format!("it overrides `{name}`, which the study does not declare adjustable"));
        }
        if !seen.insert(name) {
            return Err(format!("it overrides `{name}` twice"));
        }
    }
    Ok(list.into_iter().map(|p| Parameter { name: p.name, value: p.value }).collect())
}

pub(super) fn step(step: gpu_cleanup::Step) -> Step {
    Step {
        action: action(step.action),
        if_it_fails: match step.if_it_fails {
            gpu_cleanup::Consequence::CarryOn => Consequence::CarryOn,
            gpu_cleanup::Consequence::QuarantineDevice => Consequence::QuarantineDevice,
            gpu_cleanup::Consequence::StopStudy => Consequence::StopStudy,
        },
    }
}

pub(super) fn action(action: gpu_cleanup::Action) -> CleanupAction {
    use gpu_cleanup::Action;
    let ms = Duration::from_millis;
    match action {
        Action::EndLeftovers(grace) => CleanupAction::EndLeftovers(ms(grace)),
        Action::RemoveSharedMemory => CleanupAction::RemoveSharedMemory,
        Action::Synchronize => CleanupAction::Synchronize,
        Action::ReleaseCachedMemory => CleanupAction::ReleaseCachedMemory,
        Action::ResetContexts => CleanupAction::ResetContexts,
        Action::AwaitMemory(goal) => {
            CleanupAction::AwaitMemory { tolerance_bytes: goal.tolerance, timeout: ms(goal.timeout) }
        }
        Action::AwaitTemperature(goal) => {
            CleanupAction::AwaitTemperature { at_most_celsius: goal.at_most, timeout: ms(goal.timeout) }
        }
        Action::AwaitIdle(goal) => {
            CleanupAction::AwaitIdle { at_most_percent: goal.at_most, timeout: ms(goal.timeout) }
        }
        Action::Probe(goal) => {
            CleanupAction::Probe { allocate_bytes: goal.allocate, timeout: ms(goal.timeout) }
        }
        Action::Pause(span) => CleanupAction::Pause(ms(span)),
        Action::RunHook(name) => CleanupAction::RunHook(line(&name)),
    }
}

pub(super) fn report(report: StepReport) -> gpu_cleanup::Report {
    gpu_cleanup::Report {
        outcome: match report.outcome {
            StepOutcome::Done(_) => gpu_cleanup::Outcome::Done,
            StepOutcome::Skipped(why) => gpu_cleanup::Outcome::Skipped(why),
            StepOutcome::Failed(why) => gpu_cleanup::Outcome::Failed(why),
        },
        took: millis::of(report.took),
        released: report.released_bytes,
    }
}

pub(super) fn status(reading: Reading, baseline_bytes: u64) -> nvml_status::Status {
    nvml_status::Status {
        throttled: reading.throttled(),
        memory: nvml_status::Memory {
            total: reading.memory_total_bytes,
            used: reading.memory_used_bytes,
            baseline: baseline_bytes,
        },
        temperature: reading.temperature_celsius,
        power: reading.power_milliwatts,
        utilization: reading.utilization_percent,
        uncorrected_errors: reading.uncorrected_errors,
        recovery: reading.recovery.map(|recovery| match recovery {
            Recovery::None => nvml_status::Recovery::None,
            Recovery::ResetDevice => nvml_status::Recovery::ResetDevice,
            Recovery::RestartMachine => nvml_status::Recovery::RestartMachine,
            Recovery::Inspect => nvml_status::Recovery::Inspect,
        }),
        processes: u32::try_from(reading.processes.len()).unwrap_or(u32::MAX),
        uuid: reading.uuid,
        name: reading.name,
    }
}

pub(super) fn status_error(error: ReadingError) -> nvml_status::StatusError {
    match error {
        ReadingError::Unavailable(why) => nvml_status::StatusError::Unavailable(why),
        ReadingError::NoSuchDevice => nvml_status::StatusError::NoSuchDevice,
        ReadingError::NotSupported => nvml_status::StatusError::NotSupported,
        ReadingError::DeviceLost(_) => nvml_status::StatusError::DeviceLost,
        ReadingError::Transient(why) => nvml_status::StatusError::Transient(why),
        ReadingError::Other(why) => nvml_status::StatusError::Other(why),
    }
}
