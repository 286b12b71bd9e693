//! The child of one attempt: started, watched, ended with all its descendants.
//!
//! Waits in one poll(2) for whatever comes first: output, the child's end, a
//! request of the host, a limit. Nothing is asked again and again.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal as NixSignal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, WaitStatus};

use crate::attempt::Ending;
use crate::clock::monotonic as now;
use crate::process::{Spawn, adopt_orphans, reap, signal_descendants};

use super::assignment::Assignment;
use super::output::Output;

/// How often what was killed is killed again while it has not gone: a process
/// that forks while the tree is walked may be missed once.
const KILL_AGAIN: Duration = Duration::from_millis(20);

/// What a supervisor may be sent. Whoever starts it has them blocked, so that
/// none comes before it can be taken. A hang-up is no request: the supervisor
/// outlives its terminal.
pub(crate) const REQUESTS: [NixSignal; 3] = [NixSignal::SIGTERM, NixSignal::SIGINT, NixSignal::SIGHUP];

/// How a child ended, and what it left.
#[derive(Debug)]
pub(super) struct End {
    pub(super) ending: Ending,
    pub(super) interrupted: bool,
    pub(super) ran_for: Duration,
    pub(super) leftovers: u32,
    pub(super) stdout_tail: Vec<u8>,
    pub(super) stderr_tail: Vec<u8>,
}

/// Why the host ended the child.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    TimedOut,
    FellSilent,
    Interrupted,
}

struct Watch {
    grace: Duration,
    timeout_at: Option<Instant>,
    silence: Option<Duration>,
    silent_since: Instant,
    cause: Option<Cause>,
    /// Set once the tree was asked to end: when it is killed (again).
    kill_at: Option<Instant>,
    child: i32,
    /// How the child ended, and how long it ran; the tree may live on.
    ended: Option<(Ending, Duration)>,
    leftovers: u32,
    stdout: Output,
    stderr: Output,
    signals: SignalFd,
}

/// Runs the assigned command to its end, and to the end of all it started.
///
/// # Errors
///
/// Where the command could not be started.
pub(super) fn run(assignment: &Assignment, stdout: File, stderr: File) -> io::Result<End> {
    let handled: SigSet = REQUESTS.into_iter().chain([NixSignal::SIGCHLD]).collect();
    handled.thread_block()?;
    let signals = SignalFd::with_flags(&handled, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
    adopt_orphans()?;
    let (stdout, stdout_end) = Output::new(stdout)?;
    let (stderr, stderr_end) = Output::new(stderr)?;
    std::env::set_current_dir(&assignment.directory).map_err(|error| {
        io::Error::new(error.kind(), format!("directory `{}`: {error}", assignment.directory.display()))
    })?;
    let started = now();
    let pid = Spawn {
        program: assignment.command.first().map_or("", String::as_str),
        args: assignment.command.get(1..).unwrap_or_default(),
        environment: &environment(assignment),
        stdout: Some(stdout_end.as_fd()),
        stderr: Some(stderr_end.as_fd()),
        blocked: &[],
    }
    .start()
    .map_err(io::Error::other)?;
    drop((stdout_end, stderr_end));
    let mut watch = Watch {
        grace: assignment.grace(),
        timeout_at: assignment.timeout().map(|timeout| started + timeout),
        silence: assignment.silence(),
        silent_since: started,
        cause: None,
        kill_at: None,
        child: pid,
        ended: None,
        leftovers: 0,
        stdout,
        stderr,
        signals,
    };
    watch.run_to_end(started)?;
    Ok(watch.into_end())
}

fn environment(assignment: &Assignment) -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
    let added = &assignment.environment;
    std::env::vars_os()
        .filter(|(name, _)| added.iter().all(|(new, _)| name.as_os_str() != new.as_str()))
        .chain(added.iter().map(|(name, value)| (name.into(), value.into())))
        .collect()
}

impl Watch {
    fn run_to_end(&mut self, started: Instant) -> io::Result<()> {
        loop {
            self.wait()?;
            if self.stdout.take_in() | self.stderr.take_in() {
                self.silent_since = now();
            }
            self.take_requests();
            // Every descendant is, or becomes, a child of this subreaper.
            let (child, ended) = (self.child, &mut self.ended);
            let left = reap(|pid, status| {
                if pid == child {
                    *ended = Some((ending(status), started.elapsed()));
                }
            });
            if !left {
                self.stdout.take_in();
                self.stderr.take_in();
                return Ok(());
            }
            if self.ended.is_some() && self.kill_at.is_none() {
                self.leftovers = self.ask_to_end();
            }
            self.enforce();
        }
    }

    /// Waits for the next thing to happen.
    fn wait(&self) -> io::Result<()> {
        let mut fds = vec![PollFd::new(&self.signals, PollFlags::IN)];
        for pipe in [self.stdout.pipe(), self.stderr.pipe()].into_iter().flatten() {
            fds.push(PollFd::from_borrowed_fd(pipe, PollFlags::IN));
        }
        let timeout = self.next_limit().map(|at| {
            let left = at.saturating_duration_since(now());
            Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            }
        });
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    fn next_limit(&self) -> Option<Instant> {
        if self.kill_at.is_some() {
            return self.kill_at;
        }
        let silence_at = self.silence.map(|silence| self.silent_since + silence);
        [self.timeout_at, silence_at].into_iter().flatten().min()
    }

    /// The host asks by signal: SIGTERM to end politely, SIGINT to end at once.
    fn take_requests(&mut self) {
        while let Ok(Some(request)) = self.signals.read_signal() {
            let number = i32::try_from(request.ssi_signo).unwrap_or_default();
            if number == NixSignal::SIGTERM as i32 || number == NixSignal::SIGINT as i32 {
                if self.cause.is_none() && self.ended.is_none() {
                    self.cause = Some(Cause::Interrupted);
                }
                if self.kill_at.is_none() {
                    self.ask_to_end();
                }
                if number == NixSignal::SIGINT as i32 {
                    self.kill_at = Some(now());
                }
            }
        }
    }

    /// Sends the termination signal to the whole tree; says to how many.
    fn ask_to_end(&mut self) -> u32 {
        self.kill_at = Some(now() + self.grace);
        u32::try_from(signal_descendants(Signal::TERM)).unwrap_or(u32::MAX)
    }

    fn enforce(&mut self) {
        let now = now();
        if let Some(kill_at) = self.kill_at {
            if now >= kill_at {
                signal_descendants(Signal::KILL);
                self.kill_at = Some(now + KILL_AGAIN);
            }
            return;
        }
        if self.timeout_at.is_some_and(|at| now >= at) {
            self.cause = Some(Cause::TimedOut);
        } else if self.silence.is_some_and(|silence| now >= self.silent_since + silence) {
            self.cause = Some(Cause::FellSilent);
        } else {
            return;
        }
        self.ask_to_end();
    }

    fn into_end(self) -> End {
        let (ending, ran_for) = self.ended.expect("the watch ends after the child");
        End {
            ending: match self.cause {
                Some(Cause::TimedOut) => Ending::TimedOut,
                Some(Cause::FellSilent) => Ending::FellSilent,
                Some(Cause::Interrupted) | None => ending,
            },
            interrupted: self.cause == Some(Cause::Interrupted),
            ran_for,
            leftovers: self.leftovers,
            stdout_tail: self.stdout.into_tail(),
            stderr_tail: self.stderr.into_tail(),
        }
    }
}

fn ending(status: WaitStatus) -> Ending {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Ending::Exited(code),
        (None, Some(signal)) => Ending::Signalled(signal),
        (None, None) => Ending::Lost,
    }
}
