//! What a supervisor leaves behind: one file, synced, then renamed into place.
//!
//! It is there whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::attempt::Attempt;
use crate::cleanup::{Cleanup, HandOver};
use crate::samples::Samples;

const FILE: &str = "record.json";

/// How an attempt went, as its supervisor saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The attempt's token, as assigned.
    pub token: String,
    /// When its supervisor began.
    pub started_at: Timestamp,
    /// Whether the host asked for the end.
    pub interrupted: bool,
    /// How it went.
    pub attempt: Attempt,
    /// What was done to the devices after it.
    pub cleanup: Cleanup,
    /// The devices at the hand-over; empty where they are mere slots.
    pub devices: Vec<HandOver>,
    /// What the devices did meanwhile, where they could be sampled.
    pub samples: Option<Samples>,
}

impl Record {
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
        // Its directory, and those that were made for it: the experiment's and the study's.
        dir.ancestors().take(3).try_for_each(|dir| File::open(dir)?.sync_all())
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
