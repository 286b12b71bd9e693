//! Reads a journal from its start, one event at a time.
//!
//! A torn last line is what a crash leaves: it is passed over and reported. A
//! damaged line before it is refused, since what follows depends on it.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::event::Stamped;

use super::write::Header;
use super::{FILE, Position, VERSION, format};

/// Why a journal could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file system refused.
    #[error("cannot read the journal `{}`: {source}\nhint: is `{}` the directory of a study?", path.display(), path.parent().unwrap_or(path).display())]
    Io {
        /// The journal's path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It was written by a later host.
    #[error(
        "the journal `{}` has format {found}, and this host reads up to {VERSION}\nhint: use reprieve `{host_version}` or later",
        path.display()
    )]
    Newer {
        /// The journal's path.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The host that wrote it.
        host_version: String,
    },
    /// A line that is not the last one is damaged.
    #[error(
        "the journal `{}` is damaged at byte {offset}: {why}\nhint: the lines before it are whole; put them in a new file to look at what happened, and run the study afresh",
        path.display()
    )]
    Damaged {
        /// The journal's path.
        path: PathBuf,
        /// Where the damaged line begins.
        offset: u64,
        /// What is wrong with it.
        why: String,
    },
    /// It holds no event: the host ended before the study began.
    #[error("the journal `{}` is empty: nothing was started\nhint: run the study afresh", path.display())]
    Empty {
        /// The journal's path.
        path: PathBuf,
    },
}

/// A journal being read.
#[derive(Debug)]
pub struct Replay {
    lines: BufReader<File>,
    path: PathBuf,
    end: u64,
    torn_bytes: u64,
    line: Vec<u8>,
}

/// Opens the journal in a study's directory for reading, beside any host that writes it.
///
/// # Errors
///
/// Where there is none, or its format is not this host's.
pub fn read(dir: &Path) -> Result<Replay, ReadError> {
    let path = dir.join(FILE);
    let file = File::open(&path).map_err(|source| ReadError::Io { path: path.clone(), source })?;
    let mut replay = Replay { lines: BufReader::new(file), path, end: 0, torn_bytes: 0, line: Vec::new() };
    let header: Header = match replay.line()? {
        Some(header) => header,
        None => return Err(ReadError::Empty { path: replay.path }),
    };
    if header.journal_version > VERSION {
        let (found, host_version) = (header.journal_version, header.host_version);
        return Err(ReadError::Newer { path: replay.path, found, host_version });
    }
    Ok(replay)
}

impl Replay {
    /// The next event and where it begins; `None` after the last whole one.
    ///
    /// # Errors
    ///
    /// Where a line before the last one is damaged, or the file system refuses.
    pub fn event(&mut self) -> Result<Option<(Position, Stamped)>, ReadError> {
        let position = Position(self.end);
        Ok(self.line()?.map(|event| (position, event)))
    }

    /// Where the last line read ends.
    pub fn end(&self) -> Position {
        Position(self.end)
    }

    /// How much of a torn last line was passed over; known once [`Self::event`] has said `None`.
    pub fn torn_bytes(&self) -> u64 {
        self.torn_bytes
    }

    fn line<T: serde::de::DeserializeOwned>(&mut self) -> Result<Option<T>, ReadError> {
        self.line.clear();
        let read = self.lines.read_until(b'\n', &mut self.line).map_err(|source| self.failed(source))?;
        if read == 0 {
            return Ok(None);
        }
        let whole = self.line.strip_suffix(b"\n");
        let decoded = whole.map_or_else(|| Err("the line has no end".to_owned()), format::decode);
        match decoded {
            Ok(value) => {
                self.end += read as u64;
                Ok(Some(value))
            }
            Err(why) => {
                let rest =
                    io::copy(&mut self.lines, &mut io::sink()).map_err(|source| self.failed(source))?;
                if rest > 0 {
                    return Err(ReadError::Damaged { path: self.path.clone(), offset: self.end, why });
                }
                self.torn_bytes = read as u64;
                Ok(None)
            }
        }
    }

    fn failed(&self, source: io::Error) -> ReadError {
        ReadError::Io { path: self.path.clone(), source }
    }
}
