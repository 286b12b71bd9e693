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
