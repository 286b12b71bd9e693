//! What later lines and the summary need to know of earlier events, whichever host they happened under.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use crate::attempt::Stage;
use crate::event::{AttemptEnded, AttemptStarted, Event, PolicyIdentity, Stamped};
use crate::state::{Outcome, StudyState};
use crate::study::ExperimentId;

/// How many failed experiments the summary names.
const FAILED_NAMED_MAX: usize = 20;

#[derive(Default)]
pub(super) struct Tally {
    /// The first failures that ended experiments.
    pub(super) failed: BTreeMap<ExperimentId, String>,
    /// How often a policy has failed to answer.
    pub(super) faults: u64,
    /// The experiments whose last `finish` failed, and why.
    pub(super) unfinished: BTreeMap<ExperimentId, String>,
    /// The policies that judged until now.
    pub(super) policies: Vec<PolicyIdentity>,
    /// The attempts that have begun and not ended, and since when.
    pub(super) running: BTreeMap<ExperimentId, (Timestamp, AttemptStarted)>,
    /// The newest failure of each experiment that is in flight or waits.
    newest: HashMap<ExperimentId, Newest>,
}

/// An experiment's newest failure.
#[derive(Default)]
struct Newest {
    /// Stage, class and evidence of the newest one before `finish`.
    words: String,
    evidence: String,
}

impl Tally {
    pub(super) fn note(&mut self, stamped: &Stamped, state: &StudyState) {
        match &stamped.event {
            Event::AttemptStarted(started) => {
                self.running.insert(started.experiment, (stamped.at, started.clone()));
            }
            Event::AttemptEnded(AttemptEnded { experiment, interrupted, attempt, .. }) => {
                self.running.remove(experiment);
                if *interrupted {
                    return;
                }
                if attempt.stage == Stage::Finish {
                    self.unfinished.remove(experiment);
                }
                let Some(failure) = &attempt.failure else { return };
                let (class, evidence) = (failure.class.name(), failure.evidence.clone());
                if attempt.stage == Stage::Finish {
                    // It never hides the failure before it, which the summary names.
                    self.unfinished.insert(*experiment, format!("{class}: {evidence}"));
                    self.newest.entry(*experiment).or_default().evidence = evidence;
                } else {
                    let words = format!("{}: {class}: {evidence}", attempt.stage.name());
                    self.newest.insert(*experiment, Newest { words, evidence });
                }
            }
            Event::Decided(decided) => {
                let id = decided.experiment;
                self.faults += u64::from(decided.fault.is_some());
                let Some(outcome) = state.outcome(id) else { return };
                let newest = self.newest.remove(&id);
                if outcome == Outcome::Failed && self.failed.len() < FAILED_NAMED_MAX {
                    self.failed.insert(id, newest.map_or_else(String::new, |newest| newest.words));
                }
            }
            Event::StudyStarted(started) => self.policies.clone_from(&started.policies),
            Event::StudyResumed { policies, reopened, .. } => {
                self.policies.clone_from(policies);
                self.failed.retain(|id, _| !reopened.contains(id));
            }
            _ => {}
        }
    }

    /// The evidence of the experiment's newest failure; empty where there is none.
    pub(super) fn evidence(&self, id: ExperimentId) -> &str {
        self.newest.get(&id).map_or("", |newest| &newest.evidence)
    }
}
