//! The cleanup work that the host does.
//!
//! A plan of [`Step`]s is all that most policies need; [`perform`] is for
//! those that must know what one step brought before they name the next.

pub use crate::bindings::cleanup::reprieve::policy::gpu_cleanup::{
    Action, Consequence, IdleGoal, MemoryGoal, Outcome, ProbeGoal, Report, Step, TemperatureGoal,
};

#[cfg(target_family = "wasm")]
pub use crate::bindings::cleanup::reprieve::policy::gpu_cleanup::perform;

impl Step {
    /// An action whose failure is recorded, and nothing more.
    pub fn new(action: Action) -> Self {
        Self { action, if_it_fails: Consequence::CarryOn }
    }

    /// An action without which its device is not fit for the next experiment.
    pub fn or_quarantine(action: Action) -> Self {
        Self { action, if_it_fails: Consequence::QuarantineDevice }
    }

    /// An action without which no further experiment is to start.
    pub fn or_stop(action: Action) -> Self {
        Self { action, if_it_fails: Consequence::StopStudy }
    }
}

/// Runs an action now.
///
/// # Errors
///
/// The host's reason for not allowing it. Outside a host, nothing is allowed.
#[cfg(not(target_family = "wasm"))]
pub fn perform(_action: &Action) -> Result<Report, String> {
    Err("the policy runs outside a host".to_owned())
}
