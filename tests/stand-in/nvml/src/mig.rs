//! A device's MIG instances.
//!
//! A device is in MIG mode where its script gives it instances.

use std::ffi::c_uint;

use stand_in_machine::Instance;

use crate::call::{Code, Handle, INVALID_ARGUMENT, NOT_FOUND, handle, on_device, put};

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetMigMode(
    device: Handle,
    current: *mut c_uint,
    pending: *mut c_uint,
) -> Code {
    on_device("nvmlDeviceGetMigMode", device, |_, part| {
        let mode = u32::from(!part.device.instances.is_empty());
        // SAFETY: NVML's contract.
        unsafe { put(current, mode).and_then(|()| put(pending, mode)) }
    })
}

/// Up to seven, where it is in MIG mode.
#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetMaxMigDeviceCount(device: Handle, count: *mut c_uint) -> Code {
    on_device("nvmlDeviceGetMaxMigDeviceCount", device, |_, part| {
        // SAFETY: NVML's contract.
        unsafe { put(count, if part.device.instances.is_empty() { 0 } else { 7 }) }
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetMigDeviceHandleByIndex(
    device: Handle,
    index: c_uint,
    instance: *mut Handle,
) -> Code {
    on_device("nvmlDeviceGetMigDeviceHandleByIndex", device, |_, part| {
        let found = part.device.instances.get(index as usize).ok_or(NOT_FOUND)?;
        // SAFETY: NVML's contract.
        unsafe { put(instance, handle(&found.uuid)) }
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetDeviceHandleFromMigDeviceHandle(
    instance: Handle,
    device: *mut Handle,
) -> Code {
    on_device("nvmlDeviceGetDeviceHandleFromMigDeviceHandle", instance, |_, part| {
        part.instance.ok_or(INVALID_ARGUMENT)?;
        // SAFETY: NVML's contract.
        unsafe { put(device, handle(&part.device.uuid)) }
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceIsMigDeviceHandle(device: Handle, is: *mut c_uint) -> Code {
    on_device("nvmlDeviceIsMigDeviceHandle", device, |_, part| {
        // SAFETY: NVML's contract.
        unsafe { put(is, u32::from(part.instance.is_some())) }
    })
}

/// Answers with an instance's number.
///
/// # Safety
///
/// The pointer is null, or may be written to.
unsafe fn number(function: &str, instance: Handle, out: *mut c_uint, number: fn(&Instance) -> u32) -> Code {
    on_device(function, instance, |_, part| {
        let instance = part.instance.ok_or(INVALID_ARGUMENT)?;
        // SAFETY: the caller's promise.
        unsafe { put(out, number(instance)) }
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetGpuInstanceId(instance: Handle, id: *mut c_uint) -> Code {
    // SAFETY: NVML's contract.
    unsafe { number("nvmlDeviceGetGpuInstanceId", instance, id, |instance| instance.gpu_instance) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetComputeInstanceId(instance: Handle, id: *mut c_uint) -> Code {
    // SAFETY: NVML's contract.
    unsafe { number("nvmlDeviceGetComputeInstanceId", instance, id, |instance| instance.compute_instance) }
}
