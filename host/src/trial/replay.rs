//! What a policy would have decided in a study that has been run, from its journal.
//!
//! Each question is asked as it was then, with the devices as they were read.
//! Another wait leads to the same next attempt, which is asked about in turn.
//! Any other answer leads where nobody has been: later attempts at that stage
//! are not asked about, but counted.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::attempt::{Attempt, FailureClass, Stage};
use crate::cleanup::HandOver;
use crate::decision::{Decision, Question};
use crate::event::{AttemptEnded, Decided, Event};
use crate::journal::{self, ReadError};
use crate::policy::Policy;
use crate::reporter::words;
use crate::runner::subject;
use crate::state::{Outcome, StudyState};
use crate::study::{ExperimentId, Study, StudyError};

/// What came of asking about a study.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    /// How many decisions were asked about.
    pub decisions: u64,
    /// Where the answer was another.
    pub differences: Vec<Difference>,
}

/// A decision that would have been another one.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The experiment's name.
    pub experiment: String,
    /// At which stage.
    pub stage: Stage,
    /// After which attempt.
    pub attempt: u32,
    /// How that attempt failed, where it did.
    pub failure: Option<FailureClass>,
    /// What was decided.
    pub was: Decision,
    /// What the policy decides.
    pub now: Result<Decision, String>,
    /// Attempts at this stage that were made after it.
    pub attempts_after: u32,
    /// Device time that those took.
    pub device_time_after: Duration,
    /// Decisions that followed at this stage and were not asked about, since
    /// the study would have gone another way.
    pub decisions_not_asked: u32,
    /// What became of the experiment.
    pub outcome: Option<Outcome>,
}

/// Why a study cannot be asked about.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Its journal cannot be read.
    #[error("{0}")]
    Read(#[from] ReadError),
    /// The journal's study does not read as one.
    #[error("{0}")]
    Study(#[from] StudyError),
    /// The journal does not begin with a study's start.
    #[error("the journal in `{}` does not begin with a study's start", .0.display())]
    NoStart(PathBuf),
}

/// An attempt to be judged: what was known when it had ended.
struct Open {
    attempts: Vec<Attempt>,
    devices: Vec<HandOver>,
    at: Timestamp,
}

/// A study that has been run.
#[derive(Debug)]
pub struct Past {
    study: Arc<Study>,
    /// What its own policies were told, where they were its own.
    by_itself: bool,
    state: StudyState,
    events: journal::Replay,
}

impl Past {
    /// Reads how a study began.
    ///
    /// # Errors
    ///
    /// Where the journal does not begin as one.
    pub fn open(dir: &Path) -> Result<Self, ReplayError> {
        let mut events = journal::read(dir)?;
        let no_start = || ReplayError::NoStart(dir.to_owned());
        let (_, first) = events.event()?.ok_or_else(no_start)?;
        let Event::StudyStarted(started) = &first.event else { return Err(no_start()) };
        let study = Arc::new(Study::parse(&started.source)?);
        let mut state = StudyState::new(Arc::clone(&study), started.devices.clone());
        let by_itself = started.policy.is_none();
        state.apply(&first);
        Ok(Self { study, by_itself, state, events })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.study.name
    }

    /// What the policy was told that judged attempts at this stage: nothing
    /// where it stood in for the study's own.
    pub fn settings(&self, stage: Stage) -> Map<String, Value> {
        if self.by_itself { self.study.policies.of(stage).settings.clone() } else { Map::new() }
    }

    /// Asks about every decision of the study, at each stage the policy for that.
    ///
    /// # Errors
    ///
    /// Where the journal cannot be read as one.
    pub fn replay<'p>(self, policy: impl Fn(Stage) -> &'p Policy) -> Result<Replay, ReplayError> {
        let Self { study, mut state, mut events, .. } = self;
        let mut replay = Replay::default();
        let mut open: HashMap<(ExperimentId, Stage), Open> = HashMap::new();
        // The places of a stage's differences.
        let mut places: HashMap<(ExperimentId, Stage), Vec<usize>> = HashMap::new();
        let mut questions: HashMap<ExperimentId, Question> = HashMap::new();
        while let Some((_, stamped)) = events.event()? {
            if let Event::Decided(decided) = &stamped.event
                && let Some(question) = questions.remove(&decided.experiment)
            {
                let places = places.entry((decided.experiment, decided.stage)).or_default();
                let newest = places.last().map(|place| &mut replay.differences[*place]);
                if let Some(parted) = newest.filter(|newest| newest.parts()) {
                    parted.decisions_not_asked += 1;
                } else {
                    replay.decisions += 1;
                    let answer = policy(decided.stage).decide(&question).result;
                    let now = answer
                        .map(|decision| state.bound(decided.experiment, decision).0)
                        .map_err(|fault| words::fault(&fault));
                    if !same(&decided.decision, &now) {
                        places.push(replay.differences.len());
                        replay.differences.push(difference(&study, decided, &question, now));
                    }
                }
            }
            state.apply(&stamped);
            match stamped.event {
                Event::AttemptEnded(ended) if !ended.interrupted => {
                    let key = (ended.experiment, ended.attempt.stage);
                    for place in places.get(&key).into_iter().flatten() {
                        count(&mut replay.differences[*place], &ended, &study);
                    }
                    let known = open.entry(key).or_insert_with(|| Open::at(stamped.at));
                    known.attempts.push(ended.attempt);
                    (known.devices, known.at) = (ended.devices, stamped.at);
                    questions.insert(key.0, known.question(&state, key.0));
                }
                // What was being judged is asked anew, with the study as it then is.
                Event::StudyResumed { .. } => {
                    let waiting: HashSet<ExperimentId> = questions.keys().copied().collect();
                    for id in waiting {
                        let (stage, _) = state.newest_attempt(id);
                        if let Some(known) = open.get(&(id, stage)) {
                            questions.insert(id, known.question(&state, id));
                        }
                    }
                }
                _ => {}
            }
        }
        for ((id, _), places) in places {
            places.into_iter().for_each(|place| replay.differences[place].outcome = state.outcome(id));
        }
        Ok(replay)
    }
}

