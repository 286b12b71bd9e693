//! Carries out one attempt, from its assignment to its record.
//!
//! Runs as a process of its own and needs no host: it finishes its work and
//! writes the record whether or not anybody waits for it. It does not judge
//! what it saw, and decides nothing.

mod assignment;
mod child;
mod output;
mod record;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use crate::attempt::Ending;
use crate::clock;

pub use assignment::Assignment;
pub(crate) use child::REQUESTS;
pub use record::Record;

/// Held by a supervisor for as long as it lives, in its attempt's directory.
pub const LOCK_FILE: &str = "supervisor.lock";

/// The child's output in an attempt's directory, whole.
pub const STDOUT_FILE: &str = "stdout.log";
/// The child's errors in an attempt's directory, whole.
pub const STDERR_FILE: &str = "stderr.log";
/// Where the child may report on itself, in its attempt's directory.
pub const REPORT_FILE: &str = "report.json";

/// Carries out the attempt that the directory's assignment describes, and
/// leaves its record there. Where another supervisor is at work, it waits for
/// that one; where another has begun or ended before, it does nothing. So starting
/// one twice is safe.
///
/// # Errors
///
/// Where the assignment cannot be read or the record cannot be written. What
/// happens to the experiment is never an error.
pub fn supervise(dir: &Path) -> io::Result<()> {
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(dir.join(LOCK_FILE))?;
    // Where another is at work, its end is awaited: whoever started this one
    // waits for the attempt, and must not take it for lost.
    flock(&lock, FlockOperation::LockExclusive)?;
    let another_began = lock.metadata()?.len() > 0;
    if another_began || Record::exists_in(dir) {
        return Ok(());
    }
    (&lock).write_all(std::process::id().to_string().as_bytes())?;
    let assignment = Assignment::read(dir)?;
    let started_at = clock::wall();
    let stdout = File::create(dir.join(STDOUT_FILE))?;
    let stderr = File::create(dir.join(STDERR_FILE))?;
    let end = child::run(&assignment, stdout, stderr).unwrap_or_else(|error| child::End {
        ending: Ending::NotStarted(error.to_string()),
        interrupted: false,
        ran_for: std::time::Duration::ZERO,
        leftovers: 0,
        stdout_tail: Vec::new(),
        stderr_tail: Vec::new(),
    });
    Record::new(&assignment, started_at, end, &dir.join(REPORT_FILE)).write(dir)
}
