//! What the events say: the state of a study, and what follows from it.
//!
//! Pure: no clock, no randomness, no I/O, and no way to fail. The same events
//! give the same state and the same actions, so a replay rebuilds both. It
//! holds no text of attempts: those stay in the journal.

mod bounds;
mod devices;
mod experiment;
mod quarantine;
mod queue;
#[cfg(test)]
mod simulation;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::action::{Action, Start};
use crate::attempt::{Parameter, Stage};
use crate::cleanup::Quarantine;
use crate::decision::{Decision, Placement, Progress, Turn};
use crate::event::{AttemptEnded, AttemptStarted, Decided, Device, Event, Stamped, StudyEnd};
use crate::study::{ExperimentId, Study};

use devices::Devices;
use experiment::{ExperimentState, Status, Verdict};
use queue::Queue;

/// A policy that failed to answer this often in a row is set aside for the
/// rest of the study. Three is the number at which one more try has stopped
/// being a matter of bad luck; Envoy's `FAIL_RELOAD` draws the same line.
pub const FAULTS_TO_SET_ASIDE: u8 = 3;

/// How far the schedule looks past experiments that wait for particular
/// devices. It bounds the work of one event where very many do.
const LOOK_PAST_MAX: usize = 256;

/// How an experiment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every stage was accepted.
    Succeeded,
    /// `prepare` or `measure` failed for good.
    Failed,
}

/// What the study does at present.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// Experiments are started as devices allow.
    Running,
    /// Only `finish` stages are started, then the study ends this way.
    Draining(StudyEnd),
    /// Nothing is started, and what runs is being ended.
    Ending(StudyEnd),
    /// The study ended this way; only a resume leads on.
    Ended(StudyEnd),
}

/// A study, as its events tell it.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyState {
    study: Arc<Study>,
    experiments: Vec<ExperimentState>,
    devices: Devices,
    described: Vec<Device>,
    /// What is used on each without our doing, in bytes.
    baselines: Vec<u64>,
    quarantines: Vec<Option<Quarantine>>,
    queue: Queue,
    phase: Phase,
    started_at: Timestamp,
    progress: Progress,
    /// Attempts that are starting, running or being judged.
    in_flight: u32,
    /// How often in a row each stage's policy has failed to answer.
    faults_in_a_row: [u8; 3],
}

impl StudyState {
    /// The state before the first event, on these devices.
    pub fn new(study: Arc<Study>, devices: Vec<Device>) -> Self {
        let experiments: Vec<_> =
            study.ids().map(|id| ExperimentState::new(first_stage(&study, id))).collect();
        let count = u32::try_from(experiments.len()).expect("a study is bounded well below this");
        Self {
            queue: Queue::new(study.ids()),
            devices: Devices::new(devices.len()),
            baselines: vec![0; devices.len()],
            quarantines: vec![None; devices.len()],
            described: devices,
            phase: Phase::Running,
            started_at: Timestamp::UNIX_EPOCH,
            progress: Progress { remaining: count, ..Progress::default() },
            in_flight: 0,
            faults_in_a_row: [0; 3],
            experiments,
            study,
        }
    }

    /// Takes in what has happened, and returns what is to be done about it.
    pub fn apply(&mut self, stamped: &Stamped) -> Vec<Action> {
        let mut actions = Vec::new();
        match &stamped.event {
            Event::StudyStarted(started) => {
                self.started_at = stamped.at;
                self.devices_found(&started.readings);
            }
            Event::StudyResumed { reopened, readings, .. } => {
                self.devices_found(readings);
                self.reopen(reopened);
                self.resume(&mut actions);
            }
            Event::AttemptStarted(started) => self.attempt_started(started),
            Event::AttemptEnded(ended) => self.attempt_ended(ended, &mut actions),
            Event::Decided(decided) => self.decided(decided, stamped.at, &mut actions),
            Event::BackoffElapsed { experiment } => self.backoff_elapsed(*experiment),
            Event::Interrupted { signal } => self.interrupted(*signal, &mut actions),
            Event::GraceElapsed => self.end_attempts(false, &mut actions),
            Event::TimeLimitReached => {
                let limit = self.study.limits.max_duration.unwrap_or_default();
                self.drain(StudyEnd::Stopped(format!("the study's time limit of {limit:?} was reached")));
            }
            Event::StudyEnded { how } => self.phase = Phase::Ended(how.clone()),
        }
        self.schedule(&mut actions);
        self.close(&mut actions);
        actions
    }

