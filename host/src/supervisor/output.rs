//! One stream of a child's output: into its file, with the end kept for the record.
//!
//! Bounded: of what is more than two full files, the beginning is given up.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};

/// How much of a stream's end is kept. A cause may stand hundreds of lines
/// above the end: one traceback of a distributed engine is about 30 KiB.
const TAIL_BYTES: usize = 64 * 1024;

/// How much one file holds. The one before it is kept beside it.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// What the full file before the current one ends in.
const BEFORE: &str = ".before";

#[derive(Debug)]
pub(super) struct Output {
    /// `None` once the stream has ended.
    pipe: Option<OwnedFd>,
    path: PathBuf,
    file: File,
    file_bytes: u64,
    /// How much is in no file any more.
    dropped_bytes: u64,
    tail: VecDeque<u8>,
}

impl Output {
    /// A stream into a new file, and the end that the child is to write to.
    pub(super) fn new(path: PathBuf) -> io::Result<(Self, OwnedFd)> {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&read, true)?;
        let file = File::create(&path)?;
        let output =
            Self { pipe: Some(read), path, file, file_bytes: 0, dropped_bytes: 0, tail: VecDeque::new() };
        Ok((output, write))
    }

    pub(super) fn pipe(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Takes in what is there, without waiting; says whether there was anything.
    /// A file that cannot be written (a full disk) costs the file's text, never
    /// the attempt: its tail goes into the record all the same.
    pub(super) fn take_in(&mut self) -> bool {
        let mut any = false;
        let mut buffer = [0; 16 * 1024];
        while let Some(pipe) = &self.pipe {
            match rustix::io::read(pipe, &mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(read) => {
                    any = true;
                    self.write(&buffer[..read]);
                    self.tail.extend(&buffer[..read]);
                    let excess = self.tail.len().saturating_sub(TAIL_BYTES);
                    self.tail.drain(..excess);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(_) => self.pipe = None,
            }
        }
        any
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.file_bytes >= FILE_BYTES_MAX {
            let before = with_ending(&self.path, BEFORE);
            let given_up = fs::metadata(&before).map_or(0, |before| before.len());
            let next = fs::rename(&self.path, &before).and_then(|()| File::create(&self.path));
            // Where that fails, the file grows on: better than to lose it.
            if let Ok(next) = next {
                self.dropped_bytes += given_up;
                self.file_bytes = 0;
                self.file = next;
            }
        }
        self.file_bytes += bytes.len() as u64;
        let _ = self.file.write_all(bytes);
    }

    /// How much of the stream's beginning is in no file any more.
    pub(super) fn dropped_bytes(&self) -> u64 {
        self.dropped_bytes
    }

    /// The end of the stream so far, as UTF-8 with replacements.
    pub(super) fn tail(&self) -> String {
        let (first, second) = self.tail.as_slices();
        String::from_utf8_lossy(&[first, second].concat()).into_owned()
    }
}

/// The end of what another supervisor has written of a stream, as far as there is any.
pub(super) fn tail_of_file(path: &Path) -> String {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let excess = file.metadata()?.len().saturating_sub(TAIL_BYTES as u64);
        file.seek(SeekFrom::Start(excess))?;
        let mut tail = Vec::new();
        file.take(TAIL_BYTES as u64).read_to_end(&mut tail)?;
        Ok(tail)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

/// A stream's files, oldest first; the last is the one that was named.
pub(crate) fn files(path: &Path) -> [PathBuf; 2] {
    [with_ending(path, BEFORE), path.to_owned()]
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
