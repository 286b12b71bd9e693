//! Vocabulary: what a study says of the cleanup between its experiments.
//!
//! Which steps there are and what they do is not said here.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::PolicySpec;

/// How devices are made clean.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CleanupRules {
    /// What plans it, where that is not the policy that judges.
    pub policy: Option<PolicySpec>,
    /// What a plan may run, by name.
    pub hooks: BTreeMap<String, Hook>,
    /// Devices whose memory has not come back are used all the same.
    pub use_unclean: bool,
}

/// A command of the study's own, to be run as a step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// How long it may take.
    #[serde(rename = "timeout_ms", with = "crate::millis")]
    pub timeout: Duration,
}
