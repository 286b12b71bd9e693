//! CUDA, which unlike NVML works inside the process that asks.
//!
//! A context holds hundreds of MiB of its device, and a driver newer than
//! cudarc's headers may end the process. So a device is probed only by a
//! short-lived process, and of this process only those contexts are touched
//! that it has already.

mod own;
mod probe;

use std::ffi::{OsStr, OsString};
use std::path::Path;

pub use own::{OnDevice, OwnWork, in_own_contexts};
pub use probe::{ProbeError, Probed, probe};

/// Names the CUDA driver library for probes, as [`super::LIBRARY_VARIABLE`]
/// does for NVML. It must be called `libcuda.so` or `libcuda.so.1`: cudarc asks
/// the loader for these names, and the file's directory comes first on the
/// path where the loader looks.
pub const LIBRARY_VARIABLE: &str = "REPRIEVE_CUDA_LIBRARY";

/// The `LD_LIBRARY_PATH` with which a new process finds the library that was
/// named, beside what it found before (ld.so(8)).
pub fn loader_path(library: &OsStr, before: Option<&OsStr>) -> OsString {
    let mut path = Path::new(library).parent().unwrap_or(Path::new("")).as_os_str().to_owned();
    if let Some(before) = before.filter(|before| !before.is_empty()) {
        path.push(":");
        path.push(before);
    }
    path
}
