//! Whole studies in seeded random worlds: any outcome, any order, crashes and interrupts anywhere.
//!
//! A failure names its seed; `REPRIEVE_SEED=N` runs that world alone, and
//! `REPRIEVE_SEEDS=N` runs as many as are asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::action::{Action, Start};
use crate::attempt::{Attempt, Ending, Failure, FailureClass, Stage};
use crate::cleanup::{HandOver, Quarantine};
use crate::decision::{Decision, Placement, Retry, Turn};
use crate::event::{
    AttemptEnded, AttemptStarted, Decided, Device, Event, ProcessIdentity, Stamped, StudyEnd, StudyStarted,
};
use crate::reading::ReadingError;
use crate::study::{ExperimentId, Format, Source, Study};

use super::{Outcome, StudyState};

const SEEDS: u64 = 20_000;

/// What would happen to a study that is run by a host which may crash at any moment.
struct World {
    random: ChaCha8Rng,
    state: StudyState,
    journal: Vec<Stamped>,
    now: Timestamp,
    /// Actions that no event has settled.
    pending: Vec<Action>,
    /// Supervisors at work, which outlive a host: whose, and whether they were told to end.
    running: BTreeMap<ExperimentId, (Start, bool)>,
    /// Every attempt that has begun, by its number.
    numbers: BTreeSet<(ExperimentId, Stage, u32)>,
    /// How often each experiment's `measure` and `finish` have begun.
    begun: BTreeMap<(ExperimentId, Stage), u32>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let devices = random.random_range(1..=4_usize);
        let study = Arc::new(study(&mut random, devices));
        let devices = vec![Device { id: String::new(), name: String::new() }; devices];
        Self {
            state: StudyState::new(study, devices),
            random,
            journal: Vec::new(),
            now: Timestamp::UNIX_EPOCH,
            pending: Vec::new(),
            running: BTreeMap::new(),
            numbers: BTreeSet::new(),
            begun: BTreeMap::new(),
        }
    }

    fn happen(&mut self, event: Event) {
        self.now = self.now.checked_add(Duration::from_millis(10)).expect("simulated time is short");
        let stamped = Stamped { at: self.now, event };
        let actions = self.state.apply(&stamped);
        self.journal.push(stamped);
        self.check_leases();
        self.pending.extend(actions);
    }

    /// No device may ever have two holders, and whoever runs holds what it needs.
    fn check_leases(&self) {
        let mut held = BTreeSet::new();
        for (start, _) in self.running.values() {
            for device in &start.devices {
                assert!(held.insert(*device), "device {device} is used by two running attempts");
            }
        }
    }

    /// One host's life, up to the study's end or a crash.
    fn live(&mut self, crash_after: Option<usize>) -> Option<StudyEnd> {
        for _ in 0..crash_after.unwrap_or(100_000) {
            if let Some(end) = self.state.ended() {
                return Some(end.clone());
            }
            self.step();
        }
        assert!(crash_after.is_some(), "the study does not come to an end");
        None
    }

    /// Settles a pending action, ends a running attempt, or interrupts.
    fn step(&mut self) {
        if self.random.random_ratio(1, 200) {
            return self.happen(Event::Interrupted { signal: 2 });
        }
        let choices = self.pending.len() + self.running.len();
        assert!(choices > 0, "nothing is left to happen, and the study has not ended");
        let choice = self.random.random_range(0..choices);
        if choice < self.pending.len() {
            let action = self.pending.swap_remove(choice);
            self.settle(action);
        } else {
            let id = *self.running.keys().nth(choice - self.pending.len()).expect("chosen among them");
            self.attempt_ends(id);
        }
    }

    fn settle(&mut self, action: Action) {
        match action {
            Action::StartAttempt(start) => self.start(start),
            Action::Ask { experiment, .. } => {
                let decision = self.decide(experiment);
                let (decision, _) = self.state.bound(experiment, decision);
                let (stage, attempt) = self.state.newest_attempt(experiment);
                self.happen(Event::Decided(Decided {
                    experiment,
                    stage,
                    attempt,
                    decision,
                    by: "simulation".to_owned(),
                    fault: None,
                    bounded: Vec::new(),
                    fuel: 0,
                    took: Duration::ZERO,
                }));
            }
            Action::Backoff { experiment, .. } => self.happen(Event::BackoffElapsed { experiment }),
            Action::CancelBackoffs => {
                self.pending.retain(|action| !matches!(action, Action::Backoff { .. }));
            }
            Action::AwaitGrace => self.happen(Event::GraceElapsed),
            Action::EndAttempts { .. } => {
                for (_, told) in self.running.values_mut() {
                    *told = true;
                }
            }
            Action::End(how) => {
                self.pending.retain(|action| !matches!(action, Action::End(_)));
                if self.state.ended().is_none() {
                    self.happen(Event::StudyEnded { how });
                }
            }
        }
    }

    fn start(&mut self, start: Start) {
        // One that a crashed host did not get to start, on a device found sick since.
        if !self.running.contains_key(&start.experiment) && self.state.unfit(&start).is_some() {
            return self.attempt_ended(start, false, false);
        }
        // Safe to repeat: a supervisor that is at work is found, not started again.
        if !self.running.contains_key(&start.experiment) {
            let number = (start.experiment, start.stage, start.attempt);
            assert!(self.numbers.insert(number), "the number of {number:?} is used twice");
            *self.begun.entry((start.experiment, start.stage)).or_default() += 1;
            self.running.insert(start.experiment, (start.clone(), false));
        }
        let supervisor = ProcessIdentity { pid: 1, start_ticks: 1, boot_id: String::new() };
        self.happen(Event::AttemptStarted(AttemptStarted {
            experiment: start.experiment,
            stage: start.stage,
            attempt: start.attempt,
            devices: start.devices,
            overrides: self.state.overrides(start.experiment).to_vec(),
            supervisor,
        }));
    }

    fn attempt_ends(&mut self, id: ExperimentId) {
        // An attempt whose start is not settled has not been seen by this host.
        if self.pending.iter().any(|action| matches!(action, Action::StartAttempt(s) if s.experiment == id)) {
            return;
        }
        let (start, told) = self.running.remove(&id).expect("it was running");
        let succeeded = !told && self.random.random_ratio(2, 3);
        self.attempt_ended(start, told, succeeded);
    }

    fn attempt_ended(&mut self, start: Start, told: bool, succeeded: bool) {
        let failure = Failure { class: FailureClass::Unknown, evidence: String::new() };
        let attempt = Attempt {
            number: start.attempt,
            stage: start.stage,
            ending: Ending::Exited(i32::from(!succeeded)),
            failure: (!succeeded).then_some(failure),
            waited_for: Duration::ZERO,
            ran_for: Duration::ZERO,
            stderr_tail: String::new(),
            stdout_tail: String::new(),
            self_report: None,
            faults: Vec::new(),
            memory: Vec::new(),
            foreign_processes: 0,
            throttled_for: Duration::ZERO,
            facts: Vec::new(),
        };
        let devices = start.devices.iter().map(|_| self.hand_over(20)).collect();
        self.happen(Event::AttemptEnded(AttemptEnded {
            experiment: start.experiment,
            interrupted: told,
            attempt,
            cleanup: None,
            devices,
            samples: None,
        }));
    }

    /// A device that is sick one time in so many.
    fn hand_over(&mut self, one_in: u32) -> HandOver {
        let sick = self.random.random_ratio(1, one_in);
        let quarantine =
            sick.then(|| Quarantine { reason: "the world says so".to_owned(), remedy: String::new() });
        HandOver { baseline_bytes: 0, reading: Err(ReadingError::NotSupported), quarantine }
    }

    fn readings(&mut self) -> Vec<HandOver> {
        (0..self.state.devices().len()).map(|_| self.hand_over(10)).collect()
    }

    fn decide(&mut self, id: ExperimentId) -> Decision {
        if self.state.newest_succeeded(id) {
            return Decision::Accept;
        }
        match self.random.random_range(0..10_u32) {
            0 => Decision::StopStudy("the world says so".to_owned()),
            1..4 => Decision::GiveUp("the world says so".to_owned()),
            _ => Decision::Retry(Retry {
                delay: Duration::from_secs(self.random.random_range(0..100)),
                placement: [Placement::AnyDevices, Placement::SameDevices, Placement::OtherDevices]
                    [self.random.random_range(0..3_usize)],
                turn: [Turn::WhenDue, Turn::Last][self.random.random_range(0..2_usize)],
                overrides: Vec::new(),
                reason: String::new(),
            }),
        }
    }

    /// The host dies: all that is left is the journal and what runs under supervisors.
    fn crash(&mut self) {
        let devices = self.state.devices().to_vec();
        let study = Arc::clone(self.state.study());
        let mut replayed = StudyState::new(study, devices);
        for stamped in &self.journal {
            replayed.apply(stamped);
        }
        assert_eq!(replayed, self.state, "a replay of the journal gives another state");
        self.state = replayed;
        self.pending.clear();
        if self.journal.is_empty() {
            return self.begin();
        }
        // Sometimes a person wants the failed ones to run again.
        let again = self.random.random_ratio(1, 4);
        let reopened = self.state.failed().filter(|_| again).collect();
        let readings = self.readings();
        self.happen(resumed(reopened, readings));
    }

    fn begin(&mut self) {
        let readings = self.readings();
        self.happen(Event::StudyStarted(StudyStarted {
            id: "simulation".to_owned(),
            host_version: String::new(),
            source: Source { path: "/study.toml".into(), format: Format::Toml, text: String::new() },
            policy: None,
            devices: Vec::new(),
            readings,
            policies: Vec::new(),
            pins: Vec::new(),
        }));
    }
}

