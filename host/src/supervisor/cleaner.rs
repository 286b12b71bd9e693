//! The steps of a cleanup: each bounded, and reported with what it brought.
//!
//! Does what it is told and no more: which steps there are is a policy's to
//! say, and what becomes of a device that is not clean is `handover`'s.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::cleanup::{CleanupAction, Consequence, Step, StepOutcome, StepReport};
use crate::clock::{self, monotonic as now};
use crate::policy::Devices;
use crate::process::Spawn;
use crate::reading::{Reading, ReadingError};
use crate::study::Hook;

use super::assignment::Assignment;
use super::leased::Leased;
use super::shared_memory;
use super::tree::Tree;

/// No single step waits longer, whatever a plan says.
const LONGEST_STEP: Duration = Duration::from_secs(60 * 60);

/// Memory is asked for at first every 2 ms, then every fiftieth of the time
/// that the wait has taken, and no less often than every 16 ms: what comes back
/// is known 8 ms later in the median, for well below a percent of a core.
const POLL_MEMORY: (Duration, u32, Duration) = (Duration::from_millis(2), 50, Duration::from_millis(16));

/// Temperature and utilization change slowly: NVML samples the latter over up to a second.
const POLL_SLOWLY: Duration = Duration::from_millis(250);

const NO_GPU: &str = "the experiment holds no device that can be read";
const AT_ONCE: &str = "the host asked to end at once";

/// Does the work of cleaning up after an attempt.
pub(super) struct Cleaner {
    pub(super) tree: Tree,
    pub(super) leased: Leased,
    pub(super) reports: Vec<StepReport>,
    pub(super) bounded: Vec<String>,
    hooks: BTreeMap<String, Hook>,
    environment: Vec<(String, String)>,
    /// The study's own grace: no plan waits longer for leftovers.
    grace: Duration,
    began: Timestamp,
}

/// The cleaner, for the time that a policy plans.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Cleaner>>);

