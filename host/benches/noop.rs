//! What an experiment costs that does nothing, one at a time, and where it goes.
//!
//! Whole studies of `true`, by the `reprieve` command and by its peers, and
//! each part of an attempt measured alone. Then whole studies again by a host
//! with much memory: starting a process must not cost what the host holds.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::disallowed_methods, reason = "a benchmark starts what it measures, and reads clocks")]

mod common;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use common::{Peer, Samples, Variant, alternate, goal, micros};
use jiff::Timestamp;
use reprieve::attempt::{Attempt, Ending, Stage};
use reprieve::decision::{Progress, Question, Subject};
use reprieve::event::{AttemptEnded, Device, Event, Stamped};
use reprieve::journal::Journal;
use reprieve::policy::{Engine, Limits, Policy, PolicySource};
use reprieve::process::Spawn;
use reprieve::reporter::Reporter;
use reprieve::runner::{Begin, Runner};
use reprieve::state::StudyState;
use reprieve::study::{ExperimentId, Format, NvmlRules, Source, Study};
use reprieve::supervisor::Assignment;

const REPRIEVE: &str = env!("CARGO_BIN_EXE_reprieve");
const ROUNDS: usize = 7;
const EXPERIMENTS: u32 = 50;
/// It works in batches, so fewer would be unfair to it.
const HYPERQUEUE_TASKS: u32 = 500;
const PART_ROUNDS: usize = 11;
const PART_CALLS: u32 = 10;
const BALLAST_BYTES: usize = 1 << 30;

fn main() {
    common::machine();
    // Beside the build's output, so that all of it is on a real disk.
    let dir = tempfile::tempdir_in(common::target()).expect("a temporary directory");
    // And where a sync costs nothing, as the peers sync nothing.
    let memory = tempfile::tempdir_in("/dev/shm").expect("Linux has memory for files");
    let whole = whole(dir.path(), memory.path());
    parts(dir.path(), "on the disk", whole.of("reprieve run").median);
    parts(memory.path(), "in memory", whole.of("reprieve run, in memory").median);
    ballast(memory.path());
}

fn whole(dir: &Path, memory: &Path) -> Samples {
    let study = dir.join("noop.toml");
    fs::write(&study, text()).expect("the study can be written");
    let numbers: Vec<String> = (0..EXPERIMENTS).map(|n| n.to_string()).collect();
    let mut variants = vec![
        Variant::wall("posix_spawn and wait", EXPERIMENTS, || spawn_and_wait("/bin/true")),
        Variant::new("reprieve run", || {
            let out = fresh(dir, "study");
            per_experiment(common::command(REPRIEVE).arg("run").arg(&study).arg("--dir").arg(out))
        }),
        Variant::new("reprieve run, in memory", || {
            let out = fresh(memory, "study");
            per_experiment(common::command(REPRIEVE).arg("run").arg(&study).arg("--dir").arg(out))
        }),
    ];
    let parallel = common::command("parallel").arg("--version").output().ok();
    let parallel =
        parallel.and_then(|out| String::from_utf8(out.stdout).ok()?.lines().next().map(str::to_owned));
    if let Some(version) = &parallel {
        println!("{version}");
        variants.push(Variant::new("GNU parallel -j1 --joblog", || {
            let log = fresh(dir, "joblog");
            let mut command = common::command("parallel");
            command.args(["--will-cite", "-j1", "-N0", "--joblog"]).arg(log).args(["true", ":::"]);
            per_experiment(command.args(&numbers))
        }));
    } else {
        println!("SKIPPED GNU parallel: `parallel` is not there");
    }
    let hyperqueue = Peer::start("hyperqueue", &[]);
    let has_hyperqueue = hyperqueue.is_some();
    if let Some(mut peer) = hyperqueue {
        println!("{}", peer.version);
        variants.push(Variant::new("HyperQueue, one core", move || peer.sample(HYPERQUEUE_TASKS)));
    }
    println!("\nwall time of one experiment, {ROUNDS} rounds of {EXPERIMENTS}:");
    let samples = alternate(ROUNDS, variants);
    samples.print("ms", &["posix_spawn and wait"]);
    if parallel.is_some() {
        goal(
            "an experiment in GNU parallel's",
            samples.ratio("reprieve run", "GNU parallel -j1 --joblog").median,
            1.0,
        );
    }
    if has_hyperqueue {
        goal(
            "an experiment in HyperQueue's",
            samples.ratio("reprieve run", "HyperQueue, one core").median,
            1.0,
        );
    }
    samples
}

