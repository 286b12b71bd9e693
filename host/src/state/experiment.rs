//! One experiment's part of the state: which stage it is at, and what it waits for.
//!
//! There may be 100,000 of them, so it holds no text but overrides.

use std::time::Duration;

use jiff::Timestamp;

use crate::attempt::{Parameter, Stage};
use crate::decision::{Placement, Turn};

use super::{ANY, Outcome};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// Waits for devices.
    Queued,
    /// Its supervisor is being started.
    Starting,
    /// Its supervisor was started.
    Running,
    /// Its newest attempt is being judged.
    Deciding,
    /// It waits out a delay and holds no device.
    InBackoff { due: Timestamp, turn: Turn },
    /// Nothing of it is left to do.
    Ended(Outcome),
}

/// What `measure` came to, kept while `finish` runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Outcome(Outcome),
    /// An interrupt cut it short: it is to be measured again.
    Again,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct ExperimentState {
    pub(super) status: Status,
    pub(super) stage: Stage,
    /// The number of the newest attempt at each stage, 0 before the first. It
    /// never goes back, so that no number is used twice.
    attempts: [u32; 3],
    /// What those were when the experiment was last reopened.
    attempts_before: [u32; 3],
    /// Whether the newest attempt succeeded.
    pub(super) succeeded: bool,
    pub(super) verdict: Option<Verdict>,
    pub(super) placement: Placement,
    /// Those it holds, or held last.
    pub(super) devices: Box<[u16]>,
    /// The delay before the newest attempt.
    pub(super) waited: Duration,
    pub(super) overrides: Box<[Parameter]>,
}

impl ExperimentState {
    pub(super) fn new(first: Stage) -> Self {
        Self {
            status: Status::Queued,
            stage: first,
            attempts: [0; 3],
            attempts_before: [0; 3],
            succeeded: false,
            verdict: None,
            placement: ANY,
            devices: Box::default(),
            waited: Duration::ZERO,
            overrides: Box::default(),
        }
    }

    /// The number of the newest attempt at the present stage, 0 before the first.
    pub(super) fn attempt(&self) -> u32 {
        self.attempts[self.stage as usize]
    }

    /// How many attempts at the present stage count against the study's limit.
    pub(super) fn attempts_made(&self) -> u32 {
        self.attempt() - self.attempts_before[self.stage as usize]
    }

    /// Begins the next attempt at the present stage.
    pub(super) fn begin_attempt(&mut self) {
        self.attempts[self.stage as usize] += 1;
        self.status = Status::Starting;
    }

    /// Goes on to a stage.
    pub(super) fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        self.waited = Duration::ZERO;
        self.placement = ANY;
    }

    /// Goes back to `measure`, which an interrupt cut short.
    pub(super) fn measure_again(&mut self) {
        if self.stage == Stage::Finish {
            self.enter(Stage::Measure);
        }
        self.verdict = None;
    }

    /// Begins again at this stage, as if nothing had been tried before.
    pub(super) fn reopen(&mut self, first: Stage) {
        *self = Self { attempts: self.attempts, attempts_before: self.attempts, ..Self::new(first) };
    }

    /// Drops what an ended experiment no longer needs.
    pub(super) fn end(&mut self, outcome: Outcome) {
        self.status = Status::Ended(outcome);
        self.devices = Box::default();
    }

    pub(super) fn override_parameters(&mut self, overrides: &[Parameter]) {
        if overrides.is_empty() {
            return;
        }
        let mut all = std::mem::take(&mut self.overrides).into_vec();
        for new in overrides {
            match all.iter_mut().find(|old| old.name == new.name) {
                Some(old) => old.value.clone_from(&new.value),
                None => all.push(new.clone()),
            }
        }
        self.overrides = all.into();
    }
}
