//! The child of one attempt: started, and watched to its own end or a limit.
//!
//! What it leaves running is not ended here: see `tree`.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::WaitStatus;

use crate::attempt::Ending;
use crate::clock::monotonic as now;
use crate::process::Spawn;

use super::assignment::Assignment;
use super::output::{Output, tail_of_file};
use super::tree::{SWEEP_AGAIN, Tree, Wish};
use super::{STDERR_FILE, STDOUT_FILE};

/// How a child ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) ending: Ending,
    pub(super) interrupted: bool,
    pub(super) ran_for: Duration,
    pub(super) stdout: String,
    pub(super) stderr: String,
    /// How much of the output's beginning is in no file any more.
    pub(super) dropped_bytes: u64,
}

impl End {
    /// It never began.
    pub(super) fn not_started(why: String) -> Self {
        Self {
            ending: Ending::NotStarted(why),
            interrupted: false,
            ran_for: Duration::ZERO,
            stdout: String::new(),
            stderr: String::new(),
            dropped_bytes: 0,
        }
    }

    /// An earlier supervisor started it and went away. Of its output there is
    /// what that one has written.
    pub(super) fn lost(dir: &Path) -> Self {
        let [stdout, stderr] = [STDOUT_FILE, STDERR_FILE].map(|file| tail_of_file(&dir.join(file)));
        Self { ending: Ending::Lost, stdout, stderr, ..Self::not_started(String::new()) }
    }

    /// The host wanted an end before it began.
    pub(super) fn interrupted(why: String) -> Self {
        Self { interrupted: true, ..Self::not_started(why) }
    }
}

/// Why the host ended the child.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    TimedOut,
    FellSilent,
    Interrupted,
}

/// Runs the assigned command to its own end, by itself or by a limit. What
/// descends from it may live on.
///
/// # Errors
///
/// Where the command could not be started.
pub(super) fn run(assignment: &Assignment, tree: &mut Tree, dir: &Path) -> io::Result<End> {
    let (stdout, stdout_end) = Output::new(dir.join(STDOUT_FILE))?;
    let (stderr, stderr_end) = Output::new(dir.join(STDERR_FILE))?;
    std::env::set_current_dir(&assignment.directory).map_err(|error| {
        io::Error::new(error.kind(), format!("directory `{}`: {error}", assignment.directory.display()))
    })?;
    let started = now();
    let pid = tree
        .start(&Spawn {
            program: assignment.command.first().map_or("", String::as_str),
            args: assignment.command.get(1..).unwrap_or_default(),
            environment: &environment(assignment),
            stdout: Some(stdout_end.as_fd()),
            stderr: Some(stderr_end.as_fd()),
            blocked: &[],
        })
        .map_err(io::Error::other)?;
    drop((stdout_end, stderr_end));
    tree.listen(stdout);
    tree.listen(stderr);
    let (cause, end) = watch(assignment, tree, pid, started)?;
    let [stdout, stderr] = <[String; 2]>::try_from(tree.tails()).expect("it listens to two streams");
    Ok(End {
        ending: match cause {
            Some(Cause::TimedOut) => Ending::TimedOut,
            Some(Cause::FellSilent) => Ending::FellSilent,
            Some(Cause::Interrupted) | None => end.map_or(Ending::Lost, |(status, _)| ending(status)),
        },
        interrupted: cause == Some(Cause::Interrupted),
        ran_for: end.map_or_else(now, |(_, ended)| ended).saturating_duration_since(started),
        stdout,
        stderr,
        dropped_bytes: tree.dropped_bytes(),
    })
}

/// How a process ended, and when.
type Ended = (WaitStatus, Instant);

/// When a child's shared memory is looked at for the first time, and the
/// longest until it is again: each wait is twice the one before. Libraries make
/// such files when they are set up, and looking costs a read of each process's
/// mappings, which a measurement should not feel.
const FIRST_LOOK: Duration = Duration::from_millis(250);
const LONGEST_UNTIL_LOOK: Duration = Duration::from_secs(60);

/// Waits for the child's end; `None` where it does not even end when it is killed.
fn watch(
    assignment: &Assignment,
    tree: &mut Tree,
    pid: i32,
    started: Instant,
) -> io::Result<(Option<Cause>, Option<Ended>)> {
    let timeout_at = assignment.timeout().map(|timeout| started + timeout);
    let mut silent_since = started;
    let mut cause = None;
    let (mut until_look, mut look_at) = (FIRST_LOOK, started + FIRST_LOOK);
    loop {
        let silence_at = assignment.silence().map(|silence| silent_since + silence);
        let until = if tree.is_closing() {
            Some(now() + SWEEP_AGAIN)
        } else {
            [timeout_at, silence_at, Some(look_at)].into_iter().flatten().min()
        };
        if tree.next(until)?.output {
            silent_since = now();
        }
        let end = tree.end_of(pid);
        if end.is_some() || tree.gives_up() {
            return Ok((cause, end));
        }
        if now() >= look_at {
            tree.look();
            until_look = (2 * until_look).min(LONGEST_UNTIL_LOOK);
            look_at = now() + until_look;
        }
        if cause.is_none() {
            let silence_at = assignment.silence().map(|silence| silent_since + silence);
            let past = |at: Option<Instant>| at.is_some_and(|at| now() >= at);
            cause = match () {
                () if tree.wish != Wish::GoOn => Some(Cause::Interrupted),
                () if past(timeout_at) => Some(Cause::TimedOut),
                () if past(silence_at) => Some(Cause::FellSilent),
                () => continue,
            };
            tree.close(assignment.grace());
        }
    }
}

fn environment(assignment: &Assignment) -> Vec<(OsString, OsString)> {
    let added = &assignment.environment;
    std::env::vars_os()
        .filter(|(name, _)| added.iter().all(|(new, _)| name.as_os_str() != new.as_str()))
        .chain(added.iter().map(|(name, value)| (name.into(), value.into())))
        .collect()
}

fn ending(status: WaitStatus) -> Ending {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Ending::Exited(code),
        (None, Some(signal)) => Ending::Signalled(signal),
        (None, None) => Ending::Lost,
    }
}
