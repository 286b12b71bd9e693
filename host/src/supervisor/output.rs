//! One stream of a child's output: into its file, whole, with the end kept for the record.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};

/// How much of a stream's end is kept. A cause may stand hundreds of lines
/// above the end: one traceback of a distributed engine is about 30 KiB.
const TAIL_BYTES: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Output {
    /// `None` once the stream has ended.
    pipe: Option<OwnedFd>,
    file: File,
    tail: VecDeque<u8>,
}

impl Output {
    /// A stream into this file, and the end that the child is to write to.
    pub(super) fn new(file: File) -> io::Result<(Self, OwnedFd)> {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&read, true)?;
        Ok((Self { pipe: Some(read), file, tail: VecDeque::new() }, write))
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
                    let _ = self.file.write_all(&buffer[..read]);
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
