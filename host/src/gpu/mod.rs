//! Room: the devices of this machine, as NVML knows them.
//!
//! Reads and watches them. Changes nothing on a device, and ends no process.

mod line;
mod nvml;
mod read;
mod treatment;

pub use nvml::{Gpus, LIBRARY_VARIABLE, READ_WITHIN, Unavailable, Versions, devices};
