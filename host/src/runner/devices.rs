//! The study's devices as a host finds them when it begins or goes on.
//!
//! What is quarantined is leased to nobody; that is the state's to see to.

use crate::cleanup::HandOver;
use crate::event::Device;
use crate::gpu::Gpus;
use crate::health;
use crate::reading::{Reading, ReadingError};
use crate::state::StudyState;

/// Above a baseline, what is no more than the coming and going of monitors.
const TOLERANCE_BYTES: u64 = 64 << 20;

/// Reads each device; nothing where they are mere slots. What is used now is
/// the baseline, or what was used when the study began, where that is less.
pub(super) fn look(devices: &[Device], earlier: Option<&StudyState>) -> Vec<HandOver> {
    if !devices.iter().all(Device::is_readable) {
        return Vec::new();
    }
    let gpus = Gpus::open(None).map_err(|error| ReadingError::Unavailable(error.to_string()));
    (0..)
        .zip(devices)
        .map(|(position, device)| {
            let reading = gpus.clone().and_then(|gpus| gpus.read(&device.id));
            let used = reading.as_ref().map_or(0, |reading| reading.memory_used_bytes);
            let before = earlier.map(|state| state.baseline_bytes(position)).filter(|bytes| *bytes > 0);
            let baseline_bytes =
                before.map_or(used, |before| if used == 0 { before } else { before.min(used) });
            let quarantine = match &reading {
                Err(error) => Some(health::unreadable(error)),
                Ok(reading) => health::quarantine(reading).or_else(|| {
                    let quarantined = earlier.and_then(|state| state.quarantine(position))?;
                    still_held(reading, baseline_bytes).then(|| quarantined.clone())
                }),
            };
            HandOver { baseline_bytes, reading, quarantine }
        })
        .collect()
}

/// Whether the memory that a device was quarantined for has still not come back.
fn still_held(reading: &Reading, baseline_bytes: u64) -> bool {
    reading.memory_used_bytes.saturating_sub(baseline_bytes) > TOLERANCE_BYTES
}
