//! What the devices did while the attempt ran.
//!
//! Judges nothing: it fills in what the attempt's record has room for.

use std::path::Path;
use std::time::Duration;

use crate::attempt::{Attempt, DeviceFault, DeviceMemoryUse};
use crate::gpu::{Faults, SAMPLE_EVERY, Sampled, Sampler};
use crate::process::is_strangers;
use crate::samples::{SAMPLES_FILE, Samples};

use super::leased::Leased;

/// How long after a failed attempt an Xid may be told: the kernel logs it while
/// the program still runs or dies, and only the way to us takes a moment.
const FAULT_TOLD_WITHIN: Duration = Duration::from_millis(250);

/// Watches the leased devices, where they can be.
pub(super) struct Observer {
    sampler: Option<Sampler>,
    faults: Option<Faults>,
}

impl Observer {
    pub(super) fn start(leased: &Leased, dir: &Path) -> Self {
        let Some(gpus) = leased.readable() else { return Self { sampler: None, faults: None } };
        let devices: Vec<Sampled> = leased
            .positions()
            .map(|device| Sampled {
                uuid: leased.name(device).to_owned(),
                baseline_bytes: Some(leased.baseline_bytes(device)),
            })
            .collect();
        let is_ours = |pid| !is_strangers(pid);
        let sampler = Sampler::start(gpus, &devices, SAMPLE_EVERY, &dir.join(SAMPLES_FILE), is_ours)
            .inspect_err(|error| tracing::warn!("the devices are not sampled: {error}"));
        Self { sampler: sampler.ok(), faults: Some(Faults::watch(gpus)) }
    }

    /// Stops watching, and writes down what was seen.
    pub(super) fn stop(self, leased: &Leased, attempt: &mut Attempt) -> Option<Samples> {
        let position = |uuid: &str| leased.positions().find(|device| leased.name(*device) == uuid);
        let patience = if attempt.failure.is_some() { FAULT_TOLD_WITHIN } else { Duration::ZERO };
        attempt.faults = (self.faults.into_iter())
            .flat_map(|faults| faults.stop(patience))
            .filter_map(|fault| Some(DeviceFault { device: position(&fault.uuid)?, xid: fault.xid }))
            .collect();
        let samples = self.sampler?.stop();
        for device in &samples.devices {
            let Some(position) = position(&device.uuid) else { continue };
            let baseline_bytes = leased.baseline_bytes(position);
            if let Some(peak_bytes) = device.memory_peak_bytes {
                attempt.memory.push(DeviceMemoryUse {
                    device: position,
                    baseline_bytes,
                    peak_bytes,
                    residual_bytes: baseline_bytes + device.memory_residual_bytes.unwrap_or_default(),
                });
            }
            let foreign = u32::try_from(device.foreign_processes.len()).unwrap_or(u32::MAX);
            attempt.foreign_processes = attempt.foreign_processes.max(foreign);
            let throttled_for = device.throttled_for.unwrap_or(Duration::ZERO);
            attempt.throttled_for = attempt.throttled_for.max(throttled_for);
        }
        Some(samples)
    }
}
