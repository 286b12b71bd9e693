//! The devices of this machine, as NVML knows them.
//!
//! Only finds them: readings and cleanup are not here yet. Ends no process.

use std::sync::mpsc;
use std::time::Duration;

use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;

use crate::event::Device;

/// How long NVML may take to name its devices. Calls have been seen to block
/// for 45 s behind a driver's timeout (NVIDIA/open-gpu-kernel-modules#446),
/// and for good (#1333).
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// Why the machine's devices are not known.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// There is no NVML here: a machine without NVIDIA devices.
    #[error("no NVML: {0}")]
    NoNvml(String),
    /// NVML is there and does not answer.
    #[error("NVML did not answer within {} s", ANSWER_WITHIN.as_secs())]
    Silent,
    /// NVML is there and failed.
    #[error("NVML: {0}")]
    Failed(String),
}

/// The machine's devices, by UUID, in NVML's order.
///
/// # Errors
///
/// Where there is no NVML, or it fails or stays silent.
pub fn devices() -> Result<Vec<Device>, Unavailable> {
    let (answer, answered) = mpsc::channel();
    // A call that blocks for good leaves its thread behind; the host goes on.
    std::thread::spawn(move || answer.send(ask()));
    answered.recv_timeout(ANSWER_WITHIN).unwrap_or(Err(Unavailable::Silent))
}

fn ask() -> Result<Vec<Device>, Unavailable> {
    let failed = |error: NvmlError| Unavailable::Failed(error.to_string());
    let nvml = Nvml::init().map_err(|error| match error {
        NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound | NvmlError::DriverNotLoaded => {
            Unavailable::NoNvml(error.to_string())
        }
        other => failed(other),
    })?;
    let count = nvml.device_count().map_err(failed)?;
    (0..count)
        .map(|index| {
            let device = nvml.device_by_index(index).map_err(failed)?;
            let id = device.uuid().map_err(failed)?;
            let name = device.name().map_err(failed)?;
            Ok(Device { id, name })
        })
        .collect()
}
