//! Appends to a journal, one sync for what is appended together.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::event::Stamped;
use crate::{lock, shell};

use super::{FILE, Position, VERSION, format};

/// The first line of a journal.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) journal_version: u32,
    pub(super) host_version: String,
}

/// A journal that this host alone appends to. Its lock ends with the process.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    end: u64,
    buffer: Vec<u8>,
}

/// Why a journal could not be opened or written. A study does not go on after it.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The file system refused.
    #[error("cannot {what} the journal `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// The journal's path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The directory holds a study already.
    #[error(
        "`{}` holds a study already\nhint: `reprieve resume {}` goes on with it; a new one needs another `--dir`",
        dir.display(), shell::path(dir)
    )]
    Exists {
        /// The study's directory.
        dir: PathBuf,
    },
    /// Another host runs this study.
    #[error(
        "another host{} runs the study in `{}`\nhint: wait for it, or end it first",
        pid.map_or_else(String::new, |pid| format!(", PID {pid},")), dir.display()
    )]
    Locked {
        /// The host, where it can be told.
        pid: Option<i32>,
        /// The study's directory.
        dir: PathBuf,
    },
}

/// A host that is at work on the study in this directory; its PID is told where it can be.
///
/// # Errors
///
/// Where there is no journal, or the file system has no locks.
pub fn host(dir: &Path) -> io::Result<Option<Host>> {
    let file = File::open(dir.join(FILE))?;
    Ok(lock::is_taken(&file)?.then(|| Host { pid: lock::holder(&file) }))
}

/// Who writes a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its process, where the kernel tells.
    pub pid: Option<i32>,
}

impl Journal {
    /// Begins a journal in a directory that has none.
    ///
    /// # Errors
    ///
    /// Where one is there already, or the file system refuses.
    pub fn create(dir: &Path) -> Result<Self, WriteError> {
        let path = dir.join(FILE);
        let fail = |what| move |source| WriteError::Io { what, path: dir.join(FILE), source };
        let file =
            OpenOptions::new().read(true).append(true).create_new(true).open(&path).map_err(|source| {
                match source.kind() {
                    io::ErrorKind::AlreadyExists => WriteError::Exists { dir: dir.to_owned() },
                    _ => fail("create")(source),
                }
            })?;
        let mut journal = Self { file, path, end: 0, buffer: Vec::new() };
        journal.lock(dir)?;
        let header = Header { journal_version: VERSION, host_version: env!("CARGO_PKG_VERSION").to_owned() };
        format::encode(&header, &mut journal.buffer);
        journal.flush()?;
        // The file's name must be as durable as what is in it.
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(fail("sync the directory of"))?;
        Ok(journal)
    }

    /// Opens the journal of a study that goes on, and cuts it to `end`, where
    /// [`super::read`] found its last whole line to end.
    ///
    /// # Errors
    ///
    /// Where another host holds it, or the file system refuses.
    pub fn open(dir: &Path) -> Result<Self, WriteError> {
        let path = dir.join(FILE);
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .open(&path)
            .map_err(|source| WriteError::Io { what: "open", path: path.clone(), source })?;
        let journal = Self { file, path, end: 0, buffer: Vec::new() };
        journal.lock(dir)?;
        Ok(journal)
    }

    /// Says where the journal ends, and cuts what a crash left behind that.
    ///
    /// # Errors
    ///
    /// Where the file system refuses.
    pub fn cut(&mut self, end: Position) -> Result<(), WriteError> {
        self.file
            .set_len(end.0)
            .and_then(|()| self.file.sync_data())
            .map_err(|source| self.failed("cut", source))?;
        self.end = end.0;
        Ok(())
    }

    fn lock(&self, dir: &Path) -> Result<(), WriteError> {
        match lock::take(&self.file) {
            Ok(true) => Ok(()),
            Ok(false) => Err(WriteError::Locked { pid: lock::holder(&self.file), dir: dir.to_owned() }),
            Err(source) => Err(self.failed("lock", source)),
        }
    }

    /// Appends events with one write and one sync, and says where each begins.
    /// They are on disk when this returns.
    ///
    /// # Errors
    ///
    /// Where the file system refuses: then what is on disk is unknown, and
    /// nothing more may be appended.
    pub fn append(&mut self, events: &[Stamped]) -> Result<Vec<Position>, WriteError> {
        let mut positions = Vec::with_capacity(events.len());
        for event in events {
            positions.push(Position(self.end + self.buffer.len() as u64));
            format::encode(event, &mut self.buffer);
        }
        self.flush()?;
        Ok(positions)
    }

    fn flush(&mut self) -> Result<(), WriteError> {
        self.file.write_all(&self.buffer).map_err(|source| self.failed("write", source))?;
        // Never tried again where it fails: a second fsync may succeed without
        // the data being on disk (PostgreSQL's fsyncgate; Rebello et al., TOS 2021).
        self.file.sync_data().map_err(|source| self.failed("sync", source))?;
        self.end += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Reads an event back.
    ///
    /// # Errors
    ///
    /// Where the file system refuses, or the line there is not whole.
    pub fn event_at(&self, position: Position) -> io::Result<Stamped> {
        let mut line = vec![0; 16 * 1024];
        let mut filled = 0;
        loop {
            let read = self.file.read_at(&mut line[filled..], position.0 + filled as u64)?;
            let newline = line[filled..filled + read].iter().position(|byte| *byte == b'\n');
            filled += read;
            if let Some(length) = newline.map(|at| filled - read + at) {
                return format::decode(&line[..length])
                    .map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why));
            }
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            line.resize(line.len() * 2, 0);
        }
    }

    fn failed(&self, what: &'static str, source: io::Error) -> WriteError {
        WriteError::Io { what, path: self.path.clone(), source }
    }
}
