//! An exclusive lock on a file, which ends with its holder.
//!
//! Does not know what is locked.

use std::fs::File;
use std::io;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::clock;

/// A host that is killed while it starts a process leaves its locks to that
/// process for a moment, until it has become another program (posix_spawn(3)
/// copies descriptors, execve(2) closes them).
const PATIENCE: Duration = Duration::from_millis(300);

const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// The process that has the lock, where the kernel tells: not from within a
/// container, and not on file systems whose numbers it hides (`/proc/locks`, proc(5)).
pub(crate) fn holder(file: &File) -> Option<i32> {
    let status = rustix::fs::fstat(file).ok()?;
    let (major, minor) = (rustix::fs::major(status.st_dev), rustix::fs::minor(status.st_dev));
    let ours = format!("{major:02x}:{minor:02x}:{}", status.st_ino);
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    // 1: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF
    let of = |line: &str| {
        let mut fields = line.split_whitespace().skip(1);
        let is_flock = fields.next() == Some("FLOCK");
        let pid: i32 = fields.nth(2)?.parse().ok()?;
        (is_flock && fields.next() == Some(&ours) && pid > 0).then_some(pid)
    };
    locks.lines().find_map(of)
}

/// Whether somebody holds the lock. Whoever wants it at this very moment waits, see [`PATIENCE`].
pub(crate) fn is_taken(file: &File) -> io::Result<bool> {
    match flock(file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => {
            flock(file, FlockOperation::Unlock)?;
            Ok(false)
        }
        Err(Errno::WOULDBLOCK) => Ok(true),
        Err(errno) => Err(errno.into()),
    }
}

/// Takes the lock; says whether it was to be had.
#[expect(clippy::disallowed_methods, reason = "it waits for a moment, and hardly ever")]
pub(crate) fn take(file: &File) -> io::Result<bool> {
    let began = clock::monotonic();
    loop {
        match flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(true),
            Err(Errno::WOULDBLOCK) if began.elapsed() < PATIENCE => std::thread::sleep(LOOK_AGAIN),
            Err(Errno::WOULDBLOCK) => return Ok(false),
            Err(errno) => return Err(errno.into()),
        }
    }
}
