//! What the functions that a policy imports answer from.
//!
//! The answers are the caller's: this room knows no device.

use std::time::Duration;

use super::sandbox::Sandbox;
use crate::cleanup::{CleanupAction, HandOver, StepReport};
use crate::clock;
use crate::reading::{Reading, ReadingError};

/// The leased devices, as a policy may ask for them while it plans.
pub trait Devices: Send {
    /// Reads one device, by its position among the leased ones; says too what
    /// its memory's baseline is, in bytes.
    ///
    /// # Errors
    ///
    /// Why there is no reading.
    fn read(&mut self, device: u32) -> Result<(Reading, u64), ReadingError>;

    /// Carries out an action now.
    ///
    /// # Errors
    ///
    /// Why it is not allowed, in one line.
    fn perform(&mut self, action: CleanupAction) -> Result<StepReport, String>;
}

/// Devices as they were read when an attempt ended: the same at every call, and nothing can be done to them.
pub(super) struct Recorded(pub(super) Vec<HandOver>);

impl Devices for Recorded {
    fn read(&mut self, device: u32) -> Result<(Reading, u64), ReadingError> {
        let Some(seen) = self.0.get(device as usize) else {
            return Err(ReadingError::Unavailable("no reading was taken".to_owned()));
        };
        seen.reading.clone().map(|reading| (reading, seen.baseline_bytes))
    }

    fn perform(&mut self, _: CleanupAction) -> Result<StepReport, String> {
        Err("not allowed while deciding".to_owned())
    }
}

impl Sandbox {
    /// Time outside the sandbox is not the policy's: its deadline is put off by as much.
    pub(super) fn outside<T>(&mut self, ask: impl FnOnce(&mut dyn Devices) -> T) -> T {
        let began = clock::monotonic();
        let answer = ask(&mut *self.devices);
        self.outside_for += began.elapsed();
        answer
    }

    /// How long it was outside since this was last asked.
    pub(super) fn take_outside_for(&mut self) -> Duration {
        std::mem::take(&mut self.outside_for)
    }
}
