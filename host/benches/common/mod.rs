//! What the benchmarks share: alternating rounds, medians, peers in other languages.
//!
//! Times on a shared machine vary by a factor of two from one second to the
//! next, so no time is compared with one from another run: what is compared is
//! measured in the same round, the ratio is taken in that round, and the
//! median of those ratios is what counts.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads clocks and starts its peers")]
#![expect(dead_code, reason = "no benchmark uses all of it")]

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// One of the things that are compared. A sample is in microseconds for one operation.
pub(crate) struct Variant<'a> {
    name: String,
    sample: Box<dyn FnMut() -> f64 + 'a>,
}

/// The samples of every variant, round by round.
pub(crate) struct Samples {
    names: Vec<String>,
    rounds: Vec<Vec<f64>>,
}

/// A median between the first and the third quartile.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) first: f64,
    pub(crate) median: f64,
    pub(crate) third: f64,
}

impl<'a> Variant<'a> {
    pub(crate) fn new(name: impl Into<String>, sample: impl FnMut() -> f64 + 'a) -> Self {
        Self { name: name.into(), sample: Box::new(sample) }
    }

    /// The CPU time of this thread for one call, of so many calls in a row.
    pub(crate) fn cpu<T>(name: &str, calls: u32, mut call: impl FnMut() -> T + 'a) -> Self {
        Self::new(name, move || {
            let before = thread_cpu();
            for _ in 0..calls {
                std::hint::black_box(call());
            }
            micros(thread_cpu() - before) / f64::from(calls)
        })
    }

    /// The time on the clock of one call, of so many calls in a row.
    pub(crate) fn wall<T>(name: &str, calls: u32, mut call: impl FnMut() -> T + 'a) -> Self {
        Self::new(name, move || {
            let before = Instant::now();
            for _ in 0..calls {
                std::hint::black_box(call());
            }
            micros(before.elapsed()) / f64::from(calls)
        })
    }
}

/// Takes one sample of each variant a round, there and back again, after a round that does not count.
pub(crate) fn alternate(rounds: usize, mut variants: Vec<Variant<'_>>) -> Samples {
    let mut samples =
        Samples { names: variants.iter().map(|v| v.name.clone()).collect(), rounds: Vec::new() };
    for round in 0..=rounds {
        let mut row = vec![0.0; variants.len()];
        let order: Vec<usize> = match round % 2 {
            0 => (0..variants.len()).collect(),
            _ => (0..variants.len()).rev().collect(),
        };
        for at in order {
            row[at] = (variants[at].sample)();
        }
        if round > 0 {
            samples.rounds.push(row);
        }
    }
    samples
}

impl Samples {
    fn position(&self, name: &str) -> usize {
        self.names.iter().position(|n| n == name).expect("a variant of this name")
    }

    pub(crate) fn of(&self, name: &str) -> Spread {
        let at = self.position(name);
        Spread::of(self.rounds.iter().map(|row| row[at]).collect())
    }

    /// How many times as long the one takes as the other.
    pub(crate) fn ratio(&self, name: &str, to: &str) -> Spread {
        let (at, to) = (self.position(name), self.position(to));
        Spread::of(self.rounds.iter().map(|row| row[at] / row[to]).collect())
    }

    /// All variants beside each of these.
    pub(crate) fn print(&self, unit: &str, beside: &[&str]) {
        let (divisor, digits) = if unit == "ms" { (1e3, 2) } else { (1.0, 2) };
        print!("{:<44} {:>26}", "", format!("median {unit} (quartiles)"));
        for name in beside {
            print!("  {:>24}", format!("x {name}"));
        }
        println!();
        for name in &self.names {
            let Spread { first, median, third } = self.of(name);
            let [first, median, third] = [first, median, third].map(|v| v / divisor);
            print!("{name:<44} {:>26}", format!("{median:.digits$} ({first:.digits$}..{third:.digits$})"));
            for other in beside {
                print!("  {:>24}", self.ratio(name, other).to_string());
            }
            println!();
        }
        println!();
    }
}

impl Spread {
    pub(crate) fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let at = |part: f64| samples[((samples.len() - 1) as f64 * part).round() as usize];
        Self { first: at(0.25), median: at(0.5), third: at(0.75) }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} ({:.2}..{:.2})", self.median, self.first, self.third)
    }
}

/// Says of a goal whether it was met.
pub(crate) fn goal(what: &str, value: f64, at_most: f64) {
    let verdict = if value <= at_most { "met" } else { "MISSED" };
    println!("goal {verdict}: {what} is {value:.2}, at most {at_most}");
}

pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The CPU time that this thread has used.
pub(crate) fn thread_cpu() -> Duration {
    cpu(nix::libc::CLOCK_THREAD_CPUTIME_ID)
}

/// The CPU time that this process has used.
pub(crate) fn process_cpu() -> Duration {
    cpu(nix::libc::CLOCK_PROCESS_CPUTIME_ID)
}

#[expect(unsafe_code, reason = "no safe dependency of ours reads these clocks")]
fn cpu(clock: nix::libc::clockid_t) -> Duration {
    use nix::libc;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live `timespec` of ours.
    let failed = unsafe { libc::clock_gettime(clock, &raw mut time) };
    assert_eq!(failed, 0, "Linux has this clock");
    Duration::new(time.tv_sec.try_into().expect("positive"), time.tv_nsec.try_into().expect("below 1e9"))
}

/// A program with the environment that a person's shell would give it. Cargo
/// sets a search path for libraries that makes every program's start slower.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_remove("LD_LIBRARY_PATH");
    command
}

/// Where the build's output is, which is where the peers are installed too.
pub(crate) fn target() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target")
}

/// A Python with the peers; see the README for how to install them.
pub(crate) fn python() -> PathBuf {
    target().join("bench-peers/venv/bin/python3")
}

/// A peer that runs in Python: a warm process that measures itself when asked.
pub(crate) struct Peer {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    pub(crate) version: String,
}

impl Peer {
    /// Starts a peer of `peers.py`; prints why where it is not there.
    pub(crate) fn start(name: &str, args: &[&str]) -> Option<Self> {
        match Self::try_start(name, args) {
            Ok(peer) => Some(peer),
            Err(why) => {
                println!("SKIPPED {name}: {why}");
                None
            }
        }
    }

    fn try_start(name: &str, args: &[&str]) -> Result<Self, String> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers.py");
        let mut child = command(python())
            .args([script, name])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("no Python in `target/bench-peers/venv`: {error}"))?;
        let requests = child.stdin.take().expect("it was piped");
        let answers = BufReader::new(child.stdout.take().expect("it was piped"));
        let mut peer = Self { child, requests, answers, version: String::new() };
        peer.version = peer.line().ok_or("it is not installed there, or does not start")?;
        Ok(peer)
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line).ok()?;
        (!line.is_empty()).then(|| line.trim().to_owned())
    }

    /// Microseconds for one operation, of so many in a row.
    pub(crate) fn sample(&mut self, operations: u32) -> f64 {
        writeln!(self.requests, "{operations}").expect("the peer listens");
        let seconds: f64 = self.line().expect("the peer answers").parse().expect("seconds");
        seconds * 1e6 / f64::from(operations)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The machine and the versions that figures belong to.
pub(crate) fn machine() {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("\t: unknown");
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    println!(
        "{cpus} CPUs, {}; Linux {}; load {}",
        model.trim_start_matches([' ', '\t', ':']),
        read("/proc/sys/kernel/osrelease").trim(),
        read("/proc/loadavg").trim()
    );
}
