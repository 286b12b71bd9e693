//! Carries out one attempt, from its assignment to its record.
//!
//! Runs as a process of its own and needs no host: it finishes its work and
//! writes the record whether or not anybody waits for it. What follows the
//! attempt is not decided here.

mod assignment;
mod child;
mod cleaner;
mod evidence;
mod handover;
pub(crate) mod leased;
mod observe;
pub(crate) mod output;
mod planner;
mod probe;
mod record;
mod shared_memory;
pub(crate) mod steps;
mod tree;

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use crate::attempt::{Attempt, Parameter};
use crate::cleanup::{Cleanup, Consequence, HandOver, Occasion, PlanQuestion, StepOutcome};
use crate::clock;
use crate::process::ControlGroup;

pub use assignment::{Assignment, LeasedDevice};
use child::End;
use cleaner::Shared;
use observe::Observer;
use planner::{Plan, Planner};
pub use record::Record;
pub(crate) use tree::REQUESTS;
use tree::Tree;

/// The program that is running, even where its file has been replaced
/// meanwhile (proc(5)): it starts itself, as supervisor and as probe.
pub const OWN_PROGRAM: &str = "/proc/self/exe";

/// How long a record waits for room on the disk, and how often it is tried again.
const WAITS_FOR_ROOM: Duration = Duration::from_secs(600);
const LOOKS_FOR_ROOM: Duration = Duration::from_millis(500);

/// Held by a supervisor for as long as it lives, in its attempt's directory.
pub const LOCK_FILE: &str = "supervisor.lock";

/// The child's output in an attempt's directory; where it is long, what came
/// before is in a second file, and what came before that is dropped.
pub const STDOUT_FILE: &str = "stdout.log";
/// The child's errors in an attempt's directory; see [`STDOUT_FILE`].
pub const STDERR_FILE: &str = "stderr.log";
/// Where the child may report on itself, in its attempt's directory.
pub const REPORT_FILE: &str = "report.json";

/// Carries out the attempt that the directory's assignment describes, and
/// leaves its record there. Where another supervisor is at work, it waits for
/// that one; where another has left its record, it does nothing. Where another
/// has begun and was killed, the attempt is lost and not run again: this one
/// ends what it left, cleans its devices, and writes the record. So starting one
/// twice is safe.
///
/// # Errors
///
/// Where the assignment cannot be read or the record cannot be written. What
/// happens to the experiment is never an error.
pub fn supervise(dir: &Path) -> io::Result<()> {
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(dir.join(LOCK_FILE))?;
    // Where another is at work, its end is awaited: whoever started this one
    // waits for the attempt, and must not take it for lost.
    flock(&lock, FlockOperation::LockExclusive)?;
    if Record::exists_in(dir) {
        return Ok(());
    }
    let is_lost = lock.metadata()?.len() > 0;
    // Never shortened: were it empty, the attempt would be run again.
    lock.write_all_at(format!("{}\n", std::process::id()).as_bytes(), 0)?;
    let assignment = Assignment::read(dir)?;
    let started_at = clock::wall();
    // To join a group may take 20 ms, twice what a whole attempt without
    // devices does: only what can hold a device's memory is worth that.
    let group = (!assignment.devices.is_empty()).then(|| ControlGroup::of(&assignment.token).ok()).flatten();
    let tree = Tree::new(is_lost.then(|| assignment.token.clone()), group)?;
    let shared = Shared::new(&assignment, tree);
    let mut planner = Planner::new(assignment.planner.clone(), assignment.cache.clone());
    let locks = {
        let cleaner = &mut *shared.lock();
        cleaner.leased.lock(&assignment.token, &mut cleaner.tree)
    };
    let mut before = Cleanup::default();
    let mut observer = None;
    let end = if is_lost {
        End::lost(dir)
    } else if locks.is_none() {
        End::interrupted("its devices were another attempt's".to_owned())
    } else {
        before = clean(&assignment, &shared, &mut planner, Occasion::BeforeAttempt);
        observer = Some(Observer::start(&shared.lock().leased, assignment.nvml.sample_every, dir));
        match unfit(&before) {
            Some(why) => End::not_started(why),
            None => child::run(&assignment, &mut shared.lock().tree, dir)
                .unwrap_or_else(|error| End::not_started(error.to_string())),
        }
    };
    let mut attempt = evidence::attempt(&assignment, &end, &dir.join(REPORT_FILE));
    let samples = observer.and_then(|observer| observer.stop(&shared.lock().leased, &mut attempt));
    evidence::heed_faults(&mut attempt);
    let mut cleanup =
        clean(&assignment, &shared, &mut planner, Occasion::AfterAttempt(Box::new(attempt.clone())));
    cleanup.prepend(before);
    let devices = finish(&assignment, &shared, &mut attempt, &mut cleanup);
    let record = Record {
        token: assignment.token,
        started_at,
        interrupted: end.interrupted,
        attempt,
        cleanup,
        devices,
        samples,
    };
    // A disk that is full now is not worth a measurement of hours.
    let wait_until = clock::monotonic() + WAITS_FOR_ROOM;
    loop {
        let written = record.write(dir);
        let is_full = matches!(
            written.as_ref().map_err(io::Error::kind),
            Err(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        );
        if !is_full || clock::monotonic() >= wait_until || !shared.lock().tree.pause(LOOKS_FOR_ROOM) {
            return written;
        }
    }
}

/// Has a cleanup planned, and carries it out.
fn clean(assignment: &Assignment, shared: &Shared, planner: &mut Planner, occasion: Occasion) -> Cleanup {
    let question =
        PlanQuestion { experiment: assignment.experiment.clone(), occasion, asked_at: clock::wall() };
    let Plan { steps, by, fault } = planner.plan(&question, || Box::new(shared.clone()));
    let mut cleaner = shared.lock();
    for step in steps {
        cleaner.perform(step, false);
    }
    Cleanup {
        by,
        steps: std::mem::take(&mut cleaner.reports),
        fault,
        bounded: std::mem::take(&mut cleaner.bounded),
    }
}

/// Why an attempt cannot start on its devices, where a step said so.
fn unfit(cleanup: &Cleanup) -> Option<String> {
    cleanup.steps.iter().find_map(|report| match (&report.outcome, report.step.if_it_fails) {
        (StepOutcome::Failed(why), Consequence::QuarantineDevice | Consequence::StopStudy) => {
            Some(format!("{} failed before it: {why}", report.step.action.name()))
        }
        _ => None,
    })
}

/// What holds whatever a plan did: nothing of the attempt's is left running,
/// and each device is clean or quarantined.
fn finish(
    assignment: &Assignment,
    shared: &Shared,
    attempt: &mut Attempt,
    cleanup: &mut Cleanup,
) -> Vec<HandOver> {
    let mut cleaner = shared.lock();
    let alive = cleaner.tree.end_all(assignment.grace()).err().map(|error| error.to_string());
    if let Some(alive) = &alive {
        attempt.facts.push(Parameter { name: "leftovers-alive".to_owned(), value: alive.clone() });
    }
    let leftovers = cleaner.tree.leftovers();
    if leftovers > 0 {
        attempt.facts.push(Parameter { name: "leftovers-ended".to_owned(), value: leftovers.to_string() });
    }
    let devices = handover::hand_over(&mut cleaner, attempt, &cleanup.steps, assignment.use_unclean, alive);
    cleanup.steps.append(&mut cleaner.reports);
    devices
}
