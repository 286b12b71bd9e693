//! What waiting costs: 100,000 experiments that are all in backoff.
//!
//! A journal of such a study is made up, and a real host in this process
//! resumes it. One experiment that sleeps holds the only slot, so that what
//! comes due waits behind it, and the host does nothing but wait.
//!
//! Measured are the host's memory, its CPU time while nothing comes due, how
//! late it reports `backoff-elapsed` (after journaling it with a sync, as it
//! does everything), and what an event costs in small and in large studies.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod common;

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use common::{Spread, Variant, alternate, goal, micros, thread_cpu};
use jiff::Timestamp;
use reprieve::attempt::{Attempt, Ending, Failure, FailureClass, Stage};
use reprieve::clock;
use reprieve::decision::{Decision, Placement, Retry, Turn};
use reprieve::event::{
    AttemptEnded, AttemptStarted, Decided, Device, Event, ProcessIdentity, Stamped, StudyStarted,
};
use reprieve::journal::{self, Journal};
use reprieve::reporter::Reporter;
use reprieve::runner::{Resume, Runner};
use reprieve::state::StudyState;
use reprieve::study::{ExperimentId, Format, Source, Study};

const MANY: u32 = 100_000;
const FEW: u32 = 1_000;
/// Until the first delay is over: enough to write and read the journal, and to be idle.
const QUIET: Duration = Duration::from_secs(12);
/// Over which the delays end.
const WINDOW: Duration = Duration::from_secs(5);
/// Over which CPU time is measured.
const IDLE: Duration = Duration::from_secs(4);
const EVENT_ROUNDS: usize = 21;

fn main() {
    common::machine();
    // Beside the build's output, so that it is on a real disk.
    let dir = tempfile::tempdir_in(common::target()).expect("a temporary directory");
    let bytes = waiting(&subdirectory(dir.path(), "waiting"), "the journal on a disk");
    println!("resident memory, the study itself included: {bytes:.0} bytes an experiment");
    goal("bytes an experiment", bytes, 500.0);
    // Its memory is then what the first host has freed, and says nothing.
    let memory = tempfile::tempdir_in("/dev/shm").expect("Linux has memory for files");
    waiting(memory.path(), "the journal in memory, where a sync costs nothing");
    events(dir.path());
}

/// A host that waits out 100,000 delays. Returns by how much its memory has
/// grown, in bytes for each of them.
fn waiting(dir: &Path, on: &str) -> f64 {
    let start = clock::wall();
    write_journal(dir, start);
    println!("\n{MANY} experiments in backoff, due over {} s, {on}:", WINDOW.as_secs());
    let late = Rc::new(RefCell::new(Vec::with_capacity(MANY as usize)));
    let reporter = Box::new(Lateness { start, late: Rc::clone(&late) });
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime is to be had");
    let grown = tokio::task::LocalSet::new().block_on(&runtime, async {
        let before = resident_bytes();
        let program = env!("CARGO_BIN_EXE_reprieve").into();
        let began = clock::monotonic();
        let runner = Runner::resume(dir, Resume::default(), None, program, reporter).expect("it resumes");
        resumed(dir, began.elapsed());
        let host = tokio::task::spawn_local(runner.run());
        tokio::time::sleep(Duration::from_secs(1)).await;
        let grown = resident_bytes().saturating_sub(before) as f64 / f64::from(MANY);
        let (cpu, began) = (thread_cpu(), clock::monotonic());
        tokio::time::sleep(IDLE).await;
        let idle = (thread_cpu() - cpu).as_secs_f64() / began.elapsed().as_secs_f64() * 100.0;
        println!("CPU time while nothing is due: {idle:.4} % of one CPU over {} s", IDLE.as_secs());
        goal("percent of a CPU", idle, 0.05);
        let left = Duration::try_from(due(start, 1).duration_since(clock::wall()));
        let left = left.expect("the journal is read before the first delay is over; raise `QUIET`");
        let floor = floor(clock::monotonic() + left);
        tokio::time::sleep(left + WINDOW + Duration::from_secs(1)).await;
        assert!(!host.is_finished(), "the host goes on waiting for the experiment that sleeps");
        host.abort();
        let _ = host.await;
        lateness("lateness of a thread that sleeps every millisecond", floor.recv().expect("it ends"));
        grown
    });
    let late = late.take();
    assert_eq!(late.len(), MANY as usize - 1, "every delay is over");
    let early = late.iter().filter(|late| **late < 0.0).count();
    println!("early: {early}");
    goal(
        "99 % of experiments are late by milliseconds",
        lateness("lateness of `backoff-elapsed`", late),
        3.0,
    );
    goal("experiments that are early", early as f64, 0.0);
    grown
}

