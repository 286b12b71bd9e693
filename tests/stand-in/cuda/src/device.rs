//! Begin, and what CUDA says of devices.

use std::ffi::{c_char, c_int, c_uint};

use stand_in_machine::Machine;

use crate::call::{About, call, cuda, failed, put};
use crate::error::{Code, INVALID_DEVICE, INVALID_VALUE, NO_DEVICE, SUCCESS, UNKNOWN};
use crate::visible::visible;

#[unsafe(no_mangle)]
extern "C" fn cuInit(_flags: c_uint) -> Code {
    let begin = || {
        let machine = Machine::here().ok_or(UNKNOWN)?;
        failed(machine.meet("cuInit", None).code)?;
        let mut cuda = cuda();
        if cuda.visible.is_none() {
            let variable = std::env::var("CUDA_VISIBLE_DEVICES").ok();
            let uuids = visible(&machine.script, variable.as_deref());
            if uuids.is_empty() {
                return Err(NO_DEVICE);
            }
            cuda.visible = Some(uuids);
        }
        Ok(())
    };
    begin().err().unwrap_or(SUCCESS)
}

/// It may be asked before CUDA is initialised.
#[unsafe(no_mangle)]
unsafe extern "C" fn cuDriverGetVersion(version: *mut c_int) -> Code {
    let answer = || {
        let machine = Machine::here().ok_or(UNKNOWN)?;
        failed(machine.meet("cuDriverGetVersion", None).code)?;
        // SAFETY: CUDA's contract.
        unsafe { put(version, machine.script.cuda_version.cast_signed()) }
    };
    answer().err().unwrap_or(SUCCESS)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuDeviceGetCount(count: *mut c_int) -> Code {
    call("cuDeviceGetCount", About::Nothing, |call| {
        let devices = call.cuda.visible.as_ref().map_or(0, Vec::len);
        // SAFETY: CUDA's contract.
        unsafe { put(count, c_int::try_from(devices).expect("a script has few devices")) }
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuDeviceGet(device: *mut c_int, ordinal: c_int) -> Code {
    call("cuDeviceGet", About::Device(ordinal), |call| {
        call.part()?;
        // SAFETY: CUDA's contract.
        unsafe { put(device, ordinal) }
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuDeviceGetName(name: *mut c_char, length: c_int, device: c_int) -> Code {
    call("cuDeviceGetName", About::Device(device), |call| {
        let room =
            usize::try_from(length).ok().filter(|room| *room > 0 && !name.is_null()).ok_or(INVALID_VALUE)?;
        let text = call.part()?.device.name.as_bytes();
        let text = &text[..text.len().min(room - 1)];
        // SAFETY: CUDA's contract, and there is room.
        unsafe {
            name.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), text.len());
            name.add(text.len()).write(0);
        }
        Ok(())
    })
}

/// The 32 hexadecimal digits of a UUID. One of fewer has zeros before them.
fn digits(uuid: &str) -> [u8; 16] {
    let after_prefix = uuid.split_once('-').map_or(uuid, |(_, digits)| digits);
    let digits = after_prefix.chars().filter_map(|digit| digit.to_digit(16));
    digits.fold(0_u128, |number, digit| number << 4 | u128::from(digit)).to_be_bytes()
}

/// Of a MIG instance: that of its device.
#[unsafe(no_mangle)]
unsafe extern "C" fn cuDeviceGetUuid(uuid: *mut [u8; 16], device: c_int) -> Code {
    call("cuDeviceGetUuid", About::Device(device), |call| {
        // SAFETY: CUDA's contract.
        unsafe { put(uuid, digits(&call.part()?.device.uuid)) }
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuDeviceGetUuid_v2(uuid: *mut [u8; 16], device: c_int) -> Code {
    call("cuDeviceGetUuid_v2", About::Device(device), |call| {
        // SAFETY: CUDA's contract.
        unsafe { put(uuid, digits(call.part()?.uuid())) }
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuDeviceTotalMem_v2(bytes: *mut usize, device: c_int) -> Code {
    call("cuDeviceTotalMem_v2", About::Device(device), |call| {
        let total = usize::try_from(call.part()?.total_bytes()).expect("it is a 64-bit machine");
        // SAFETY: CUDA's contract.
        unsafe { put(bytes, total) }
    })
}

/// Of the attributes only those that tell a device, and its pools; others are zero.
#[unsafe(no_mangle)]
unsafe extern "C" fn cuDeviceGetAttribute(value: *mut c_int, attribute: c_int, device: c_int) -> Code {
    call("cuDeviceGetAttribute", About::Device(device), |call| {
        let device = call.part()?.device;
        let pci = |place: usize| {
            let part = device.pci_bus_id.split([':', '.']).nth(place);
            part.and_then(|part| c_int::from_str_radix(part, 16).ok()).ok_or(INVALID_DEVICE)
        };
        let answer = match attribute {
            // PCI_BUS_ID, PCI_DEVICE_ID, PCI_DOMAIN_ID
            33 => pci(1)?,
            34 => pci(2)?,
            50 => pci(0)?,
            // COMPUTE_CAPABILITY_MAJOR
            75 => 9,
            // MEMORY_POOLS_SUPPORTED
            115 => c_int::from(device.memory_pools),
            _ => 0,
        };
        // SAFETY: CUDA's contract.
        unsafe { put(value, answer) }
    })
}
