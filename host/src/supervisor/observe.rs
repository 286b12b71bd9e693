//! What the devices did while the attempt ran.
//!
//! Judges nothing: it fills in what the attempt's record has room for.

use std::path::Path;
use std::time::Duration;

use crate::attempt::{Attempt, DeviceFault, DeviceMemoryUse, FailureClass};
use crate::gpu::{Faults, Sampled, Sampler};
use crate::process::is_strangers;
use crate::samples::{SAMPLES_FILE, Samples};

use super::leased::Leased;

/// How long after an attempt whose failure may be a device's an Xid may be
/// told: the kernel logs it while the program still runs or dies, and only the
/// way to us takes a moment.
const FAULT_TOLD_WITHIN: Duration = Duration::from_millis(250);

/// Whether a fault of the device may be behind a failure of this class. The
/// others have a cause of their own, and the next experiment need not wait.
fn may_be_the_devices(class: FailureClass) -> bool {
    use FailureClass::{
        Access, Cancelled, Configuration, DeviceMemory, HostMemory, Network, RateLimited, Storage,
    };
    !matches!(
        class,
        Access | Cancelled | Configuration | DeviceMemory | HostMemory | Network | RateLimited | Storage
    )
}

/// Watches the leased devices, where they can be.
pub(super) struct Observer {
    sampler: Option<Sampler>,
    faults: Option<Faults>,
}

impl Observer {
    pub(super) fn start(leased: &Leased, every: Duration, dir: &Path) -> Self {
        let Some(gpus) = leased.readable() else { return Self { sampler: None, faults: None } };
        let devices: Vec<Sampled> = leased
            .positions()
            .map(|device| Sampled {
                uuid: leased.name(device).to_owned(),
                baseline_bytes: Some(leased.baseline_bytes(device)),
            })
            .collect();
        let is_ours = |pid| !is_strangers(pid);
        let sampler = Sampler::start(gpus, &devices, every, &dir.join(SAMPLES_FILE), is_ours)
            .inspect_err(|error| tracing::warn!("the devices are not sampled: {error}"));
        Self { sampler: sampler.ok(), faults: Some(Faults::watch(gpus)) }
    }

    /// Stops watching, and writes down what was seen.
    pub(super) fn stop(self, leased: &Leased, attempt: &mut Attempt) -> Option<Samples> {
        let position = |uuid: &str| leased.positions().find(|device| leased.name(*device) == uuid);
        let doubtful = attempt.failure.as_ref().is_some_and(|failure| may_be_the_devices(failure.class));
        let patience = if doubtful { FAULT_TOLD_WITHIN } else { Duration::ZERO };
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