/// What taking up a journal took, beside only parsing its lines as JSON.
fn resumed(dir: &Path, took: Duration) {
    let began = clock::monotonic();
    let journal = fs::read_to_string(dir.join(journal::FILE)).expect("it is there");
    let lines = journal.lines().map(serde_json::from_str::<serde::de::IgnoredAny>);
    let events = lines.filter(Result::is_ok).count() - 1;
    let floor = began.elapsed();
    let (took, floor) = (took.as_secs_f64(), floor.as_secs_f64());
    println!("resuming from {events} events: {took:.2} s, {:.1} x parsing them as JSON", took / floor);
    goal("seconds for 100,000 events", took / events as f64 * 1e5, 2.0);
}

/// Prints quantiles of microseconds, and returns the 99th in milliseconds.
fn lateness(what: &str, mut late: Vec<f64>) -> f64 {
    late.sort_by(f64::total_cmp);
    let at = |part: f64| late[((late.len() - 1) as f64 * part) as usize] / 1e3;
    println!("{what}: p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms", at(0.5), at(0.99), at(1.0));
    at(0.99)
}

/// How late the system itself wakes a thread over the same time.
#[expect(clippy::disallowed_methods, reason = "the floor is what a plain sleep does")]
fn floor(start: std::time::Instant) -> mpsc::Receiver<Vec<f64>> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut late = Vec::new();
        let mut due = start;
        while due < start + WINDOW {
            std::thread::sleep(due.saturating_duration_since(clock::monotonic()));
            late.push(micros(clock::monotonic().saturating_duration_since(due)));
            due += Duration::from_millis(1);
        }
        let _ = send.send(late);
    });
    receive
}

/// Notes how late each delay's end is reported, in microseconds.
struct Lateness {
    start: Timestamp,
    late: Rc<RefCell<Vec<f64>>>,
}

impl Reporter for Lateness {
    fn report(&mut self, stamped: &Stamped, _: &StudyState) {
        if let Event::BackoffElapsed { experiment } = stamped.event {
            let late = clock::wall().duration_since(due(self.start, experiment.0));
            self.late.borrow_mut().push(late.as_secs_f64() * 1e6);
        }
    }
}

/// What an event costs: taking it in, and journaling it.
fn events(dir: &Path) {
    println!("\nCPU time of an event, {EVENT_ROUNDS} rounds; a retry is three of them:");
    let mut variants = Vec::new();
    for (experiments, apply, append) in [
        (FEW, "apply, 1,000 experiments", "append, 1,000 experiments"),
        (MANY, "apply, 100,000 experiments", "append, 100,000 experiments"),
    ] {
        let mut state = StudyState::new(Arc::new(study(dir, experiments)), slots());
        let dir = subdirectory(dir, &experiments.to_string());
        let mut journal = Journal::create(&dir).expect("a journal");
        let start = clock::wall();
        let mut fill = Vec::new();
        for id in 0..experiments {
            for event in retry(start, id) {
                state.apply(&event);
                fill.push(event);
            }
        }
        journal.append(&fill).expect("the disk has room");
        // Each in turn comes due, runs, fails and waits again.
        let mut next = 0;
        let calls = 400;
        variants.push(Variant::new(apply, move || {
            let mut events = Vec::new();
            for _ in 0..calls {
                let experiment = ExperimentId(next);
                events.push(Stamped { at: start, event: Event::BackoffElapsed { experiment } });
                events.extend(retry(start, next));
                next = (next + 7) % experiments;
            }
            let before = thread_cpu();
            for event in &events {
                std::hint::black_box(state.apply(event));
            }
            micros(thread_cpu() - before) / events.len() as f64
        }));
        let events = retry(start, 1);
        let batch: Vec<Stamped> = events.iter().cycle().take(300).cloned().collect();
        variants.push(Variant::new(append, move || {
            let before = thread_cpu();
            journal.append(&batch).expect("the disk has room");
            micros(thread_cpu() - before) / batch.len() as f64
        }));
    }
    let samples = alternate(EVENT_ROUNDS, variants);
    samples.print("us", &["apply, 1,000 experiments", "append, 1,000 experiments"]);
    let growth = |many, few| -> Spread { samples.ratio(many, few) };
    goal(
        "taking an event in, of 100,000 to of 1,000",
        growth("apply, 100,000 experiments", "apply, 1,000 experiments").median,
        2.0,
    );
    goal(
        "journaling an event, of 100,000 to of 1,000",
        growth("append, 100,000 experiments", "append, 1,000 experiments").median,
        1.2,
    );
}