    /// Takes back that these experiments have failed.
    fn reopen(&mut self, experiments: &[ExperimentId]) {
        for id in experiments {
            let first = first_stage(&self.study, *id);
            self.experiment_mut(*id).reopen(first);
            self.queue.push_due(*id);
            self.progress.failed -= 1;
            self.progress.remaining += 1;
        }
    }

    fn resume(&mut self, actions: &mut Vec<Action>) {
        self.phase = Phase::Running;
        // A person has looked: what went wrong in a row before is theirs to judge.
        self.progress.failed_in_a_row = 0;
        for (id, experiment) in self.study.ids().zip(&self.experiments) {
            match experiment.status {
                Status::Starting | Status::Running => actions.push(Action::StartAttempt(Start {
                    experiment: id,
                    stage: experiment.stage,
                    attempt: experiment.attempt(),
                    devices: experiment.devices.to_vec(),
                })),
                Status::Deciding => actions.push(self.ask(id)),
                Status::InBackoff { due, .. } => actions.push(Action::Backoff { experiment: id, due }),
                Status::Queued | Status::Ended(_) => {}
            }
        }
    }

    fn attempt_started(&mut self, started: &AttemptStarted) {
        self.experiment_mut(started.experiment).status = Status::Running;
    }

    fn attempt_ended(&mut self, ended: &AttemptEnded, actions: &mut Vec<Action>) {
        self.handed_over(ended);
        let experiment = self.experiment_mut(ended.experiment);
        experiment.succeeded = ended.attempt.failure.is_none();
        if !ended.interrupted {
            experiment.status = Status::Deciding;
            actions.push(self.ask(ended.experiment));
            return;
        }
        if experiment.stage == Stage::Measure {
            experiment.verdict = Some(Verdict::Again);
            self.finish_or_settle(ended.experiment, actions);
        } else {
            self.requeue(ended.experiment);
        }
    }

    fn ask(&self, id: ExperimentId) -> Action {
        Action::Ask { experiment: id, set_aside: self.set_aside(self.experiment(id).stage) }
    }

    fn decided(&mut self, decided: &Decided, at: Timestamp, actions: &mut Vec<Action>) {
        let id = decided.experiment;
        let stage = self.experiment(id).stage;
        let faults = &mut self.faults_in_a_row[stage as usize];
        if *faults < FAULTS_TO_SET_ASIDE {
            *faults = if decided.fault.is_some() { *faults + 1 } else { 0 };
        }
        match &decided.decision {
            Decision::Accept => self.stage_settled(id, self.experiment(id).succeeded, actions),
            Decision::GiveUp(_) => self.stage_settled(id, false, actions),
            Decision::StopStudy(reason) => {
                self.drain(StudyEnd::Stopped(reason.clone()));
                self.stage_settled(id, self.experiment(id).succeeded, actions);
            }
            Decision::Retry(retry) => {
                self.progress.retries += 1;
                let due = at.checked_add(retry.delay).unwrap_or(Timestamp::MAX);
                let experiment = self.experiment_mut(id);
                experiment.override_parameters(&retry.overrides);
                experiment.placement = retry.placement;
                experiment.waited = retry.delay;
                experiment.status = Status::InBackoff { due, turn: retry.turn };
                self.in_flight -= 1;
                self.release(id);
                if self.phase == Phase::Running {
                    actions.push(Action::Backoff { experiment: id, due });
                }
            }
        }
    }

    /// A stage has its outcome: go on to the next one, or end the experiment.
    fn stage_settled(&mut self, id: ExperimentId, succeeded: bool, actions: &mut Vec<Action>) {
        match (self.experiment(id).stage, succeeded) {
            (Stage::Prepare, true) => {
                let fit = !self.devices.any_quarantined(&self.experiment(id).devices);
                self.experiment_mut(id).enter(Stage::Measure);
                if self.phase == Phase::Running && fit {
                    self.start(id, actions);
                } else {
                    self.requeue(id);
                }
            }
            (Stage::Prepare, false) => self.end(id, Outcome::Failed),
            (Stage::Measure, _) => {
                let outcome = if succeeded { Outcome::Succeeded } else { Outcome::Failed };
                self.experiment_mut(id).verdict = Some(Verdict::Outcome(outcome));
                self.finish_or_settle(id, actions);
            }
            // How `finish` went never changes what was before it.
            (Stage::Finish, _) => self.settle(id),
        }
    }

