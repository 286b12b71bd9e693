//! Locks on devices, held across all hosts of a machine and freed with their holder.
//!
//! They keep Reprieve off Reprieve only: others ask no one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;

use crate::lock;

/// Names another directory for the locks, for example one that several
/// containers on the same devices share.
pub const LOCKS_VARIABLE: &str = "REPRIEVE_LOCKS";

/// Where every user of a machine may make files. The first that all may write
/// to is taken, so that all take the same.
const DIRECTORIES: [&str; 2] = ["/run/lock", "/tmp"];

/// What a device is locked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockedFor {
    /// By the host, for as long as its study runs.
    Study,
    /// By a supervisor, which may outlive its host, for its attempt.
    Attempt,
}

/// A lock that is held until it is dropped, or its process ends.
#[derive(Debug)]
pub struct DeviceLock {
    _file: File,
}

/// Why a lock could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another holds it, who wrote this of itself.
    #[error("{0}")]
    Held(String),
    /// The file cannot be made.
    #[error("its lock `{}`: {source}", path.display())]
    File {
        /// The lock's file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl DeviceLock {
    /// Takes the lock on a device, or says at once who has it. `holder` is
    /// what others are then told.
    ///
    /// # Errors
    ///
    /// Where another holds it, or its file cannot be made.
    pub fn take(uuid: &str, locked_for: LockedFor, holder: &str) -> Result<Self, LockError> {
        Self::take_in(&directory(), uuid, locked_for, holder)
    }

    fn take_in(dir: &Path, uuid: &str, locked_for: LockedFor, holder: &str) -> Result<Self, LockError> {
        let suffix = match locked_for {
            LockedFor::Study => "study",
            LockedFor::Attempt => "attempt",
        };
        let path = dir.join(format!("reprieve-{}.{suffix}", uuid.replace('/', "_")));
        let failed = |source: io::Error| LockError::File { path: path.clone(), source };
        loop {
            let mut file = open_or_make(&path).map_err(failed)?;
            if !lock::take(&file).map_err(failed)? {
                let who = fs::read_to_string(&path).unwrap_or_default();
                return Err(LockError::Held(who.trim().to_owned()));
            }
            // Somebody may have cleaned the directory: then this is the lock of nobody else.
            let same = fs::metadata(&path).ok().zip(file.metadata().ok());
            if same.is_some_and(|(named, held)| (named.dev(), named.ino()) == (held.dev(), held.ino())) {
                // Another user's file can be locked and not written: then it says
                // nothing, or something old, of its holder.
                let _ = file.set_len(0).and_then(|()| file.write_all(holder.as_bytes()));
                return Ok(Self { _file: file });
            }
        }
    }
}

/// A file that anybody made. In a directory for all, the kernel refuses to
/// *make* a file that is already another's (fs.protected_regular, proc(5)).
fn open_or_make(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(0o644);
    loop {
        let opened = open(path, flags | OFlags::RDWR, mode)
            .or_else(|errno| match errno {
                Errno::ACCESS => open(path, flags | OFlags::RDONLY, mode),
                other => Err(other),
            })
            .or_else(|errno| match errno {
                Errno::NOENT => open(path, flags | OFlags::RDWR | OFlags::CREATE | OFlags::EXCL, mode),
                other => Err(other),
            });
        match opened {
            Ok(fd) => return Ok(fd.into()),
            // Another was quicker to make it.
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

fn directory() -> PathBuf {
    if let Some(named) = std::env::var_os(LOCKS_VARIABLE).filter(|named| !named.is_empty()) {
        return named.into();
    }
    let for_all = |dir: &&&str| fs::metadata(dir).is_ok_and(|dir| dir.mode() & 0o1777 == 0o1777);
    DIRECTORIES.iter().find(for_all).map_or_else(std::env::temp_dir, PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_locked_once_and_free_when_its_holder_has_gone() {
        let dir = tempfile::tempdir().expect("a directory");
        let take = |what, who| DeviceLock::take_in(dir.path(), "GPU-0", what, who);
        let held = take(LockedFor::Study, "study `a`").expect("nobody has it");
        let refused = take(LockedFor::Study, "study `b`").expect_err("it is held").to_string();
        assert_eq!(refused, "study `a`");
        // An attempt of the same study is another matter.
        let attempt = take(LockedFor::Attempt, "attempt").expect("nobody has it");
        drop(held);
        take(LockedFor::Study, "study `b`").expect("it is free again");
        drop(attempt);
    }

    #[test]
    fn a_lock_whose_file_was_cleaned_away_is_made_anew() {
        let dir = tempfile::tempdir().expect("a directory");
        let take = || DeviceLock::take_in(dir.path(), "GPU-0", LockedFor::Study, "study");
        drop(take().expect("nobody has it"));
        fs::remove_file(dir.path().join("reprieve-GPU-0.study")).expect("it is there");
        let held = take().expect("nobody has it");
        take().expect_err("it is held");
        drop(held);
    }
}
