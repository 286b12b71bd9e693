//! Whether a process lives.
//!
//! It sees what proc(5) tells of the PIDs of its own namespace.

use std::fs;

/// When a process started, in clock ticks since the machine did, which tells
/// it from another of the same PID. None where it is gone, or a zombie.
pub(crate) fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name, in parentheses, may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let alive = !matches!(fields.next()?, "Z" | "X" | "x");
    // Field 22 of the file; the state is field 3.
    fields.nth(18)?.parse().ok().filter(|_| alive)
}
