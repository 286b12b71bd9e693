//! The descendants of this process, orphans included, and their end.
//!
//! A subreaper is given every descendant whose parent has died (prctl(2)), so
//! that double forks, new sessions and renames hide nothing. What is signalled
//! is a descendant at that moment: its pidfd is opened first, its ancestry is
//! checked after that, so that a PID used again is never hit.

use std::fs;
use std::io;

use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, WaitStatus, getpid, pidfd_open, pidfd_send_signal,
    set_child_subreaper, wait,
};

use super::identity::{parent, start_ticks};

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

/// Sends a signal to the living descendants that `chosen` says yes to, told by
/// PID and start time, and says how many there were. One that is started
/// meanwhile may be missed: ask again until none is left.
pub fn signal_descendants(signal: Signal, mut chosen: impl FnMut(i32, u64) -> bool) -> usize {
    let own = getpid().as_raw_nonzero().get();
    let Ok(entries) = fs::read_dir("/proc") else { return 0 };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| *pid != own && descends(*pid, own))
        .filter_map(Pid::from_raw)
        .filter_map(|pid| Some((pid, pidfd_open(pid, PidfdFlags::empty()).ok()?)))
        .map(|(pid, pidfd)| (pid.as_raw_nonzero().get(), pidfd))
        .filter(|(pid, _)| descends(*pid, own))
        .filter(|(pid, _)| start_ticks(*pid).is_ok_and(|started| chosen(*pid, started)))
        .filter(|(_, pidfd)| pidfd_send_signal(pidfd, signal).is_ok())
        .count()
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