/// Each part alone. What is left of the whole is the host's loop, its
/// directories and what waits for the disk together.
fn parts(dir: &Path, on: &str, whole: f64) {
    let engine = Engine::new(None).expect("this machine runs policies");
    let policy = Policy::load(&engine, &PolicySource::Standard, &serde_json::json!({}), Limits::DEFAULT)
        .expect("the standard policy loads");
    let question = question();
    let journal_dir = fresh(dir, "journal");
    fs::create_dir(&journal_dir).expect("a directory");
    let mut journal = Journal::create(&journal_dir).expect("a journal");
    let event = [Stamped {
        at: reprieve::clock::wall(),
        event: Event::AttemptEnded(AttemptEnded {
            experiment: ExperimentId(0),
            interrupted: false,
            attempt: succeeded(),
            cleanup: None,
            devices: Vec::new(),
            samples: None,
        }),
    }];
    let attempt = fresh(dir, "attempt");
    let nothing = dir.join("nothing");
    let supervise = |dir: &Path| {
        let status = common::command(REPRIEVE)
            .arg("supervise")
            .arg(dir)
            .stderr(Stdio::null())
            .status()
            .expect("it starts");
        assert_eq!(status.success(), dir.exists());
    };
    let mut floor = File::create(dir.join("floor")).expect("a file");
    let line = [b'x'; 300];
    println!("\nwall time of the parts {on}, {PART_ROUNDS} rounds of {PART_CALLS}:");
    let samples = alternate(
        PART_ROUNDS,
        vec![
            Variant::wall("append 300 bytes and fdatasync", PART_CALLS, || {
                floor.write_all(&line).and_then(|()| floor.sync_data()).expect("the disk has room");
            }),
            Variant::wall("a journal's append", PART_CALLS, || {
                journal.append(&event).expect("it is written")
            }),
            Variant::wall("a record's file: write, sync, rename, sync", PART_CALLS, || record(dir)),
            Variant::wall("posix_spawn and wait", PART_CALLS, || spawn_and_wait("/bin/true")),
            Variant::wall("supervise, no attempt to carry out", PART_CALLS, || supervise(&nothing)),
            Variant::wall("supervise, whole", PART_CALLS, || {
                let _ = fs::remove_dir_all(&attempt);
                fs::create_dir(&attempt).expect("a directory");
                assignment().write(&attempt).expect("it is written");
                supervise(&attempt);
            }),
            Variant::wall("a decision", PART_CALLS, || policy.decide(&question)),
        ],
    );
    samples.print("ms", &["posix_spawn and wait", "append 300 bytes and fdatasync"]);
    shares(&samples, on, whole);
}

fn shares(samples: &Samples, on: &str, whole: f64) {
    let of = |name| samples.of(name).median;
    let supervisor = of("supervise, whole");
    let spawn = of("posix_spawn and wait");
    let starting = of("supervise, no attempt to carry out");
    let record = of("a record's file: write, sync, rename, sync");
    // The third append, that of `attempt-started`, happens beside the supervisor.
    let appends = 2.0 * of("a journal's append");
    let decision = of("a decision");
    println!("shares of an experiment {on}, {:.2} ms:", whole / 1e3);
    for (what, share) in [
        ("the supervisor's start", starting),
        ("the child", spawn),
        ("the record", record),
        ("the supervisor's other work", supervisor - starting - spawn - record),
        ("the journal", appends),
        ("the decision", decision),
        ("the rest of the host", whole - supervisor - appends - decision),
    ] {
        println!("  {what:<30} {:>6.2} ms {:>4.0} %", share / 1e3, share / whole * 100.0);
    }
    println!();
}

/// What `supervisor::Record` does to the disk.
fn record(dir: &Path) {
    let (unfinished, finished) = (dir.join("record.unfinished"), dir.join("record"));
    let mut file = File::create(&unfinished).expect("a file");
    file.write_all(&[b'x'; 300]).and_then(|()| file.sync_data()).expect("the disk has room");
    fs::rename(&unfinished, &finished).expect("it is renamed");
    File::open(dir).and_then(|dir| dir.sync_all()).expect("the directory is synced");
}