    /// `measure` is over, this way or that: run `finish` where there is one.
    fn finish_or_settle(&mut self, id: ExperimentId, actions: &mut Vec<Action>) {
        if !self.study.has_stage(id, Stage::Finish) {
            self.settle(id);
            return;
        }
        self.experiment_mut(id).enter(Stage::Finish);
        if matches!(self.phase, Phase::Running | Phase::Draining(_)) {
            self.start(id, actions);
        } else {
            self.requeue(id);
        }
    }

    /// Nothing of the experiment is left to run for what its verdict says.
    fn settle(&mut self, id: ExperimentId) {
        match self.experiment(id).verdict.expect("`measure` has a verdict before its experiment settles") {
            Verdict::Outcome(outcome) => self.end(id, outcome),
            Verdict::Again => {
                self.experiment_mut(id).measure_again();
                self.requeue(id);
            }
        }
    }

    fn end(&mut self, id: ExperimentId, outcome: Outcome) {
        self.in_flight -= 1;
        self.release(id);
        self.experiment_mut(id).end(outcome);
        self.progress.remaining -= 1;
        match outcome {
            Outcome::Succeeded => {
                self.progress.succeeded += 1;
                self.progress.failed_in_a_row = 0;
            }
            Outcome::Failed => {
                self.progress.failed += 1;
                self.progress.failed_in_a_row += 1;
            }
        }
    }

    /// The experiment was in flight and cannot go on now: it is next once something may start.
    fn requeue(&mut self, id: ExperimentId) {
        self.in_flight -= 1;
        self.release(id);
        self.experiment_mut(id).status = Status::Queued;
        self.queue.push_due(id);
    }

    fn backoff_elapsed(&mut self, id: ExperimentId) {
        let experiment = self.experiment_mut(id);
        let Status::InBackoff { turn, .. } = experiment.status else { return };
        experiment.status = Status::Queued;
        match turn {
            Turn::WhenDue => self.queue.push_due(id),
            Turn::Last => self.queue.push_last(id),
        }
    }

    fn interrupted(&mut self, signal: i32, actions: &mut Vec<Action>) {
        if let Phase::Draining(StudyEnd::Interrupted(_)) | Phase::Ending(_) = self.phase {
            self.phase = Phase::Ending(StudyEnd::Interrupted(signal));
            actions.push(Action::EndAttempts { at_once: true });
        } else {
            self.drain(StudyEnd::Interrupted(signal));
            actions.extend([Action::CancelBackoffs, Action::AwaitGrace]);
        }
    }

    fn drain(&mut self, end: StudyEnd) {
        match &self.phase {
            Phase::Running => self.phase = Phase::Draining(end),
            Phase::Draining(StudyEnd::Stopped(_)) if matches!(end, StudyEnd::Interrupted(_)) => {
                self.phase = Phase::Draining(end);
            }
            Phase::Draining(_) | Phase::Ending(_) | Phase::Ended(_) => {}
        }
    }

    fn end_attempts(&self, at_once: bool, actions: &mut Vec<Action>) {
        if matches!(self.phase, Phase::Draining(_)) {
            actions.push(Action::EndAttempts { at_once });
        }
    }

    /// Starts what the free devices allow, in the queue's order.
    fn schedule(&mut self, actions: &mut Vec<Action>) {
        if self.phase != Phase::Running {
            return;
        }
        let mut reserved = self.devices.nothing_reserved();
        let mut place = None;
        for _ in 0..LOOK_PAST_MAX {
            if self.devices.free_beside(&reserved) == 0 {
                return;
            }
            let Some((next, id)) = self.queue.after(place) else { return };
            place = Some(next);
            let experiment = self.experiment(id);
            let needed = self.study.devices_of(id);
            // Where there are too few, the experiment keeps its turn, and the
            // devices it waits for are kept back from those behind it.
            if let Some(leased) =
                self.devices.place(needed, experiment.placement, &experiment.devices, &mut reserved)
            {
                self.devices.lease(&leased, id);
                self.experiment_mut(id).devices = leased.into();
                self.queue.take(next);
                self.in_flight += 1;
                self.start(id, actions);
            }
        }
    }

    fn start(&mut self, id: ExperimentId, actions: &mut Vec<Action>) {
        let experiment = self.experiment_mut(id);
        experiment.begin_attempt();
        actions.push(Action::StartAttempt(Start {
            experiment: id,
            stage: experiment.stage,
            attempt: experiment.attempt(),
            devices: experiment.devices.to_vec(),
        }));
    }

