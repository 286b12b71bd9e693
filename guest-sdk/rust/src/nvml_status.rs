//! The leased devices, as the host sees them through NVML.
//!
//! Where there is no host, in unit tests, no reading can be had.

pub use crate::bindings::retry::reprieve::policy::nvml_status::{Memory, Recovery, Status, StatusError};

#[cfg(target_family = "wasm")]
pub use crate::bindings::retry::reprieve::policy::nvml_status::{device_count, read};

/// How many devices the experiment holds. Outside a host: none.
#[cfg(not(target_family = "wasm"))]
pub fn device_count() -> u32 {
    0
}

/// Reads one device, by its position among the leased devices.
///
/// # Errors
///
/// Says why there is no reading. Outside a host: [`StatusError::Unavailable`].
#[cfg(not(target_family = "wasm"))]
pub fn read(_device: u32) -> Result<Status, StatusError> {
    Err(StatusError::Unavailable("the policy runs outside a host".to_owned()))
}
