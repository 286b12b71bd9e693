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
    /// The number of the newest attempt at this stage, 0 before the first.
    pub(super) attempt: u32,
    /// The number of the newest attempt at `measure`, kept while `finish` runs,
    /// so that measuring again does not use a number twice.
    measure_attempt: u32,
    /// The same for `finish`.
    finish_attempt: u32,
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
            attempt: 0,
            measure_attempt: 0,
            finish_attempt: 0,
            succeeded: false,
            verdict: None,
            placement: ANY,
            devices: Box::default(),
            waited: Duration::ZERO,
            overrides: Box::default(),
        }
    }

    /// Goes on to a stage's first attempt.
    pub(super) fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        self.attempt = 0;
        self.waited = Duration::ZERO;
        self.placement = ANY;
    }

    /// Goes on to `finish` after this many attempts at `measure`.
    pub(super) fn enter_finish(&mut self, measure_attempt: u32) {
        self.measure_attempt = measure_attempt;
        self.enter(Stage::Finish);
        self.attempt = self.finish_attempt;
    }

    /// Goes back to `measure`, which an interrupt cut short.
    pub(super) fn measure_again(&mut self) {
        if self.stage == Stage::Finish {
            self.finish_attempt = self.attempt;
            self.enter(Stage::Measure);
            self.attempt = self.measure_attempt;
        }
        self.verdict = None;
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