fn resumed(reopened: Vec<ExperimentId>, readings: Vec<HandOver>) -> Event {
    Event::StudyResumed { host_version: String::new(), policies: Vec::new(), readings, reopened }
}

fn study(random: &mut ChaCha8Rng, devices: usize) -> Study {
    let mut text = "name = \"simulated\"\n[limits]\nmax_attempts = 4\n".to_owned();
    for number in 0..random.random_range(1..8_u32) {
        let needed = random.random_range(1..=devices);
        text.push_str(&format!(
            "[[experiments]]\nname = \"e{number}\"\ndevices = {needed}\nmeasure = [\"true\"]\n"
        ));
        for stage in ["prepare", "finish"] {
            if random.random_ratio(1, 2) {
                text.push_str(&format!("{stage} = [\"true\"]\n"));
            }
        }
    }
    let source = Source { path: "/study.toml".into(), format: Format::Toml, text };
    Study::parse(&source).expect("simulated studies are studies")
}

fn run(seed: u64) {
    let mut world = World::new(seed);
    world.begin();
    for _ in 0..200 {
        let crash_after = world.random.random_ratio(1, 2).then(|| world.random.random_range(0..30_usize));
        let end = world.live(crash_after);
        let again = world.state.failed().next().is_some() && world.random.random_ratio(1, 3);
        if end == Some(StudyEnd::Completed) && !again {
            break;
        }
        // A crash, a stop, an interrupt, or failures to run again: a person resumes.
        world.crash();
    }
    let study = Arc::clone(world.state.study());
    assert_eq!(world.state.ended(), Some(&StudyEnd::Completed), "200 resumes do not complete the study");
    assert!(world.running.is_empty(), "attempts run on after the study's end");
    assert_eq!(world.state.in_flight, 0);
    let progress = world.state.progress(world.now);
    let (mut succeeded, mut failed) = (0, 0);
    for id in study.ids() {
        match world.state.outcome(id) {
            Some(Outcome::Succeeded) => succeeded += 1,
            Some(Outcome::Failed) => failed += 1,
            None => panic!("{} never ended", study.name_of(id)),
        }
        let begun = |stage| world.begun.get(&(id, stage)).copied().unwrap_or_default();
        assert!(
            begun(Stage::Measure) == 0 || !study.has_stage(id, Stage::Finish) || begun(Stage::Finish) > 0,
            "`finish` of {} never ran, and its `measure` did",
            study.name_of(id)
        );
    }
    assert_eq!((progress.succeeded, progress.failed, progress.remaining), (succeeded, failed, 0));
    world.crash_checks();
}

impl World {
    /// Every prefix of the journal is a state that a host may find.
    fn crash_checks(&mut self) {
        let cut = self.random.random_range(1..=self.journal.len());
        let mut replayed = StudyState::new(Arc::clone(self.state.study()), self.state.devices().to_vec());
        for stamped in &self.journal[..cut] {
            replayed.apply(stamped);
        }
        let once = replayed.clone();
        let reopened = replayed.failed().collect();
        let stamped = Stamped { at: self.now, event: resumed(reopened, self.readings()) };
        let first = replayed.apply(&stamped);
        let mut again = once;
        assert_eq!(first, again.apply(&stamped), "two resumes from one journal do different things");
    }
}

#[test]
fn every_world_comes_to_its_end_and_every_replay_to_its_state() {
    if let Some(seed) = number("REPRIEVE_SEED") {
        return run(seed);
    }
    for seed in 0..number("REPRIEVE_SEEDS").unwrap_or(SEEDS) {
        let ran = std::panic::catch_unwind(|| run(seed));
        assert!(ran.is_ok(), "world {seed} fails; REPRIEVE_SEED={seed} runs it alone");
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}
