//! Tells a process from every other that ever had its PID.

use std::fs;
use std::io;

use crate::event::ProcessIdentity;

/// The identity of a process that is running now.
///
/// # Errors
///
/// Where there is no such process, or `/proc` cannot be read.
pub fn identify(pid: i32) -> io::Result<ProcessIdentity> {
    Ok(ProcessIdentity { pid, start_ticks: start_ticks(pid)?, boot_id: boot_id()? })
}

/// When a process started, in clock ticks after boot: field 22 of
/// `/proc/PID/stat` (proc(5)). A PID is used again at the earliest one tick later.
///
/// # Errors
///
/// Where there is no such process, or `/proc` cannot be read.
pub fn start_ticks(pid: i32) -> io::Result<u64> {
    stat_field(pid, 22).and_then(|field| {
        field.parse().map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "start time in /proc/PID/stat"))
    })
}

/// A process's parent: field 4 of `/proc/PID/stat`.
pub(super) fn parent(pid: i32) -> io::Result<i32> {
    stat_field(pid, 4).and_then(|field| {
        field.parse().map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "parent in /proc/PID/stat"))
    })
}

/// A process's session: field 6 of `/proc/PID/stat`.
pub(super) fn session(pid: i32) -> io::Result<i32> {
    stat_field(pid, 6).and_then(|field| {
        field.parse().map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "session in /proc/PID/stat"))
    })
}

/// What the kernel calls a process: `/proc/PID/comm`, empty where there is none.
pub(super) fn name(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim_end().to_owned()
}

/// Whether this process was started with the hang-up signal ignored, as
/// nohup(1) does; `SigIgn` of `/proc/self/status` (proc(5)).
pub fn ignores_hangup() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

/// This boot of the machine, as the kernel names it (random(4)).
///
/// # Errors
///
/// Where `/proc` cannot be read.
pub fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim_end().to_owned())
}

/// A field of `/proc/PID/stat`, counted from 1 as proc(5) does. The second one,
/// the name, may hold spaces and parentheses: fields are counted after its end.
fn stat_field(pid: i32, number: usize) -> io::Result<String> {
    let stat = fs::read(format!("/proc/{pid}/stat"))?;
    let stat = String::from_utf8_lossy(&stat);
    stat.rsplit_once(')')
        .and_then(|(_, rest)| rest.split_ascii_whitespace().nth(number - 3))
        .map(str::to_owned)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "/proc/PID/stat is short"))
}
