//! Stands in for `libcuda.so`: the driver API's functions, answered by a scripted machine.
//!
//! Only what Reprieve and cudarc call to make a context, to move memory and to
//! clean up is here; of kernels, only that they fault. What each must do is in NVIDIA's CUDA
//! driver API reference. What is allocated is held on the machine, where NVML's
//! stand-in sees it. It proves what its caller makes of answers, and nothing
//! about a real device.

#![expect(unsafe_code, reason = "C calls these functions, with pointers that only C's rules vouch for")]

mod call;
mod context;
mod device;
mod error;
mod kernel;
mod memory;
mod pool;
mod stream;
mod visible;
