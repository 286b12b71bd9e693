//! The host's loop: events are journaled, applied and reported; actions are carried out.
//!
//! It waits and spawns, and chooses nothing: what comes next is the state's to
//! say, what follows a failure a policy's.

mod attempts;
mod devices;
mod judges;
mod open;
mod timers;
mod visible;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;

use crate::action::{Action, Start};
use crate::attempt::{Attempt, Ending, FailureClass, Stage};
use crate::cleanup::Quarantine;
use crate::clock;
use crate::decision::Question;
use crate::event::{AttemptStarted, Decided, Device, Event, ProcessIdentity, Stamped, StudyEnd};
use crate::gpu::DeviceLock;
use crate::journal::{Journal, Position, WriteError};
use crate::launcher::{Found, LaunchError, Launcher, Supervisor};
use crate::process::ignores_hangup;
use crate::reporter::Reporter;
use crate::shell;
use crate::state::StudyState;
use crate::study::ExperimentId;
use crate::supervisor::Record;

use attempts::{Cleaning, Which};
pub use attempts::{VISIBLE_DEVICES, attempt_directory, is_running, subject};
pub use devices::Taken;
use judges::{Judgement, Judges};
pub use open::{Begin, OpenError, Resume};
use timers::Timers;
pub use visible::{VisibleError, slots, visible};

/// How many supervisors are sent, one after the other, after one that left no
/// record: whatever ended that one may end them too.
const RECOVERIES: u8 = 3;

/// How often a live view is brought up to date.
const TICK: Duration = Duration::from_millis(100);

/// A study being run, in its directory.
pub struct Runner {
    dir: PathBuf,
    study_id: String,
    state: StudyState,
    journal: Journal,
    /// Where the judged attempts of experiments that have not ended are journaled.
    history: HashMap<(ExperimentId, Stage), Vec<Position>>,
    /// Supervisors that an earlier host started, by their journaled identity.
    journaled: HashMap<ExperimentId, ProcessIdentity>,
    judges: Judges,
    /// Where compiled policies are kept.
    cache: Option<PathBuf>,
    launcher: Launcher,
    reporter: Box<dyn Reporter>,
    timers: Timers,
    supervisors: HashMap<ExperimentId, Arc<Supervisor>>,
    /// The devices, kept from other hosts of this machine.
    locks: Vec<DeviceLock>,
    inputs: JoinSet<Input>,
    /// Events that are not yet journaled.
    events: Vec<Event>,
    ending: bool,
}

/// What the rooms report back.
enum Input {
    /// The attempt's supervisor has gone.
    Gone(Box<Gone>),
    Judged(ExperimentId, Box<Judgement>),
    Due(Box<Event>),
}

/// An attempt whose supervisor has gone.
struct Gone {
    experiment: ExperimentId,
    which: Which,
    dir: PathBuf,
    record: Option<Record>,
    /// How many supervisors may still be sent after one that left no record.
    recoveries: u8,
}

/// Why a study could not be carried on. What is running goes on under its
/// supervisors, and a resume finds it.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The journal cannot be written.
    #[error(
        "{source}\nhint: what ran goes on; make room, or let it be written to, then `reprieve resume {}`",
        shell::path(dir)
    )]
    Journal {
        /// What the journal said.
        #[source]
        source: WriteError,
        /// The study's directory.
        dir: PathBuf,
    },
    /// An attempt's directory cannot be prepared: the disk is full, or it is gone.
    #[error(
        "{source}\nhint: what ran goes on; make room, or let it be written to, then `reprieve resume {}`",
        shell::path(dir)
    )]
    Directory {
        /// What cannot be prepared.
        #[source]
        source: LaunchError,
        /// The study's directory.
        dir: PathBuf,
    },
    /// An attempt that was journaled cannot be read back.
    #[error("cannot read an attempt back from the journal: {0}")]
    History(std::io::Error),
    /// The runtime refuses signal handlers.
    #[error("cannot listen for signals: {0}")]
    Signals(std::io::Error),
}

impl Runner {
    /// Runs the study to its end, for now or for good; says how it ended, and
    /// how many experiments have failed.
    ///
    /// # Errors
    ///
    /// Where the journal fails. What happens to an experiment is never an error.
    pub async fn run(mut self) -> Result<(StudyEnd, u32), RunError> {
        let handler = |kind| signal(kind).map_err(RunError::Signals);
        // A handler would undo what nohup asked for.
        let hangup = if ignores_hangup() { None } else { Some(handler(SignalKind::hangup())?) };
        let mut signals = (handler(SignalKind::interrupt())?, handler(SignalKind::terminate())?, hangup);
        if let Some(limit) = self.state.study().limits.max_duration {
            self.after(limit, Event::TimeLimitReached);
        }
        loop {
            self.commit()?;
            if let Some(how) = self.state.ended() {
                return Ok((how.clone(), self.state.progress(clock::wall()).failed));
            }
            if self.events.is_empty() {
                self.wait(&mut signals).await;
            }
        }
    }

