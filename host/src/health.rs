//! Vocabulary: what a reading says of a device's health, and what a person has to do about it.
//!
//! Says nothing of memory that has not come back: that needs a baseline.

use crate::cleanup::Quarantine;
use crate::reading::{Reading, ReadingError, Recovery};

/// Why a device is not fit for an experiment, by its own word; `None` where it is.
pub fn quarantine(reading: &Reading) -> Option<Quarantine> {
    let of = |reason: &str, remedy: &str| {
        Some(Quarantine { reason: reason.to_owned(), remedy: remedy.to_owned() })
    };
    match reading.recovery {
        Some(Recovery::ResetDevice) => {
            return of(
                "the driver says that it needs a reset",
                "reset it: `nvidia-smi --gpu-reset -i UUID` as root, with nobody on it",
            );
        }
        Some(Recovery::RestartMachine) => {
            return of("the driver says that the machine needs a restart", "restart the machine");
        }
        Some(Recovery::Inspect) => {
            return of("the driver says that it has to be drained", "drain it and look at `nvidia-smi -q`");
        }
        Some(Recovery::None) | None => {}
    }
    if reading.remapped_rows.is_some_and(|rows| rows.failed) {
        return of("a memory row could not be remapped", "replace the device");
    }
    None
}

/// Why a device is not fit after a fault that the driver told of, by NVIDIA's
/// Xid catalog (docs.nvidia.com/deploy/xid-errors). Where the catalog leaves it
/// to a workflow (48, 74, 109, and those after 165), the driver's own word that
/// nothing has to be done settles it.
pub fn after_fault(xid: u64, reading: &Reading) -> Option<Quarantine> {
    let remedy = match xid {
        48 | 74 | 109 | 166..=175 if reading.recovery == Some(Recovery::None) => return None,
        46
        | 48
        | 62
        | 64
        | 74
        | 95
        | 109
        | 110
        | 119
        | 120
        | 136
        | 140
        | 143
        | 155
        | 156
        | 158
        | 166..=175 => "reset the device: `nvidia-smi --gpu-reset -i UUID` as root, with nobody on it",
        54 => "look at its power cables",
        78 | 159 => "update the driver",
        79 | 151 => "restart the machine",
        142 => "ask NVIDIA's support",
        _ => return None,
    };
    Some(Quarantine { reason: format!("the driver told of Xid {xid}"), remedy: remedy.to_owned() })
}

/// A device that cannot be read cannot be shown to be clean.
pub fn unreadable(error: &ReadingError) -> Quarantine {
    let remedy = match error {
        ReadingError::DeviceLost(_) => "restart the machine; if it is lost again, replace the device",
        ReadingError::Unavailable(_) => "`reprieve doctor` says what NVML lacks",
        ReadingError::NoSuchDevice
        | ReadingError::NotSupported
        | ReadingError::Transient(_)
        | ReadingError::Other(_) => "`reprieve gpu` shows whether it answers again",
    };
    Quarantine { reason: format!("it cannot be read: {error}"), remedy: remedy.to_owned() }
}