/// When an experiment's delay is over: they are spread evenly, in no order.
fn due(start: Timestamp, id: u32) -> Timestamp {
    let place = f64::from((u64::from(id) * 7_919 % u64::from(MANY)) as u32) / f64::from(MANY);
    let delay = if id == 1 { QUIET } else { QUIET + WINDOW.mul_f64(place) };
    start.checked_add(whole_millis(delay)).expect("within centuries")
}

/// The journal has milliseconds.
fn whole_millis(delay: Duration) -> Duration {
    Duration::from_millis(u64::try_from(delay.as_millis()).expect("seconds"))
}

/// An attempt that is started, fails, and is to be tried again.
fn retry(start: Timestamp, id: u32) -> [Stamped; 3] {
    let experiment = ExperimentId(id);
    let delay = Duration::try_from(due(start, id).duration_since(start)).expect("positive");
    let supervisor =
        ProcessIdentity { pid: 1, start_ticks: 1, boot_id: "5201cfb1-f6ea-4b09-9a3e-db7618260bd9".into() };
    let events = [
        Event::AttemptStarted(AttemptStarted {
            experiment,
            stage: Stage::Measure,
            attempt: 1,
            devices: vec![0],
            overrides: Vec::new(),
            supervisor,
        }),
        Event::AttemptEnded(AttemptEnded {
            experiment,
            interrupted: false,
            attempt: failed(),
            cleanup: None,
            devices: Vec::new(),
            samples: None,
        }),
        Event::Decided(Decided {
            experiment,
            stage: Stage::Measure,
            attempt: 1,
            decision: Decision::Retry(Retry {
                delay,
                placement: Placement::AnyDevices,
                turn: Turn::WhenDue,
                overrides: Vec::new(),
                reason: "network failure can pass".into(),
            }),
            by: "standard".into(),
            fault: None,
            bounded: Vec::new(),
            fuel: 20_000,
            took: Duration::from_micros(30),
        }),
    ];
    events.map(|event| Stamped { at: start, event })
}

/// Every experiment but the first has failed once; the first starts when the host does.
fn write_journal(dir: &Path, start: Timestamp) {
    let started = StudyStarted {
        readings: Vec::new(),
        id: "backoff".into(),
        host_version: env!("CARGO_PKG_VERSION").into(),
        source: source(dir, MANY),
        policy: None,
        devices: slots(),
        policies: Vec::new(),
        pins: Vec::new(),
    };
    let mut journal = Journal::create(dir).expect("a journal");
    let mut events = vec![Stamped { at: start, event: Event::StudyStarted(started) }];
    // The first one holds the slot until it is judged, and so is judged too:
    // it goes on at once, and then sleeps.
    let mut first = retry(start, 0);
    if let Event::Decided(decided) = &mut first[2].event
        && let Decision::Retry(retry) = &mut decided.decision
    {
        retry.delay = Duration::ZERO;
    }
    events.extend(first);
    events.extend((1..MANY).flat_map(|id| retry(start, id)));
    events.push(Stamped { at: start, event: Event::BackoffElapsed { experiment: ExperimentId(0) } });
    journal.append(&events).expect("the disk has room");
}

fn failed() -> Attempt {
    let evidence = "requests.exceptions.ConnectionError: Connection reset by peer".to_owned();
    Attempt {
        number: 1,
        stage: Stage::Measure,
        ending: Ending::Exited(1),
        failure: Some(Failure { class: FailureClass::Network, evidence: evidence.clone() }),
        waited_for: Duration::ZERO,
        ran_for: Duration::from_secs(3),
        stderr_tail: evidence,
        stdout_tail: String::new(),
        self_report: None,
        faults: Vec::new(),
        memory: Vec::new(),
        foreign_processes: 0,
        throttled_for: Duration::ZERO,
        facts: Vec::new(),
    }
}

fn slots() -> Vec<Device> {
    vec![Device { id: "0".into(), name: "slot".into() }]
}

fn study(dir: &Path, experiments: u32) -> Study {
    Study::parse(&source(dir, experiments)).expect("a study")
}

fn source(dir: &Path, experiments: u32) -> Source {
    let text = format!(
        "name = \"backoff\"\nslots = 1\nrepeats = {experiments}\n[[experiments]]\nname = \"e\"\n\
         measure = [\"sleep\", \"30\"]\n"
    );
    Source { path: dir.join("backoff.toml"), format: Format::Toml, text }
}

fn subdirectory(dir: &Path, name: &str) -> PathBuf {
    let path = dir.join(name);
    fs::create_dir(&path).expect("a directory");
    path
}

fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("proc(5) has it");
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().expect("a number") * 1024
}