    /// Whether nothing more will happen of itself: then the study ends.
    fn close(&self, actions: &mut Vec<Action>) {
        if self.in_flight > 0 {
            return;
        }
        match &self.phase {
            Phase::Running if self.progress.remaining == 0 => actions.push(Action::End(StudyEnd::Completed)),
            Phase::Draining(_) | Phase::Ending(_) if self.progress.remaining == 0 => {
                actions.push(Action::End(StudyEnd::Completed));
            }
            Phase::Draining(end) | Phase::Ending(end) => actions.push(Action::End(end.clone())),
            Phase::Running if self.is_stuck() => {
                actions.push(Action::End(StudyEnd::Stopped(self.why_stuck())));
            }
            Phase::Running | Phase::Ended(_) => {}
        }
    }

    fn release(&mut self, id: ExperimentId) {
        self.devices.release(id);
    }

    fn experiment(&self, id: ExperimentId) -> &ExperimentState {
        &self.experiments[id.0 as usize]
    }

    fn experiment_mut(&mut self, id: ExperimentId) -> &mut ExperimentState {
        &mut self.experiments[id.0 as usize]
    }

    /// The study so far, as policies are told at this time.
    pub fn progress(&self, at: Timestamp) -> Progress {
        let elapsed = Duration::try_from(at.duration_since(self.started_at)).unwrap_or_default();
        Progress { elapsed, ..self.progress }
    }

    /// When the study started.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// The study itself.
    pub fn study(&self) -> &Arc<Study> {
        &self.study
    }

    /// The study's devices, by position.
    pub fn devices(&self) -> &[Device] {
        &self.described
    }

    /// How many attempts are starting, running or being judged.
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// How an experiment ended; `None` while it has not.
    pub fn outcome(&self, id: ExperimentId) -> Option<Outcome> {
        match self.experiment(id).status {
            Status::Ended(outcome) => Some(outcome),
            Status::Queued
            | Status::Starting
            | Status::Running
            | Status::Deciding
            | Status::InBackoff { .. } => None,
        }
    }

    /// The stage an experiment is at, and the number of its newest attempt there, 0 before the first.
    pub fn newest_attempt(&self, id: ExperimentId) -> (Stage, u32) {
        let experiment = self.experiment(id);
        (experiment.stage, experiment.attempt())
    }

    /// Whether the newest attempt succeeded.
    pub fn newest_succeeded(&self, id: ExperimentId) -> bool {
        self.experiment(id).succeeded
    }

    /// The delay that was decided before the newest attempt.
    pub fn waited_for(&self, id: ExperimentId) -> Duration {
        self.experiment(id).waited
    }

    /// The parameters that decisions have overridden so far.
    pub fn overrides(&self, id: ExperimentId) -> &[Parameter] {
        &self.experiment(id).overrides
    }

    /// When an experiment's backoff is over, where it is in one.
    pub fn due(&self, id: ExperimentId) -> Option<Timestamp> {
        match self.experiment(id).status {
            Status::InBackoff { due, .. } => Some(due),
            Status::Queued | Status::Starting | Status::Running | Status::Deciding | Status::Ended(_) => None,
        }
    }

    /// Whether a stage's policy is set aside, having failed to answer too often.
    pub fn set_aside(&self, stage: Stage) -> bool {
        self.faults_in_a_row[stage as usize] >= FAULTS_TO_SET_ASIDE
    }

    /// The experiments that have failed for good, so far.
    pub fn failed(&self) -> impl Iterator<Item = ExperimentId> {
        self.study.ids().filter(|id| self.outcome(*id) == Some(Outcome::Failed))
    }

    /// How the study ended, where it has.
    pub fn ended(&self) -> Option<&StudyEnd> {
        match &self.phase {
            Phase::Ended(how) => Some(how),
            Phase::Running | Phase::Draining(_) | Phase::Ending(_) => None,
        }
    }

    /// Whether devices other than an experiment's present ones could hold it.
    fn has_other_devices(&self, id: ExperimentId) -> bool {
        self.devices.usable_beside(&self.experiment(id).devices) >= self.study.devices_of(id) as usize
    }
}

fn first_stage(study: &Study, id: ExperimentId) -> Stage {
    if study.has_stage(id, Stage::Prepare) { Stage::Prepare } else { Stage::Measure }
}

/// Where no decision says otherwise.
const ANY: Placement = Placement::AnyDevices;
