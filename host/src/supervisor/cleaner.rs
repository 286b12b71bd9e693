//! The steps of a cleanup: each bounded, and reported with what it brought.
//!
//! Does what it is told and no more: which steps there are is a policy's to
//! say, and what becomes of a device that is not clean is `handover`'s.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;

use crate::cleanup::{CleanupAction, Consequence, Step, StepOutcome, StepReport};
use crate::clock::wall;
use crate::policy::Devices;
use crate::process::Spawn;
use crate::reading::{Reading, ReadingError};
use crate::study::Hook;

use super::assignment::Assignment;
use super::leased::Leased;
use super::probe;
use super::shared_memory;
use super::steps::{self, Outcome};
use super::tree::Tree;

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
            leased: Leased::new(&assignment.devices, assignment.nvml.library.as_deref()),
            reports: Vec::new(),
            bounded: Vec::new(),
            hooks: assignment.hooks.clone(),
            environment: assignment.environment.clone(),
            grace: assignment.grace(),
            began: wall(),
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

impl Cleaner {
    /// Carries out a step, within the host's bounds.
    pub(super) fn perform(&mut self, mut step: Step, while_planning: bool) -> StepReport {
        self.bounded.extend(steps::bound(&mut step.action));
        let leased = self.leased.clone();
        let report = steps::report(&leased, step, while_planning, |action| self.outcome(action));
        self.reports.push(report.clone());
        report
    }

    fn outcome(&mut self, action: &CleanupAction) -> Outcome {
        let simple = |outcome| (outcome, Vec::new());
        let mut pause = |span| self.tree.pause(span);
        match action {
            CleanupAction::EndLeftovers(grace) => simple(self.end_leftovers((*grace).min(self.grace))),
            CleanupAction::RemoveSharedMemory => {
                simple(shared_memory::remove(self.began, &self.tree.shared_memory))
            }
            CleanupAction::Synchronize
            | CleanupAction::ReleaseCachedMemory
            | CleanupAction::ResetContexts => {
                // The supervisor never loads CUDA, so that a context of its own
                // can neither hold memory nor spoil the baseline.
                simple(StepOutcome::Skipped("the supervisor holds no context".to_owned()))
            }
            CleanupAction::AwaitMemory { tolerance_bytes, timeout } => {
                steps::await_memory(&self.leased, *tolerance_bytes, *timeout, &mut pause)
            }
            CleanupAction::AwaitTemperature { at_most_celsius, timeout } => {
                steps::await_temperature(&self.leased, *at_most_celsius, *timeout, &mut pause)
            }
            CleanupAction::AwaitIdle { at_most_percent, timeout } => {
                steps::await_idle(&self.leased, *at_most_percent, *timeout, &mut pause)
            }
            CleanupAction::Probe { allocate_bytes, timeout } => {
                probe::probe(&mut self.tree, &self.leased, *allocate_bytes, *timeout)
            }
            CleanupAction::Pause(span) => simple(steps::pause(*span, &mut pause)),
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
