//! Room: the devices of this machine, as NVML and CUDA know them.
//!
//! Reads and watches them. Frees only what this process holds itself, and ends
//! no process.

pub mod cuda;
mod faults;
mod kernel_log;
mod line;
mod lock;
mod nvml;
mod read;
mod sampler;
mod summary;
mod treatment;

pub use faults::Faults;
pub use lock::{DeviceLock, LOCKS_VARIABLE, LockError, LockedFor};
pub use nvml::{Gpus, LIBRARY_VARIABLE, READ_WITHIN, Unavailable, Versions, devices};
pub use sampler::{SAMPLE_EVERY, Sampled, Sampler};