/// Whole studies in this process, without and with 1 GiB that it has touched.
fn ballast(dir: &Path) {
    let run = || study_here(dir);
    println!("wall time of one experiment under a host in this process, {ROUNDS} rounds of {EXPERIMENTS}:");
    let samples = alternate(
        ROUNDS,
        vec![
            Variant::new("a small host", run),
            Variant::new("a host with 1 GiB", || {
                let ballast = vec![1_u8; BALLAST_BYTES];
                let sample = run();
                std::hint::black_box(ballast);
                sample
            }),
        ],
    );
    samples.print("ms", &["a small host"]);
    goal(
        "an experiment under a host with 1 GiB",
        samples.ratio("a host with 1 GiB", "a small host").median,
        1.1,
    );
}

fn study_here(dir: &Path) -> f64 {
    let source = Source { path: dir.join("noop.toml"), format: Format::Toml, text: text() };
    let begin = Begin {
        wait: false,
        dir: fresh(dir, "here"),
        study: Study::parse(&source).expect("a study"),
        source,
        policy: None,
        pins: Vec::new(),
        devices: vec![Device { id: "0".into(), name: "slot".into() }],
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime is to be had");
    let cache = dir.join("cache");
    let took = runtime.block_on(async {
        let runner =
            Runner::begin(begin, Some(&cache), REPRIEVE.into(), Box::new(Silent)).expect("it begins");
        let before = Instant::now();
        runner.run().await.expect("it runs");
        before.elapsed()
    });
    micros(took) / f64::from(EXPERIMENTS)
}

struct Silent;

impl Reporter for Silent {
    fn report(&mut self, _: &Stamped, _: &StudyState) {}
}

fn per_experiment(command: &mut Command) -> f64 {
    let before = Instant::now();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("it starts");
    assert!(status.success(), "{command:?} fails");
    micros(before.elapsed()) / f64::from(EXPERIMENTS)
}

/// A path in the directory at which nothing is.
fn fresh(dir: &Path, name: &str) -> PathBuf {
    let path = dir.join(name);
    let _ = fs::remove_dir_all(&path);
    let _ = fs::remove_file(&path);
    path
}

fn spawn_and_wait(program: &str) {
    let spawn = Spawn { program, args: &[], environment: &[], stdout: None, stderr: None, blocked: &[] };
    let pid = spawn.start().expect("it starts");
    nix::sys::wait::waitpid(nix::unistd::Pid::from_raw(pid), None).expect("it is our child");
}

fn text() -> String {
    let numbers: Vec<String> = (0..EXPERIMENTS).map(|n| n.to_string()).collect();
    let numbers = numbers.join(", ");
    format!(
        "name = \"noop\"\nslots = 1\n[[experiments]]\nname = \"n{{i}}\"\n\
         matrix = {{ i = [{numbers}] }}\nmeasure = [\"/bin/true\"]\n"
    )
}

fn assignment() -> Assignment {
    Assignment {
        token: "noop/0/measure/1".into(),
        command: vec!["/bin/true".into()],
        environment: vec![("REPRIEVE_TOKEN".into(), "noop/0/measure/1".into())],
        directory: "/".into(),
        timeout_ms: None,
        silence_ms: None,
        grace_ms: 1000,
        number: 1,
        stage: Stage::Measure,
        waited_for_ms: 0,
        experiment: Subject::default(),
        patterns: Vec::new(),
        devices: Vec::new(),
        nvml: NvmlRules::default(),
        planner: None,
        cache: Some(common::target().join("bench-cache")),
        hooks: BTreeMap::new(),
        use_unclean: false,
    }
}

fn question() -> Question {
    Question {
        experiment: Subject { name: "n0".into(), ..<_>::default() },
        attempts: vec![succeeded()],
        progress: Progress { remaining: 1, ..<_>::default() },
        devices: Vec::new(),
        asked_at: Timestamp::UNIX_EPOCH,
    }
}

fn succeeded() -> Attempt {
    Attempt {
        number: 1,
        stage: Stage::Measure,
        ending: Ending::Exited(0),
        failure: None,
        waited_for: std::time::Duration::ZERO,
        ran_for: std::time::Duration::from_millis(1),
        stderr_tail: String::new(),
        stdout_tail: String::new(),
        self_report: None,
        faults: Vec::new(),
        memory: Vec::new(),
        foreign_processes: 0,
        throttled_for: std::time::Duration::ZERO,
        facts: Vec::new(),
    }
}
