//! Stands in for `libnvidia-ml.so.1`: NVML's functions, answered by a scripted machine.
//!
//! Only the functions that Reprieve may call are here; nvml-wrapper takes the
//! others for those of a newer driver. What each must do is in NVIDIA's NVML
//! API reference. It proves what its caller makes of answers, and nothing
//! about a real device's timing.

#![expect(unsafe_code, reason = "C calls these functions, with pointers that only C's rules vouch for")]

mod call;
mod device;
mod event;
mod mig;
mod sensor;
mod system;
