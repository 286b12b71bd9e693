//! A directory to run the command in, and what it did there.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use regex::Regex;
use reprieve::attempt::Attempt;
use reprieve::event::{Event, Stamped};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::machine::Machine;

/// When a test that waits is taken to have failed; far beyond what a busy machine needs.
const PATIENCE: Duration = Duration::from_secs(90);

/// A directory of one test's own. Studies run in `out`.
pub(crate) struct Place {
    dir: TempDir,
    /// What the command finds in its environment, beside what every command does.
    env: Vec<(&'static str, OsString)>,
}

/// A command at work.
pub(crate) struct Host<'a> {
    child: Child,
    place: &'a Place,
    output: u32,
}

/// What a command came to. As text: the exit code and both streams, with what
/// changes from run to run left out.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    here: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { dir: TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory"), env: Vec::new() }
    }

    /// With this variable in the command's environment.
    pub(crate) fn env(mut self, name: &'static str, value: &str) -> Self {
        self.env.push((name, value.into()));
        self
    }

    /// Has the command run on a machine with devices.
    pub(crate) fn on(mut self, machine: &Machine) -> Self {
        self.env.extend(machine.env());
        self
    }

    /// With a study file.
    pub(crate) fn of(study: &str) -> Self {
        let place = Self::new();
        place.write("study.toml", study);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::write(self.path(name), contents).expect("the file can be written");
    }

    /// The lines of a file, none where it is not there.
    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.path(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    pub(crate) fn start(&self, args: &[&str]) -> Host<'_> {
        self.begin(&[], args, None)
    }

    /// Under another program, which is to run the command that follows its own arguments.
    pub(crate) fn start_under(&self, program: &[&str], args: &[&str]) -> Host<'_> {
        self.begin(program, args, None)
    }

    /// With standard output on this terminal.
    pub(crate) fn start_on(&self, args: &[&str], terminal: OwnedFd) -> Host<'_> {
        self.begin(&[], args, Some(terminal))
    }

    /// Both.
    pub(crate) fn start_under_on(&self, program: &[&str], args: &[&str], terminal: OwnedFd) -> Host<'_> {
        self.begin(program, args, Some(terminal))
    }

    fn begin(&self, under: &[&str], args: &[&str], terminal: Option<OwnedFd>) -> Host<'_> {
        static OUTPUTS: AtomicU32 = AtomicU32::new(0);
        let output = OUTPUTS.fetch_add(1, Ordering::Relaxed);
        let file = |stream| File::create(self.path(&format!("{stream}-{output}.txt"))).expect("a file");
        let stdout = terminal.map_or_else(|| file("stdout").into(), Stdio::from);
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("home");
        let words: Vec<&str> =
            under.iter().chain(&[env!("CARGO_BIN_EXE_reprieve")]).chain(args).copied().collect();
        let child = Command::new(words[0])
            .args(&words[1..])
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("TZ", "UTC")
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env("REPRIEVE_LOCKS", self.dir.path())
            .env("HOME", home)
            .env("TERM", "xterm")
            .envs(self.env.iter().cloned())
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(file("stderr"))
            .spawn()
            .expect("the command starts");
        Host { child, place: self, output }
    }

    pub(crate) fn reprieve(&self, args: &[&str]) -> Ran {
        self.start(args).wait()
    }

    /// Runs the study file.
    pub(crate) fn run(&self) -> Ran {
        self.reprieve(&["run", "study.toml", "--dir", "out"])
    }

    pub(crate) fn start_run(&self) -> Host<'_> {
        self.start(&["run", "study.toml", "--dir", "out"])
    }

    pub(crate) fn resume(&self) -> Ran {
        self.reprieve(&["resume", "out"])
    }

    pub(crate) fn show(&self) -> Ran {
        self.reprieve(&["show", "out"])
    }

    /// Everything in the study's journal.
    pub(crate) fn events(&self) -> Vec<Stamped> {
        let mut replay = reprieve::journal::read(&self.path("out")).expect("the journal reads");
        std::iter::from_fn(|| replay.event().expect("the journal is whole")).map(|(_, event)| event).collect()
    }

    /// The attempts that have ended, in that order.
    pub(crate) fn attempts(&self) -> Vec<Attempt> {
        let ended = |stamped: Stamped| match stamped.event {
            Event::AttemptEnded(ended) => Some(ended.attempt),
            _ => None,
        };
        self.events().into_iter().filter_map(ended).collect()
    }

    pub(crate) fn wait_for(&self, file: &str) {
        until(file, || self.path(file).exists());
    }
}

