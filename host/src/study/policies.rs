//! Vocabulary: which policy decides, and within what bounds.
//!
//! Loading, checking and calling policies is the policy room's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::reference::{Pin, Reference, ReferenceError};
use crate::attempt::Stage;

/// The policies of a study.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Policies {
    pub(super) study: PolicySpec,
    pub(super) by_stage: [Option<PolicySpec>; 3],
}

impl Policies {
    /// The policy that judges attempts at this stage.
    pub fn of(&self, stage: Stage) -> &PolicySpec {
        self.by_stage[stage as usize].as_ref().unwrap_or(&self.study)
    }
}

/// One policy: what it is, what it is told, what it may use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PolicySpec {
    /// Where its code is.
    #[serde(rename = "use")]
    pub component: PolicyComponent,
    /// What decides after it has failed to.
    pub fallback: Fallback,
    /// Handed to it as JSON. Always an object.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// The bounds of its sandbox.
    pub limits: PolicyLimits,
}

/// Where a policy's code is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyComponent {
    /// In the binary.
    #[default]
    Standard,
    /// In this file, a component.
    File(PathBuf),
    /// In a registry. It has to be pinned before it is loaded.
    Registry(Reference),
    /// In this file, and nothing but what was pinned.
    Pinned {
        /// A copy of the component.
        file: PathBuf,
        /// What it has to be.
        pin: Pin,
    },
}

/// Why a policy's name names none. Both fields are for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}\nhint: {hint}")]
pub struct NoPolicy {
    /// What is wrong with it.
    pub message: String,
    /// The way out.
    pub hint: String,
}

impl PolicyComponent {
    /// What a policy's name in a study file stands for. Paths start from `folder`.
    ///
    /// # Errors
    ///
    /// Where it is neither `standard`, nor a path, nor a reference to a registry.
    pub fn named(name: &str, folder: &Path) -> Result<Self, NoPolicy> {
        if name.contains("://") {
            let wrong =
                |error: ReferenceError| NoPolicy { message: error.message(), hint: error.hint().to_owned() };
            name.parse().map(Self::Registry).map_err(wrong)
        } else if name.contains('/') || name.ends_with(".wasm") || name.ends_with(".wat") {
            Ok(Self::File(folder.join(name)))
        } else if name == "standard" {
            Ok(Self::Standard)
        } else {
            let hint = "write `standard`, the path of a component (with a `/`, or ending in `.wasm` or `.wat`), \
                        or a reference, `oci://…`";
            Err(NoPolicy { message: format!("there is no policy `{name}`"), hint: hint.to_owned() })
        }
    }

    /// The registry's name for it, where it has one.
    pub fn reference(&self) -> Option<&Reference> {
        match self {
            Self::Registry(reference) => Some(reference),
            Self::Pinned { pin, .. } => Some(&pin.reference),
            Self::Standard | Self::File(_) => None,
        }
    }

    /// The same, pinned where it is in a registry and there is a pin for it;
    /// its copy is in this cache or study's directory.
    #[must_use]
    pub fn pinned(&self, pins: &[Pin], folder: Option<&Path>) -> Self {
        let pin = self.reference().and_then(|reference| pins.iter().find(|pin| pin.reference == *reference));
        match (pin, folder) {
            (Some(pin), Some(folder)) => Self::Pinned { file: pin.file(folder), pin: pin.clone() },
            _ => self.clone(),
        }
    }
}

/// What decides after a policy fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fallback {
    /// The standard policy, with its default settings.
    #[default]
    Standard,
    /// Nothing: the experiment has failed.
    GiveUp,
    /// Nothing: the study starts no further experiment.
    Stop,
}

/// The bounds of a policy's sandbox. What is `None` is the policy room's to
/// choose, and it caps what is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PolicyLimits {
    /// Units of wasmtime's fuel for one call.
    pub fuel: Option<u64>,
    /// The longest that one call may take on the wall clock.
    #[serde(rename = "deadline_ms", with = "crate::millis::option")]
    pub deadline: Option<Duration>,
    /// Bytes of linear memory.
    pub memory_bytes: Option<u64>,
    /// Elements in all tables.
    pub table_elements: Option<u64>,
    /// Core instances within the component.
    pub instances: Option<u64>,
    /// Bytes of stack in one call.
    pub stack_bytes: Option<u64>,
    /// Bytes that one call may move in and out of the sandbox.
    pub hostcall_bytes: Option<u64>,
    /// Bytes of one answer.
    pub answer_bytes: Option<u64>,
    /// Steps of one cleanup plan.
    pub plan_steps: Option<u64>,
    /// Bytes that one call may log.
    pub log_bytes: Option<u64>,
}