    /// Journals what has happened with one sync, then applies and reports each
    /// event and carries out what follows from it.
    fn commit(&mut self) -> Result<(), RunError> {
        if self.events.is_empty() {
            return Ok(());
        }
        let at = clock::wall();
        let stamped: Vec<Stamped> = self.events.drain(..).map(|event| Stamped { at, event }).collect();
        let positions = self
            .journal
            .append(&stamped)
            .map_err(|source| RunError::Journal { source, dir: self.dir.clone() })?;
        for (stamped, position) in stamped.iter().zip(positions) {
            let actions = self.state.apply(stamped);
            self.remember(&stamped.event, position);
            self.reporter.report(stamped, &self.state);
            for action in actions {
                self.perform(action)?;
            }
        }
        Ok(())
    }

    /// Keeps the place of an attempt for later questions, until its experiment has ended.
    fn remember(&mut self, event: &Event, position: Position) {
        match event {
            Event::AttemptEnded(ended) if !ended.interrupted => {
                let key = (ended.experiment, ended.attempt.stage);
                self.history.entry(key).or_default().push(position);
            }
            Event::Decided(Decided { experiment, .. }) if self.state.outcome(*experiment).is_some() => {
                for stage in Stage::ALL {
                    self.history.remove(&(*experiment, stage));
                }
            }
            _ => {}
        }
    }

    fn perform(&mut self, action: Action) -> Result<(), RunError> {
        match action {
            Action::StartAttempt(start) => self.start(start)?,
            Action::Ask { experiment, set_aside } => self.ask(experiment, set_aside)?,
            Action::Backoff { experiment, due } => {
                // A wall clock that was set back meanwhile makes no delay longer.
                let left = Duration::try_from(due.duration_since(clock::wall())).unwrap_or_default();
                self.timers.add(left.min(self.state.waited_for(experiment)), experiment);
            }
            Action::CancelBackoffs => self.timers.clear(),
            Action::AwaitGrace => self.after(self.state.study().interrupt_grace, Event::GraceElapsed),
            Action::EndAttempts { at_once } => {
                for supervisor in self.supervisors.values() {
                    supervisor.end(at_once);
                }
            }
            Action::End(how) => {
                if !std::mem::replace(&mut self.ending, true) {
                    self.events.push(Event::StudyEnded { how });
                }
            }
        }
        Ok(())
    }

    fn after(&mut self, delay: Duration, event: Event) {
        self.inputs.spawn(async move {
            tokio::time::sleep(delay).await;
            Input::Due(Box::new(event))
        });
    }

    /// Starts an attempt's supervisor, or finds the one that an earlier host started.
    ///
    /// # Errors
    ///
    /// Where the study's directory cannot be written: that is no failure of the
    /// experiment, and would be one of all that follow.
    fn start(&mut self, start: Start) -> Result<(), RunError> {
        let study = self.state.study();
        let dir = attempt_directory(&self.dir, study, start.experiment, start.stage, start.attempt);
        let which = Which {
            number: start.attempt,
            stage: start.stage,
            waited_for: self.state.waited_for(start.experiment),
        };
        let journaled = self.journaled.remove(&start.experiment);
        let launched = match self.launcher.find(&dir, journaled.as_ref()) {
            Found::Running(supervisor) => Ok(Some(supervisor)),
            Found::Ended => Ok(None),
            Found::Nothing => {
                if let Some((device, Quarantine { reason, .. })) = self.state.unfit(&start) {
                    let why = format!("{} is in quarantine: {reason}", device.id);
                    self.not_started(start.experiment, which, FailureClass::DeviceOccupied, why);
                    return Ok(());
                }
                let planner = self.judges.planner(start.stage);
                let readable = self.state.devices().iter().any(Device::is_readable);
                let cleaning = Cleaning {
                    planner: (readable || !judges::plans_for_devices_only(planner)).then(|| planner.clone()),
                    cache: self.cache.clone(),
                };
                let assignment = attempts::assignment(&self.study_id, &dir, &self.state, &start, cleaning);
                self.launcher.start(&dir, &assignment).map(Some)
            }
        };
        let supervisor = match launched {
            Ok(supervisor) => supervisor.map(Arc::new),
            Err(source @ LaunchError::Directory { .. }) => {
                return Err(RunError::Directory { source, dir: self.dir.clone() });
            }
            Err(error) => {
                self.not_started(start.experiment, which, FailureClass::Unknown, error.to_string());
                return Ok(());
            }
        };
        if let (Some(supervisor), None) = (&supervisor, &journaled) {
            self.events.push(Event::AttemptStarted(AttemptStarted {
                experiment: start.experiment,
                stage: start.stage,
                attempt: start.attempt,
                devices: start.devices,
                overrides: self.state.overrides(start.experiment).to_vec(),
                supervisor: supervisor.identity.clone(),
            }));
        }
        self.await_record(
            supervisor,
            Gone { experiment: start.experiment, which, dir, record: None, recoveries: RECOVERIES },
        );
        Ok(())
    }

