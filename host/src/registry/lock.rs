//! `reprieve.lock`: what the tags in the studies beside it stand for.
//!
//! Says nothing of references with a digest, which need no lock.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::write_whole;
use crate::study::{Pin, Reference};

/// A lock file, read or to be written.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    pins: BTreeMap<Reference, Pin>,
}

/// Why a lock file is of no use.
#[derive(Debug, Error)]
pub enum LockError {
    /// The file system refuses.
    #[error(
        "the lock `{}` cannot be {verb}: {error}\n\
         hint: a policy that is named by its digest, `oci://…@sha256:…`, needs no lock", path.display()
    )]
    Io {
        /// The lock.
        path: PathBuf,
        /// `read` or `written`.
        verb: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// It is no lock.
    #[error(
        "`{}` is no lock: {why}\n\
         hint: take it back from where it is kept, or delete it: the next run writes it, for the tags as they are then",
        path.display()
    )]
    Malformed {
        /// The lock.
        path: PathBuf,
        /// What is wrong, with its place.
        why: String,
    },
}

const FILE: &str = "reprieve.lock";

const VERSION: u32 = 1;

const HEAD: &str = "\
# What the tags in the studies beside this file stand for. `reprieve` writes it;
# it belongs with the studies. `reprieve policy update` looks at the tags anew.
";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    version: u32,
    #[serde(default)]
    policies: Vec<Pin>,
}

impl Lock {
    /// Reads the lock in a folder of studies; it is empty where there is none.
    ///
    /// # Errors
    ///
    /// Where the file is there and is no lock.
    pub fn read(folder: &Path) -> Result<Self, LockError> {
        let path = folder.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { path, pins: BTreeMap::new() });
            }
            Err(error) => return Err(LockError::Io { path, verb: "read", error }),
        };
        let malformed = |why| LockError::Malformed { path: path.clone(), why };
        let text: Text = toml::from_str(&text).map_err(|error| malformed(error.to_string()))?;
        if text.version != VERSION {
            return Err(malformed(format!("its version is `{}`, and `{VERSION}` is known", text.version)));
        }
        let mut pins = BTreeMap::new();
        for pin in text.policies {
            let reference = pin.reference.clone();
            if pins.insert(reference.clone(), pin).is_some() {
                return Err(malformed(format!("it has `{reference}` twice")));
            }
        }
        Ok(Self { path, pins })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All that it says, in the order of references.
    pub fn pins(&self) -> impl Iterator<Item = &Pin> {
        self.pins.values()
    }

    /// What a reference stands for, where that is known.
    pub fn pin(&self, reference: &Reference) -> Option<&Pin> {
        self.pins.get(reference)
    }

    /// Writes these too, or in place of what was there for the same references.
    ///
    /// # Errors
    ///
    /// Where the file system refuses.
    pub fn write(mut self, pins: impl IntoIterator<Item = Pin>) -> Result<(), LockError> {
        self.pins.extend(pins.into_iter().map(|pin| (pin.reference.clone(), pin)));
        let text = Text { version: VERSION, policies: self.pins.into_values().collect() };
        let text = toml::to_string(&text).expect("a table of texts is TOML");
        write_whole(&self.path, format!("{HEAD}{text}").as_bytes()).map_err(|error| LockError::Io {
            path: self.path,
            verb: "written",
            error,
        })
    }
}
