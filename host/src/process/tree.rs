//! The processes that are ours: descendants, orphans included, and those that
//! an earlier supervisor of the same attempt started.
//!
//! A subreaper is given every descendant whose parent has died (prctl(2)), so
//! that double forks, new sessions and renames hide nothing. Where a supervisor
//! was killed, what it had started is nobody's descendant any more; it still
//! carries its attempt's token in its environment, or is in its control group.
//! What is signalled is ours at
//! that moment: its pidfd is opened first, whose it is is looked at after that,
//! so that a PID used again is never hit.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, WaitStatus, getpid, pidfd_open, pidfd_send_signal,
    set_child_subreaper, wait,
};

use super::group::is_member;
use super::identity::{name, parent, session, start_ticks};

/// The variable that carries an attempt's token.
pub const TOKEN_VARIABLE: &str = "REPRIEVE_TOKEN";

/// Makes this process the one that orphaned descendants are given to.
///
/// # Errors
///
/// Where the kernel has no subreapers (before Linux 3.4).
pub fn adopt_orphans() -> io::Result<()> {
    Ok(set_child_subreaper(Some(getpid()))?)
}

/// Reaps every child that has ended, orphans included, and says whether any child is left.
pub fn reap(mut on_end: impl FnMut(i32, WaitStatus)) -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) => on_end(pid.as_raw_nonzero().get(), status),
            Ok(None) => return true,
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

/// A process of ours.
#[derive(Debug)]
pub struct Ours {
    /// Its PID.
    pub pid: i32,
    /// When it started, in clock ticks after boot.
    pub start_ticks: u64,
    pidfd: OwnedFd,
}

impl Ours {
    /// Sends it a signal. One that has ended meanwhile gets none, and neither
    /// does one that runs as another user.
    pub fn signal(&self, signal: Signal) {
        let _ = pidfd_send_signal(&self.pidfd, signal);
    }

    /// The session that it is in, by the PID of its leader; none, 0, where it has ended.
    pub fn session(&self) -> i32 {
        session(self.pid).unwrap_or_default()
    }

    /// Its name, empty where it has ended.
    pub fn name(&self) -> String {
        name(self.pid)
    }
}

/// The processes that descend from this one, and those that carry the token
/// where one is given. One that is started meanwhile may be missed: ask again
/// until none is left.
pub fn ours(token: Option<&str>) -> Vec<Ours> {
    let own = getpid().as_raw_nonzero().get();
    let is_ours = |pid| descends(pid, own) || token.is_some_and(|token| carries(pid, token));
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| *pid != own && is_ours(*pid))
        .filter_map(|pid| {
            let pidfd = pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()?;
            is_ours(pid).then_some(Ours { pid, start_ticks: start_ticks(pid).ok()?, pidfd })
        })
        .collect()
}

/// Whether a process is to be seen here and is neither this one nor descends
/// from it. One that cannot be seen may be ours under another number: a
/// driver that knows no PID namespaces gives the machine's.
pub fn is_strangers(pid: u32) -> bool {
    let own = getpid().as_raw_nonzero().get();
    i32::try_from(pid).is_ok_and(|pid| pid != own && parent(pid).is_ok() && !descends(pid, own))
}

/// Whether a process descends from an ancestor, as `/proc` shows it now.
fn descends(mut pid: i32, ancestor: i32) -> bool {
    // A parent is always older; the bound only guards against a racing reuse of PIDs.
    for _ in 0..1024 {
        match parent(pid) {
            Ok(above) if above == ancestor => return true,
            Ok(above) if above > 1 => pid = above,
            Ok(_) | Err(_) => return false,
        }
    }
    false
}

/// Whether a process is of the attempt with this token: it was started with the
/// token in its environment, or is in the attempt's control group.
fn carries(pid: i32, token: &str) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| {
        let value = variable.strip_prefix(TOKEN_VARIABLE.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
        value == Some(token.as_bytes())
    }) || is_member(pid, token)
}
