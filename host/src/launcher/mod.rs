//! Where supervisors start: this machine.
//!
//! Knows an attempt's directory, its supervisor and nothing of what it runs.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, pidfd_open, pidfd_send_signal, waitpid};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::event::ProcessIdentity;
use crate::process::{self, Spawn, SpawnError};
use crate::supervisor::{Assignment, LOCK_FILE, REQUESTS, Record};

/// Starts supervisors on this machine, each in a session of its own, so that
/// they outlive this host.
#[derive(Debug)]
pub struct Launcher {
    program: PathBuf,
    environment: Vec<(OsString, OsString)>,
}

/// A supervisor at work.
#[derive(Debug)]
pub struct Supervisor {
    /// Which process it is.
    pub identity: ProcessIdentity,
    pidfd: AsyncFd<OwnedFd>,
}

/// Why a supervisor could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The attempt's directory could not be prepared.
    #[error("cannot prepare the attempt's directory `{}`: {source}", dir.display())]
    Directory {
        /// The attempt's directory.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused to start it.
    #[error("cannot start a supervisor: {0}")]
    Spawn(#[from] SpawnError),
    /// It was started and cannot be watched.
    #[error("cannot watch the supervisor: {0}")]
    Watch(io::Error),
}

impl Launcher {
    /// A launcher of this program, which must carry out `supervise DIR`.
    pub fn new(program: PathBuf) -> Self {
        Self { program, environment: std::env::vars_os().collect() }
    }

    /// Starts the attempt's supervisor.
    ///
    /// # Errors
    ///
    /// Where the directory cannot be written or the system refuses.
    pub fn start(&self, dir: &Path, assignment: &Assignment) -> Result<Supervisor, LaunchError> {
        fs::create_dir_all(dir)
            .and_then(|()| assignment.write(dir))
            .map_err(|source| LaunchError::Directory { dir: dir.to_owned(), source })?;
        self.supervise(dir)
    }

    /// Starts a supervisor for an attempt whose own has gone and left no record:
    /// it ends what that one left, and writes the record.
    ///
    /// # Errors
    ///
    /// Where the system refuses.
    pub fn recover(&self, dir: &Path) -> Result<Supervisor, LaunchError> {
        self.supervise(dir)
    }

    fn supervise(&self, dir: &Path) -> Result<Supervisor, LaunchError> {
        let program = self.program.to_string_lossy();
        let args = ["supervise".to_owned(), dir.to_string_lossy().into_owned()];
        let log = File::options().create(true).append(true).open(dir.join("supervisor.log"));
        let log = log.map_err(|source| LaunchError::Directory { dir: dir.to_owned(), source })?;
        let pid = Spawn {
            program: &program,
            args: &args,
            environment: &self.environment,
            stdout: None,
            stderr: Some(log.as_fd()),
            blocked: &REQUESTS,
        }
        .start()?;
        watch(pid).map_err(LaunchError::Watch)
    }

    /// Finds the supervisor that an earlier host started for an attempt.
    ///
    /// It holds a lock in the attempt's directory for as long as it lives. One
    /// that was journaled is told by its identity too.
    pub fn find(&self, dir: &Path, journaled: Option<&ProcessIdentity>) -> Found {
        if Record::exists_in(dir) {
            return Found::Ended;
        }
        let Ok(lock) = File::open(dir.join(LOCK_FILE)) else { return Found::Nothing };
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
            return Found::Ended;
        }
        let pid = journaled
            .filter(|identity| process::identify(identity.pid).is_ok_and(|now| now == **identity))
            .map(|identity| identity.pid)
            .or_else(|| fs::read_to_string(dir.join(LOCK_FILE)).ok()?.lines().next()?.parse().ok());
        let supervisor = pid.and_then(|pid| watch(pid).ok());
        // It held the lock before, and does so still: what is watched is no
        // other process that has got its PID in between.
        let held = || flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err();
        supervisor.filter(|_| held()).map_or(Found::Ended, Found::Running)
    }
}

/// What is left of an attempt that an earlier host started.
#[derive(Debug)]
pub enum Found {
    /// Its supervisor is at work.
    Running(Supervisor),
    /// Its supervisor has gone; its record, if it left one, is there.
    Ended,
    /// No supervisor ever began.
    Nothing,
}

fn watch(pid: i32) -> io::Result<Supervisor> {
    let raw = Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidInput)?;
    let pidfd = pidfd_open(raw, PidfdFlags::NONBLOCK)?;
    let identity = process::identify(pid)?;
    #[expect(unsafe_code, reason = "tokio registers a descriptor only on the caller's word")]
    // SAFETY: an `OwnedFd` is the same open descriptor until it is dropped.
    let pidfd = unsafe { AsyncFd::register_with_interest(pidfd, Interest::READABLE) }?;
    Ok(Supervisor { identity, pidfd })
}

impl Supervisor {
    /// Waits until the supervisor has gone, and reaps it where it is ours.
    pub async fn ended(&self) {
        // A pidfd is readable from the process's end on (pidfd_open(2)).
        let _ = self.pidfd.readable().await;
        if let Some(pid) = Pid::from_raw(self.identity.pid) {
            // One that an earlier host started is not our child: there is nothing to reap.
            let _ = waitpid(Some(pid), WaitOptions::NOHANG);
        }
    }

    /// Asks the supervisor to end its attempt: politely, or at once. It ends
    /// by itself when it has.
    pub fn end(&self, at_once: bool) {
        let signal = if at_once { Signal::INT } else { Signal::TERM };
        // Fails only where it has ended already.
        let _ = pidfd_send_signal(&self.pidfd, signal);
    }
}
