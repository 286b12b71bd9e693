//! The study's devices as a host finds them when it begins or goes on.
//!
//! What is quarantined is leased to nobody; that is the state's to see to.

use std::path::Path;
use std::time::Duration;

use crate::cleanup::HandOver;
use crate::event::Device;
use crate::gpu::{DeviceLock, Gpus, LockError, LockedFor};
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

/// How often a device that another study has is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// A device that another study has.
#[derive(Debug, thiserror::Error)]
#[error("`{device}` is another study's: {holder}\nhint: `--wait` waits for it")]
pub struct Taken {
    /// Its UUID.
    pub device: String,
    /// What the other study says of itself.
    pub holder: String,
}

/// Takes the study's devices for it, across all hosts of this machine; waits
/// for those that another study has, or says so at once.
#[expect(clippy::disallowed_methods, reason = "nothing has begun that a sleep could hold up")]
pub(super) fn lock(
    devices: &[Device],
    study: &str,
    dir: &Path,
    wait: bool,
) -> Result<Vec<DeviceLock>, Taken> {
    let holder = format!("study `{study}` of process {}, in `{}`", std::process::id(), dir.display());
    let mut locks = Vec::new();
    // In one order for all, so that two that wait never wait for each other.
    let mut devices: Vec<&Device> = devices.iter().filter(|device| device.is_readable()).collect();
    devices.sort_by(|a, b| a.id.cmp(&b.id));
    for device in devices {
        let mut told = false;
        loop {
            match DeviceLock::take(&device.id, LockedFor::Study, &holder) {
                Ok(lock) => {
                    locks.push(lock);
                    break;
                }
                Err(LockError::Held(_)) if wait && told => std::thread::sleep(LOOK_AGAIN),
                Err(LockError::Held(holder)) if wait => {
                    tracing::warn!("waiting for `{}`, which is another study's: {holder}", device.id);
                    told = true;
                }
                Err(LockError::Held(holder)) => return Err(Taken { device: device.id.clone(), holder }),
                Err(error @ LockError::File { .. }) => {
                    tracing::warn!("`{}` is not locked against other studies: {error}", device.id);
                    break;
                }
            }
        }
    }
    Ok(locks)
}

/// Whether the memory that a device was quarantined for has still not come back.
fn still_held(reading: &Reading, baseline_bytes: u64) -> bool {
    reading.memory_used_bytes.saturating_sub(baseline_bytes) > TOLERANCE_BYTES
}