impl Difference {
    /// Whether it leads elsewhere than to the attempt that followed: any
    /// difference but one of when a retry comes.
    fn parts(&self) -> bool {
        match (&self.was, &self.now) {
            (Decision::Retry(was), Ok(Decision::Retry(now))) => {
                (was.placement, &was.overrides) != (now.placement, &now.overrides)
            }
            _ => true,
        }
    }
}

impl Open {
    fn at(at: Timestamp) -> Self {
        Self { attempts: Vec::new(), devices: Vec::new(), at }
    }

    fn question(&self, state: &StudyState, id: ExperimentId) -> Question {
        let (stage, number) = state.newest_attempt(id);
        Question {
            experiment: subject(state, id, stage, number),
            attempts: self.attempts.clone(),
            progress: state.progress(self.at),
            devices: self.devices.clone(),
            asked_at: self.at,
        }
    }
}

/// Whether two decisions do the same; the words of their reasons may differ.
fn same(was: &Decision, now: &Result<Decision, String>) -> bool {
    match (was, now) {
        (Decision::Accept, Ok(Decision::Accept))
        | (Decision::GiveUp(_), Ok(Decision::GiveUp(_)))
        | (Decision::StopStudy(_), Ok(Decision::StopStudy(_))) => true,
        (Decision::Retry(was), Ok(Decision::Retry(now))) => {
            (was.delay, was.placement, was.turn, &was.overrides)
                == (now.delay, now.placement, now.turn, &now.overrides)
        }
        _ => false,
    }
}

fn difference(
    study: &Study,
    decided: &Decided,
    asked: &Question,
    now: Result<Decision, String>,
) -> Difference {
    let failure = asked.attempts.last().and_then(|attempt| attempt.failure.as_ref());
    Difference {
        experiment: study.name_of(decided.experiment),
        stage: decided.stage,
        attempt: decided.attempt,
        failure: failure.map(|failure| failure.class),
        was: decided.decision.clone(),
        now,
        attempts_after: 0,
        device_time_after: Duration::ZERO,
        decisions_not_asked: 0,
        outcome: None,
    }
}

fn count(difference: &mut Difference, ended: &AttemptEnded, study: &Study) {
    difference.attempts_after += 1;
    difference.device_time_after += ended.attempt.ran_for * study.devices_of(ended.experiment);
}