impl Drop for Place {
    /// A test that failed leaves supervisors behind; they end what they started.
    fn drop(&mut self) {
        let locks = glob(&self.path("out/attempts"), 3, "supervisor.lock");
        for pid in
            locks.iter().filter_map(|lock| fs::read_to_string(lock).ok()?.lines().next()?.parse::<i32>().ok())
        {
            let ours = command_line(pid).contains(&*self.dir.path().to_string_lossy());
            if let Some(pid) = Pid::from_raw(pid).filter(|_| ours) {
                let _ = kill_process(pid, Signal::INT);
            }
        }
    }
}

impl Host<'_> {
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a PID");
        kill_process(pid, signal).expect("the host is there");
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has printed this.
    pub(crate) fn says(&self, text: &str) {
        until(text, || self.stream("stdout").contains(text));
    }

    /// Waits until it has warned of this.
    pub(crate) fn warns(&self, text: &str) {
        until(text, || self.stream("stderr").contains(text));
    }

    fn stream(&self, name: &str) -> String {
        let path = self.place.path(&format!("{name}-{}.txt", self.output));
        // None where it is a terminal.
        String::from_utf8(fs::read(path).unwrap_or_default()).expect("what is printed is UTF-8")
    }

    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("it is our child")
    }

    pub(crate) fn wait(mut self) -> Ran {
        until("the command's end", || self.ended().is_some());
        let status = self.child.wait().expect("it has ended");
        Ran {
            code: status.code().unwrap_or(-1),
            stdout: self.stream("stdout"),
            stderr: self.stream("stderr"),
            here: self.place.dir.path().to_string_lossy().into_owned(),
        }
    }

    /// Kills the host as a crash does: what it started goes on.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
    }
}

impl Drop for Host<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

impl Ran {
    /// The JSON that it printed, a value a line.
    pub(crate) fn json(&self) -> Vec<serde_json::Value> {
        let parse = |line| serde_json::from_str(line).expect("every line is JSON");
        self.stdout.lines().map(parse).collect()
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("exit code {}\n", self.code);
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !stream.is_empty() {
                text.push_str(&format!("--- {name}\n{stream}"));
            }
        }
        f.write_str(&steady(&text.replace(&self.here, "HERE")))
    }
}

/// The text without what changes from run to run.
fn steady(text: &str) -> String {
    let rules = [
        (r"\b\d\d:\d\d:\d\d\b", "TIME"),
        (r"-\d{8}T\d{6}-\d+", "-ID"),
        (r"(ok in|after|running for) [\d.]+ m?s", "$1 SPAN"),
        (r"(retry|retries|faults?), [\d.]+ m?s\n", "$1, SPAN\n"),
        // Within a container the kernel does not tell it.
        (r"(another host|a host is at work on it), PID \d+,?", "$1"),
    ];
    rules.iter().fold(text.to_owned(), |text, (from, to)| {
        Regex::new(from).expect("it is ours").replace_all(&text, *to).into_owned()
    })
}

/// Waits until this is so.
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < PATIENCE, "waited too long for {what}");
        sleep(Duration::from_millis(5));
    }
}

/// A number of seconds to sleep that no other process of this machine was told.
pub(crate) fn unique_seconds() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("600.{}{:03}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Whether any process of this machine has this among its arguments, and is no zombie.
pub(crate) fn runs(argument: &str) -> bool {
    let entries = fs::read_dir("/proc").expect("Linux has it");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    pids.into_iter().any(|pid| command_line(pid).split('\0').any(|given| given == argument))
}

fn command_line(pid: i32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Every file of this name, this many directories down.
pub(crate) fn glob(dir: &Path, depth: u32, name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    match depth {
        1 => entries.filter(|path| path.file_name().is_some_and(|found| found == name)).collect(),
        _ => entries.flat_map(|path| glob(&path, depth - 1, name)).collect(),
    }
}
