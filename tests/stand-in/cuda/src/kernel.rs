//! Kernels: none runs. To launch one is to fault on the device.
//!
//! As on a real one, the launch itself succeeds, the driver tells of an Xid,
//! and whoever waits for the work learns of it. Modules and functions are only numbers.

use std::ffi::{c_char, c_uint, c_void};

use crate::call::{About, call, put};
use crate::error::Code;

/// `CUmodule`, `CUfunction` and `CUstream` of CUDA's header.
type Handle = *mut c_void;

/// The driver's number for an access to memory that is not there (NVIDIA's Xid catalog).
const MEMORY_PAGE_FAULT: u64 = 31;

#[unsafe(no_mangle)]
unsafe extern "C" fn cuModuleLoadData(module: *mut Handle, _image: *const c_void) -> Code {
    call("cuModuleLoadData", About::Current, |call| {
        call.context()?;
        // SAFETY: CUDA's contract.
        unsafe { put(module, std::ptr::without_provenance_mut(1)) }
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuModuleGetFunction(
    function: *mut Handle,
    _module: Handle,
    _name: *const c_char,
) -> Code {
    call("cuModuleGetFunction", About::Current, |call| {
        call.context()?;
        // SAFETY: CUDA's contract.
        unsafe { put(function, std::ptr::without_provenance_mut(1)) }
    })
}

#[unsafe(no_mangle)]
extern "C" fn cuLaunchKernel(
    _function: Handle,
    _grid_x: c_uint,
    _grid_y: c_uint,
    _grid_z: c_uint,
    _block_x: c_uint,
    _block_y: c_uint,
    _block_z: c_uint,
    _shared_bytes: c_uint,
    _stream: Handle,
    _parameters: *mut *mut c_void,
    _extra: *mut *mut c_void,
) -> Code {
    call("cuLaunchKernel", About::Current, |call| {
        call.context()?.faulted = true;
        call.machine.tell_xid(call.part()?, MEMORY_PAGE_FAULT);
        Ok(())
    })
}
