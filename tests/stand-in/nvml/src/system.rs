//! Begin, end, and what NVML says of the driver.

use std::ffi::{c_char, c_int, c_uint};
use std::sync::atomic::Ordering;

use stand_in_machine::Machine;

use crate::call::{Code, INITIALIZED, SUCCESS, UNINITIALIZED, UNKNOWN, call, code, meet, put, put_text};

fn begin(function: &str) -> Code {
    let begun = Machine::here().ok_or(UNKNOWN).and_then(|machine| meet(&machine, function, None));
    if begun.is_ok() {
        INITIALIZED.fetch_add(1, Ordering::Relaxed);
    }
    code(begun)
}

#[unsafe(no_mangle)]
extern "C" fn nvmlInit_v2() -> Code {
    begin("nvmlInit_v2")
}

#[unsafe(no_mangle)]
extern "C" fn nvmlInitWithFlags(_flags: c_uint) -> Code {
    begin("nvmlInitWithFlags")
}

#[unsafe(no_mangle)]
extern "C" fn nvmlShutdown() -> Code {
    let fewer = |count: u32| count.checked_sub(1);
    match INITIALIZED.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer) {
        Ok(_) => SUCCESS,
        Err(_) => UNINITIALIZED,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlSystemGetDriverVersion(version: *mut c_char, length: c_uint) -> Code {
    call("nvmlSystemGetDriverVersion", |machine| {
        // SAFETY: NVML's contract.
        unsafe { put_text(version, length, &machine.script.driver_version) }
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlSystemGetNVMLVersion(version: *mut c_char, length: c_uint) -> Code {
    call("nvmlSystemGetNVMLVersion", |machine| {
        let newest = format!("13.{}", machine.script.driver_version);
        // SAFETY: NVML's contract.
        unsafe { put_text(version, length, &newest) }
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlSystemGetCudaDriverVersion_v2(version: *mut c_int) -> Code {
    call("nvmlSystemGetCudaDriverVersion_v2", |machine| {
        // SAFETY: NVML's contract.
        unsafe { put(version, machine.script.cuda_version.cast_signed()) }
    })
}
