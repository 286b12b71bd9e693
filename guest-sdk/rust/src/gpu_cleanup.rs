//! The cleanup work that the host does.
//!
//! A plan of [`Step`]s is all that most policies need; [`perform`] is for
//! those that must know what one step brought before they name the next.

pub use crate::bindings::cleanup::reprieve::policy::gpu_cleanup::{
    Action, Consequence, IdleGoal, MemoryGoal, Outcome, ProbeGoal, Report, Step, TemperatureGoal,
};

#[cfg(target_family = "wasm")]
pub use crate::bindings::cleanup::reprieve::policy::gpu_cleanup::perform;

/// Runs an action now.
///
/// # Errors
///
/// The host's reason for not allowing it. Outside a host, nothing is allowed.
#[cfg(not(target_family = "wasm"))]
pub fn perform(_action: &Action) -> Result<Report, String> {
    Err("the policy runs outside a host".to_owned())
}
