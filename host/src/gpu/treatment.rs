//! What is to be done about an NVML error.
//!
//! Asks nothing itself. The table was drawn up from NVML's manual and public
//! reports; codes 23 to 30 of `nvmlReturn_t` are unknown to nvml-wrapper 0.13
//! and come as `UnexpectedVariant`.

use nvml_wrapper::error::NvmlError;

use crate::reading::ReadingError;

/// `NVML_ERROR_INVALID_STATE` and what follows it up to 27: nvml.h of CUDA 13.
const ARGUMENT_VERSION_MISMATCH: u32 = 25;
const DEPRECATED: u32 = 26;
const NOT_READY: u32 = 27;
const GPU_NOT_FOUND: u32 = 28;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// It passes: ask again soon.
    AskAgain,
    /// Initialise NVML once more, then ask again.
    Reopen,
    /// The device or its driver does not offer this.
    Absent,
    /// The device is sick, or gone.
    Lost,
    /// NVML as a whole is of no use here.
    Unavailable,
    /// No device of this name.
    NoDevice,
    /// NVML's 999. Some pass; in a container that has lost its devices none
    /// does (NVIDIA/nvidia-container-toolkit#48). Ask three times.
    Unknown,
    /// Asking again changes nothing.
    Final,
}

impl Treatment {
    pub(super) fn of(error: &NvmlError) -> Self {
        use NvmlError as E;
        match error {
            E::Timeout | E::InUse | E::InsufficientSize(_) | E::InsufficientMemory | E::NoData => {
                Self::AskAgain
            }
            E::UnexpectedVariant(NOT_READY) => Self::AskAgain,
            E::Uninitialized => Self::Reopen,
            E::NotSupported | E::FailedToLoadSymbol(_) | E::FunctionNotFound => Self::Absent,
            E::UnexpectedVariant(ARGUMENT_VERSION_MISMATCH | DEPRECATED) => Self::Absent,
            E::GpuLost | E::ResetRequired | E::CorruptedInfoROM | E::IrqIssue | E::InsufficientPower => {
                Self::Lost
            }
            E::LibloadingError(_)
            | E::LibraryNotFound
            | E::DriverNotLoaded
            | E::LibRmVersionMismatch
            | E::NoPermission
            | E::OperatingSystem => Self::Unavailable,
            E::NotFound | E::UnexpectedVariant(GPU_NOT_FOUND) => Self::NoDevice,
            E::Unknown => Self::Unknown,
            _ => Self::Final,
        }
    }

    /// How often to ask in all, where the answer stays the same.
    pub(super) fn tries(self) -> usize {
        match self {
            Self::AskAgain => super::line::ASK_AGAIN_AFTER.len() + 1,
            Self::Unknown => 3,
            Self::Reopen => 2,
            Self::Absent | Self::Lost | Self::Unavailable | Self::NoDevice | Self::Final => 1,
        }
    }

    /// What an optional part of a reading comes to: `Ok` where the device has
    /// no opinion, so that only this part is missing.
    pub(super) fn spares_the_rest(self) -> bool {
        !matches!(self, Self::AskAgain | Self::Reopen | Self::Lost)
    }
}

/// The error as readers are told it, after this many tries.
pub(super) fn told(error: &NvmlError, tries: usize) -> ReadingError {
    match Treatment::of(error) {
        Treatment::AskAgain if tries > 1 => ReadingError::Transient(format!("{error}, asked {tries} times")),
        Treatment::AskAgain => ReadingError::Transient(error.to_string()),
        Treatment::Absent => ReadingError::NotSupported,
        Treatment::Lost => ReadingError::DeviceLost(error.to_string()),
        Treatment::NoDevice => ReadingError::NoSuchDevice,
        Treatment::Reopen | Treatment::Unavailable => ReadingError::Unavailable(with_hint(error)),
        Treatment::Unknown => ReadingError::Other(format!(
            "{error}, asked {tries} times\nhint: in a container, the container may have lost its devices: \
             make it anew"
        )),
        Treatment::Final => ReadingError::Other(error.to_string()),
    }
}

/// The error, and the way out where there is one.
pub(super) fn with_hint(error: &NvmlError) -> String {
    let hint = match error {
        NvmlError::LibRmVersionMismatch => {
            "the driver was updated under a running kernel module: load it anew, or restart the machine"
        }
        NvmlError::DriverNotLoaded => "`modprobe nvidia`, or install the driver",
        NvmlError::NoPermission | NvmlError::OperatingSystem => {
            "see who may open `/dev/nvidia*`, and the container's or the cgroup's list of devices"
        }
        _ => return error.to_string(),
    };
    format!("{error}\nhint: {hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every error that NVML is known to answer with, and what is to be done.
    #[test]
    fn every_known_error_has_its_treatment() {
        use NvmlError as E;
        use Treatment as T;
        let table: [(u32, T); 24] = [
            (1, T::Reopen),
            (2, T::Final),
            (3, T::Absent),
            (4, T::Unavailable),
            (6, T::NoDevice),
            (7, T::AskAgain),
            (8, T::Lost),
            (9, T::Unavailable),
            (10, T::AskAgain),
            (11, T::Lost),
            (12, T::Unavailable),
            (13, T::Absent),
            (14, T::Lost),
            (15, T::Lost),
            (16, T::Lost),
            (17, T::Unavailable),
            (18, T::Unavailable),
            (19, T::AskAgain),
            (20, T::AskAgain),
            (21, T::AskAgain),
            (25, T::Absent),
            (26, T::Absent),
            (27, T::AskAgain),
            (999, T::Unknown),
        ];
        for (code, treatment) in table {
            assert_eq!(Treatment::of(&E::from(code)), treatment, "code {code}");
        }
    }

    #[test]
    fn a_reader_is_told_the_class_and_the_number_of_tries() {
        assert_eq!(told(&NvmlError::NotSupported, 1), ReadingError::NotSupported);
        assert_eq!(told(&NvmlError::NotFound, 1), ReadingError::NoSuchDevice);
        assert!(matches!(told(&NvmlError::GpuLost, 1), ReadingError::DeviceLost(_)));
        assert!(matches!(told(&NvmlError::LibRmVersionMismatch, 1),
            ReadingError::Unavailable(text) if text.contains("hint: ")));
        assert!(matches!(told(&NvmlError::InUse, 4),
            ReadingError::Transient(text) if text.ends_with("asked 4 times")));
        assert!(matches!(told(&NvmlError::Unknown, 3),
            ReadingError::Other(text) if text.contains("asked 3 times\nhint: ")));
    }
}
