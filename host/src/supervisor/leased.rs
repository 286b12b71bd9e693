//! The devices that an attempt holds, as they are read while it does.
//!
//! Changes nothing on them.

use std::fmt::Write;
use std::fs;
use std::time::Duration;

use crate::gpu::{DeviceLock, Gpus, LockError, LockedFor};
use crate::reading::{Reading, ReadingError};
use crate::size::size;

use super::assignment::LeasedDevice;
use super::tree::{Tree, Wish};

/// How often a device that another attempt has is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// The leased devices; none where the machine has only slots.
#[derive(Clone, Debug)]
pub(crate) struct Leased {
    devices: Vec<LeasedDevice>,
    gpus: Option<Result<Gpus, String>>,
}

impl Leased {
    pub(crate) fn new(devices: &[LeasedDevice]) -> Self {
        // NVML is not even looked for where there is no device to be asked.
        let gpus = (!devices.is_empty()).then(|| Gpus::open(None).map_err(|error| error.to_string()));
        Self { devices: devices.to_vec(), gpus }
    }

    /// These devices of an NVML that is open.
    pub(crate) fn of(devices: Vec<LeasedDevice>, gpus: Gpus) -> Self {
        Self { devices, gpus: Some(Ok(gpus)) }
    }

    pub(crate) fn positions(&self) -> impl ExactSizeIterator<Item = u32> + use<> {
        0..u32::try_from(self.devices.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn name(&self, device: u32) -> &str {
        self.device(device).map_or("", |device| &device.uuid)
    }

    pub(crate) fn baseline_bytes(&self, device: u32) -> u64 {
        self.device(device).map_or(0, |device| device.baseline_bytes)
    }

    fn device(&self, device: u32) -> Option<&LeasedDevice> {
        self.devices.get(device as usize)
    }

    /// The devices' NVML, where there is one.
    pub(crate) fn readable(&self) -> Option<&Gpus> {
        self.gpus().ok()
    }

    fn gpus(&self) -> Result<&Gpus, ReadingError> {
        match &self.gpus {
            Some(Ok(gpus)) => Ok(gpus),
            Some(Err(why)) => Err(ReadingError::Unavailable(why.clone())),
            None => Err(ReadingError::Unavailable("the study runs on slots, without NVML".to_owned())),
        }
    }

    /// Keeps the devices for this attempt, also where its host dies: waits for
    /// another's attempt that has outlived its own. `None` where the host
    /// wanted an end first.
    pub(super) fn lock(&self, token: &str, tree: &mut Tree) -> Option<Vec<DeviceLock>> {
        let mut locks = Vec::new();
        for device in &self.devices {
            loop {
                match DeviceLock::take(&device.uuid, LockedFor::Attempt, token) {
                    Ok(lock) => {
                        locks.push(lock);
                        break;
                    }
                    Err(LockError::Held(_)) => tree.pause(LOOK_AGAIN),
                    // The host has said so when the study began.
                    Err(LockError::File { .. }) => break,
                };
                if tree.wish != Wish::GoOn {
                    return None;
                }
            }
        }
        Some(locks)
    }

    /// One device, and its baseline.
    pub(crate) fn read(&self, device: u32) -> Result<(Reading, u64), ReadingError> {
        let gpus = self.gpus()?;
        let device = self.device(device).ok_or(ReadingError::NoSuchDevice)?;
        Ok((gpus.read(&device.uuid)?, device.baseline_bytes))
    }

    /// Used on all of them together, where all can be read.
    pub(crate) fn memory_used_bytes(&self) -> Option<u64> {
        let gpus = self.gpus().ok()?;
        self.devices.iter().map(|device| gpus.memory(&device.uuid).ok()).sum()
    }

    /// Whether a device's memory is back; says what it holds where it is not.
    pub(crate) fn memory_above(&self, device: u32, tolerance_bytes: u64) -> Result<bool, String> {
        let gpus = self.gpus().map_err(|error| error.to_string())?;
        let leased = self.device(device).ok_or("no such device")?;
        let used = gpus.memory(&leased.uuid).map_err(|error| error.to_string())?;
        let above = used.saturating_sub(leased.baseline_bytes);
        if above <= tolerance_bytes {
            return Ok(true);
        }
        Err(format!("{} in use, {} above its baseline", size(used), size(above)))
    }

    /// Who is on a device, for people.
    pub(crate) fn holders(reading: &Reading) -> String {
        let mut text = String::new();
        for process in &reading.processes {
            let name = fs::read_to_string(format!("/proc/{}/comm", process.pid)).unwrap_or_default();
            let name = if name.is_empty() { "not visible from here" } else { name.trim_end() };
            let held = process.memory_bytes.map(size).unwrap_or_default();
            let separator = if text.is_empty() { "" } else { ", " };
            let _ = write!(text, "{separator}pid {} ({name}) {held}", process.pid);
        }
        if text.is_empty() { "no process that NVML lists".to_owned() } else { text.trim_end().to_owned() }
    }
}