    /// Waits for a supervisor's end, beside the loop.
    fn await_record(&mut self, supervisor: Option<Arc<Supervisor>>, mut gone: Gone) {
        if let Some(supervisor) = &supervisor {
            self.supervisors.insert(gone.experiment, Arc::clone(supervisor));
        }
        self.inputs.spawn(async move {
            if let Some(supervisor) = supervisor {
                supervisor.ended().await;
            }
            // A record that cannot be read is as good as none.
            gone.record = Record::read(&gone.dir).ok().flatten();
            Input::Gone(Box::new(gone))
        });
    }

    /// Takes an attempt's record in. Where there is none, a supervisor is sent
    /// to end what the killed one left.
    fn gone(&mut self, gone: Gone) {
        self.supervisors.remove(&gone.experiment);
        if gone.record.is_none() && gone.recoveries > 0 && !Record::exists_in(&gone.dir) {
            match self.launcher.recover(&gone.dir) {
                Ok(supervisor) => {
                    let recoveries = gone.recoveries - 1;
                    return self.await_record(Some(Arc::new(supervisor)), Gone { recoveries, ..gone });
                }
                Err(error) => tracing::error!("what a killed supervisor left is not ended: {error}"),
            }
        }
        let ended = attempts::ended(gone.experiment, gone.record, gone.which);
        self.events.push(Event::AttemptEnded(ended));
    }

    fn not_started(&mut self, experiment: ExperimentId, which: Which, class: FailureClass, why: String) {
        let attempt = attempts::empty(which, Ending::NotStarted(why.clone()), class, why);
        self.events.push(Event::AttemptEnded(attempts::without_record(experiment, attempt)));
    }

    /// Asks what follows the newest attempt, beside the loop.
    fn ask(&mut self, experiment: ExperimentId, set_aside: bool) -> Result<(), RunError> {
        let question = self.question(experiment).map_err(RunError::History)?;
        let (stage, _) = self.state.newest_attempt(experiment);
        let judge = self.judges.at(stage).clone();
        self.inputs
            .spawn_blocking(move || Input::Judged(experiment, Box::new(judge.judge(&question, set_aside))));
        Ok(())
    }

    fn question(&self, id: ExperimentId) -> std::io::Result<Question> {
        let (stage, number) = self.state.newest_attempt(id);
        let mut judged: Vec<Attempt> = Vec::new();
        let mut asked_at = self.state.started_at();
        let mut devices = Vec::new();
        for position in self.history.get(&(id, stage)).into_iter().flatten() {
            let stamped = self.journal.event_at(*position)?;
            if let Event::AttemptEnded(ended) = stamped.event {
                asked_at = stamped.at;
                judged.push(ended.attempt);
                devices = ended.devices;
            }
        }
        Ok(Question {
            experiment: attempts::subject(&self.state, id, stage, number),
            attempts: judged,
            progress: self.state.progress(asked_at),
            devices,
            asked_at,
        })
    }

    /// Waits until something has happened, and takes in all that has.
    async fn wait(&mut self, signals: &mut (Signal, Signal, Option<Signal>)) {
        let (interrupt, terminate, hangup) = signals;
        tokio::select! {
            biased;
            _ = interrupt.recv() => self.events.push(Event::Interrupted { signal: SignalKind::interrupt().as_raw_value() }),
            _ = terminate.recv() => self.events.push(Event::Interrupted { signal: SignalKind::terminate().as_raw_value() }),
            Some(_) = received(hangup) => self.events.push(Event::Interrupted { signal: SignalKind::hangup().as_raw_value() }),
            Some(input) = self.inputs.join_next() => self.take_in(input),
            () = self.timers.elapsed() => {}
            () = tokio::time::sleep(TICK), if self.reporter.is_live() => self.reporter.tick(&self.state),
        }
        while let Some(input) = self.inputs.try_join_next() {
            self.take_in(input);
        }
        while let Some(experiment) = self.timers.take_due() {
            self.events.push(Event::BackoffElapsed { experiment });
        }
    }

    fn take_in(&mut self, input: Result<Input, tokio::task::JoinError>) {
        match input.expect("tasks of the runner neither panic nor are cancelled") {
            Input::Gone(gone) => self.gone(*gone),
            Input::Judged(experiment, judgement) => {
                let (decision, bounded) = self.state.bound(experiment, judgement.decision);
                let (stage, attempt) = self.state.newest_attempt(experiment);
                self.events.push(Event::Decided(Decided {
                    experiment,
                    stage,
                    attempt,
                    decision,
                    by: judgement.by,
                    fault: judgement.fault,
                    bounded,
                    fuel: judgement.fuel,
                    took: judgement.took,
                }));
            }
            Input::Due(event) => self.events.push(*event),
        }
    }
}

async fn received(signal: &mut Option<Signal>) -> Option<()> {
    match signal {
        Some(signal) => signal.recv().await,
        None => std::future::pending().await,
    }
}
