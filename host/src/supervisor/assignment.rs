//! What a supervisor is to do, as the host wrote it down before starting it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::attempt::Stage;
use crate::decision::Subject;
use crate::study::{Hook, NvmlRules, PatternSpec, PolicySpec};

/// One attempt to carry out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// Tells this attempt's processes from all others: in their environment
    /// as `REPRIEVE_TOKEN`.
    pub token: String,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Variables beside the host's own environment. That one is inherited and
    /// never written down: it holds people's secrets.
    pub environment: Vec<(String, String)>,
    /// Where the program runs.
    pub directory: PathBuf,
    /// How long it may run, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// How long it may print nothing, in milliseconds.
    pub silence_ms: Option<u64>,
    /// Between the termination signal and the kill, in milliseconds.
    pub grace_ms: u64,
    /// Which of its stage's attempts it is, from 1.
    pub number: u32,
    /// Which stage.
    pub stage: Stage,
    /// The delay that was decided before it, in milliseconds.
    pub waited_for_ms: u64,
    /// The experiment, as policies see it.
    pub experiment: Subject,
    /// What failures look like in this study, beside what is known of them.
    pub patterns: Vec<PatternSpec>,
    /// The devices that it holds; empty where they are mere slots.
    pub devices: Vec<LeasedDevice>,
    /// How they are asked.
    pub nvml: NvmlRules,
    /// The policy that plans the cleanup; `None` where there is no device to
    /// plan for, and the host ends what was left by itself.
    pub planner: Option<PolicySpec>,
    /// Where compiled policies are kept.
    pub cache: Option<PathBuf>,
    /// Commands that a plan may run, by name.
    pub hooks: BTreeMap<String, Hook>,
    /// Whether devices that are not clean are used all the same.
    pub use_unclean: bool,
}

/// A device that an attempt holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeasedDevice {
    /// NVML's name for it.
    pub uuid: String,
    /// Used before the study's first attempt on it, in bytes.
    pub baseline_bytes: u64,
}

const FILE: &str = "assignment.json";

impl Assignment {
    /// Writes the assignment into its attempt's directory.
    ///
    /// # Errors
    ///
    /// Where the file system refuses.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        fs::write(dir.join(FILE), serde_json::to_vec(self).expect("strings and numbers always serialise"))
    }

    /// Reads the assignment from its attempt's directory.
    ///
    /// # Errors
    ///
    /// Where it is not there, or is not whole.
    pub fn read(dir: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(dir.join(FILE))?)?)
    }

    pub(super) fn timeout(&self) -> Option<Duration> {
        self.timeout_ms.map(Duration::from_millis)
    }

    pub(super) fn silence(&self) -> Option<Duration> {
        self.silence_ms.map(Duration::from_millis)
    }

    pub(super) fn grace(&self) -> Duration {
        Duration::from_millis(self.grace_ms)
    }
}
