//! What a supervisor leaves behind: one file, synced, then renamed into place.
//!
//! It is there whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::attempt::{Ending, SelfReport};

use super::assignment::Assignment;
use super::child::End;

const FILE: &str = "record.json";

/// A self-report is a few lines; what is longer than this is not one.
const REPORT_BYTES_MAX: u64 = 64 * 1024;

/// How an attempt went, as its supervisor saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The attempt's token, as assigned.
    pub token: String,
    /// When its process was started.
    pub started_at: Timestamp,
    /// How its process ended.
    pub ending: Ending,
    /// Whether the host asked for the end.
    pub interrupted: bool,
    /// From its process's start to its end.
    #[serde(rename = "ran_for_ms", with = "crate::millis")]
    pub ran_for: Duration,
    /// Descendants that outlived the process and were ended.
    pub leftovers: u32,
    /// The end of standard output, up to 64 KiB.
    pub stdout_tail: String,
    /// The end of standard error, likewise.
    pub stderr_tail: String,
    /// What the experiment said of its failure, where it did.
    pub self_report: Option<SelfReport>,
    /// Why what it said could not be read, where it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_report_error: Option<String>,
}

impl Record {
    pub(super) fn new(assignment: &Assignment, started_at: Timestamp, end: End, report: &Path) -> Self {
        let (self_report, self_report_error) = match read_report(report) {
            Ok(report) => (report, None),
            Err(error) => (None, Some(error)),
        };
        Self {
            token: assignment.token.clone(),
            started_at,
            ending: end.ending,
            interrupted: end.interrupted,
            ran_for: end.ran_for,
            leftovers: end.leftovers,
            stdout_tail: String::from_utf8_lossy(&end.stdout_tail).into_owned(),
            stderr_tail: String::from_utf8_lossy(&end.stderr_tail).into_owned(),
            self_report,
            self_report_error,
        }
    }

    /// Whether the attempt's directory holds a record.
    pub fn exists_in(dir: &Path) -> bool {
        dir.join(FILE).exists()
    }

    pub(super) fn write(&self, dir: &Path) -> io::Result<()> {
        let unfinished = dir.join("record.json.unfinished");
        let mut file = File::create(&unfinished)?;
        file.write_all(&serde_json::to_vec(self).expect("strings and numbers always serialise"))?;
        file.sync_data()?;
        fs::rename(&unfinished, dir.join(FILE))?;
        File::open(dir)?.sync_all()
    }

    /// Reads the record from its attempt's directory; `None` where there is none.
    ///
    /// # Errors
    ///
    /// Where the file system refuses, or the file is not a record.
    pub fn read(dir: &Path) -> io::Result<Option<Self>> {
        match fs::read(dir.join(FILE)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn read_report(path: &Path) -> Result<Option<SelfReport>, String> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let mut text = Vec::new();
    file.take(REPORT_BYTES_MAX).read_to_end(&mut text).map_err(|error| error.to_string())?;
    serde_json::from_slice(&text).map(Some).map_err(|error| error.to_string())
}
