//! The record of a study on disk: one event a line, each synced before anything acts on it.
//!
//! It does not know why a line is written, and it never rewrites one.
//!
//! A line is a JSON object whose first member is the CRC-32C (RFC 3720,
//! appendix B.4) of the rest, so that the file is ordinary JSON Lines for
//! every reader, and a torn or damaged line is told from a whole one.

mod format;
mod read;
mod write;

pub use read::{ReadError, Replay, read};
pub use write::{Host, Journal, WriteError, host};

/// The version of the journal's format. An older host refuses a newer one.
pub const VERSION: u32 = 1;

/// The journal's file name in a study's directory.
pub const FILE: &str = "journal.jsonl";

/// Where a line starts in the journal, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(pub u64);