impl Shared {
    pub(super) fn new(assignment: &Assignment, tree: Tree) -> Self {
        Self(Arc::new(Mutex::new(Cleaner {
            tree,
            leased: Leased::new(&assignment.devices),
            reports: Vec::new(),
            bounded: Vec::new(),
            hooks: assignment.hooks.clone(),
            environment: assignment.environment.clone(),
            grace: assignment.grace(),
            began: clock::wall(),
        })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Cleaner> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Devices for Shared {
    fn read(&mut self, device: u32) -> Result<(Reading, u64), ReadingError> {
        self.lock().leased.read(device)
    }

    fn perform(&mut self, action: CleanupAction) -> Result<StepReport, String> {
        Ok(self.lock().perform(Step { action, if_it_fails: Consequence::CarryOn }, true))
    }
}

/// How a step went, and the devices that it failed on.
type Outcome = (StepOutcome, Vec<u32>);

impl Cleaner {
    /// Carries out a step, within the host's bounds.
    pub(super) fn perform(&mut self, mut step: Step, while_planning: bool) -> StepReport {
        self.bound(&mut step.action);
        let began = now();
        let used = self.leased.memory_used_bytes();
        let (outcome, failed_on) = self.outcome(&step.action);
        let left = self.leased.memory_used_bytes();
        let report = StepReport {
            step,
            outcome,
            took: began.elapsed(),
            released_bytes: used.zip(left).map_or(0, |(used, left)| used.saturating_sub(left)),
            failed_on,
            while_planning,
        };
        self.reports.push(report.clone());
        report
    }

    fn bound(&mut self, action: &mut CleanupAction) {
        let name = action.name();
        let (CleanupAction::EndLeftovers(span)
        | CleanupAction::Pause(span)
        | CleanupAction::AwaitMemory { timeout: span, .. }
        | CleanupAction::AwaitTemperature { timeout: span, .. }
        | CleanupAction::AwaitIdle { timeout: span, .. }
        | CleanupAction::Probe { timeout: span, .. }) = action
        else {
            return;
        };
        if *span > LONGEST_STEP {
            self.bounded.push(format!("{name}: {span:?} is cut to {LONGEST_STEP:?}"));
            *span = LONGEST_STEP;
        }
    }

    fn outcome(&mut self, action: &CleanupAction) -> Outcome {
        let simple = |outcome| (outcome, Vec::new());
        match action {
            CleanupAction::EndLeftovers(grace) => simple(self.end_leftovers((*grace).min(self.grace))),
            CleanupAction::RemoveSharedMemory => simple(shared_memory::remove(self.began)),
            CleanupAction::Synchronize
            | CleanupAction::ReleaseCachedMemory
            | CleanupAction::ResetContexts => {
                // The supervisor never loads CUDA, so that a context of its own
                // can neither hold memory nor spoil the baseline.
                simple(StepOutcome::Skipped("the supervisor holds no context".to_owned()))
            }
            CleanupAction::AwaitMemory { tolerance_bytes, timeout } => {
                self.await_memory(*tolerance_bytes, *timeout)
            }
            CleanupAction::AwaitTemperature { at_most_celsius, timeout } => {
                self.await_reading(*timeout, |reading| match reading.temperature_celsius {
                    Some(at) if at > *at_most_celsius => Err(format!("{at} °C")),
                    Some(_) => Ok(true),
                    None => Ok(false),
                })
            }
            CleanupAction::AwaitIdle { at_most_percent, timeout } => {
                self.await_reading(*timeout, |reading| match reading.utilization_percent {
                    Some(busy) if busy > *at_most_percent => Err(format!("{busy} % busy")),
                    Some(_) => Ok(true),
                    None => Ok(false),
                })
            }
            CleanupAction::Probe { allocate_bytes, timeout } => self.probe(*allocate_bytes, *timeout),
            CleanupAction::Pause(span) => simple(if self.tree.pause(*span) {
                StepOutcome::Done(String::new())
            } else {
                StepOutcome::Failed(AT_ONCE.to_owned())
            }),
            CleanupAction::RunHook(name) => simple(self.run_hook(name)),
        }
    }

    fn end_leftovers(&mut self, grace: Duration) -> StepOutcome {
        match self.tree.end_all(grace) {
            Ok(0) => StepOutcome::Skipped("nothing was left running".to_owned()),
            Ok(1) => StepOutcome::Done("1 process was ended".to_owned()),
            Ok(ended) => StepOutcome::Done(format!("{ended} processes were ended")),
            Err(error) => StepOutcome::Failed(error.to_string()),
        }
    }

    pub(super) fn await_memory(&mut self, tolerance_bytes: u64, timeout: Duration) -> Outcome {
        let (shortest, share, longest) = POLL_MEMORY;
        let leased = self.leased.clone();
        let check = |device| leased.memory_above(device, tolerance_bytes);
        self.await_all(timeout, |waited| (waited / share).clamp(shortest, longest), check)
    }

    fn await_reading(
        &mut self,
        timeout: Duration,
        check: impl Fn(&Reading) -> Result<bool, String>,
    ) -> Outcome {
        let leased = self.leased.clone();
        let check = |device| match leased.read(device) {
            Ok((reading, _)) => check(&reading),
            Err(ReadingError::NotSupported) => Ok(false),
            Err(error) => Err(error.to_string()),
        };
        self.await_all(timeout, |_| POLL_SLOWLY, check)
    }

    /// Waits until a check holds for every device. It says why it does not
    /// hold yet, or that it cannot tell (`false`).
    fn await_all(
        &mut self,
        timeout: Duration,
        pause: impl Fn(Duration) -> Duration,
        check: impl Fn(u32) -> Result<bool, String>,
    ) -> Outcome {
        let mut left: Vec<u32> = self.leased.positions().collect();
        if left.is_empty() {
            return (StepOutcome::Skipped(NO_GPU.to_owned()), left);
        }
        let began: Instant = now();
        let mut untold = 0;
        loop {
            let mut why = Vec::new();
            left.retain(|device| match check(*device) {
                Ok(told) => {
                    untold += usize::from(!told);
                    false
                }
                Err(reason) => {
                    why.push(format!("{}: {reason}", self.leased.name(*device)));
                    true
                }
            });
            let waited = began.elapsed();
            if left.is_empty() {
                return match untold {
                    0 => (StepOutcome::Done(String::new()), left),
                    _ => (StepOutcome::Skipped("the device does not tell".to_owned()), left),
                };
            }
            if waited >= timeout {
                return (StepOutcome::Failed(why.join("; ")), left);
            }
            if !self.tree.pause(pause(waited).min(timeout - waited)) {
                return (StepOutcome::Failed(format!("{AT_ONCE}; {}", why.join("; "))), left);
            }
        }
    }

    fn probe(&mut self, allocate_bytes: u64, timeout: Duration) -> Outcome {
        let _ = (allocate_bytes, timeout);
        (StepOutcome::Skipped(NO_GPU.to_owned()), Vec::new())
    }

    fn run_hook(&mut self, name: &str) -> StepOutcome {
        let Some(hook) = self.hooks.get(name).cloned() else {
            return StepOutcome::Failed(format!("the study declares no hook `{name}`"));
        };
        let environment: Vec<_> = std::env::vars_os()
            .filter(|(name, _)| self.environment.iter().all(|(new, _)| name.as_os_str() != new.as_str()))
            .chain(self.environment.iter().map(|(name, value)| (name.into(), value.into())))
            .collect();
        let spawn = Spawn {
            program: hook.command.first().map_or("", String::as_str),
            args: hook.command.get(1..).unwrap_or_default(),
            environment: &environment,
            stdout: None,
            stderr: None,
            blocked: &[],
        };
        match self.tree.run(&spawn, hook.timeout) {
            Ok(Some(status)) if status.exit_status() == Some(0) => StepOutcome::Done(String::new()),
            Ok(Some(status)) => {
                StepOutcome::Failed(match (status.exit_status(), status.terminating_signal()) {
                    (Some(code), _) => format!("`{name}` ended with exit code {code}"),
                    (None, signal) => format!("`{name}` was ended by signal {}", signal.unwrap_or_default()),
                })
            }
            Ok(None) => {
                StepOutcome::Failed(format!("`{name}` took longer than {:?} and was ended", hook.timeout))
            }
            Err(error) => StepOutcome::Failed(error.to_string()),
        }
    }
}
