//! Which devices there are, their memory, and who is on them.

use std::ffi::{CStr, c_char, c_uint, c_ulonglong};

use stand_in_machine::Machine;

use crate::call::{
    ARGUMENT_VERSION_MISMATCH, Code, Handle, INSUFFICIENT_SIZE, INVALID_ARGUMENT, NOT_FOUND, call, code,
    handle, initialized, meet, on_device, put, put_text, text,
};

/// `nvmlMemory_v2_t`.
#[repr(C)]
struct Memory {
    version: c_uint,
    total: c_ulonglong,
    reserved: c_ulonglong,
    free: c_ulonglong,
    used: c_ulonglong,
}

/// `nvmlPciInfo_t`.
#[repr(C)]
struct PciInfo {
    legacy_bus_id: [c_char; 16],
    domain: c_uint,
    bus: c_uint,
    device: c_uint,
    device_id: c_uint,
    subsystem_id: c_uint,
    bus_id: [c_char; 32],
}

/// `nvmlProcessInfo_t`.
#[repr(C)]
struct ProcessInfo {
    pid: c_uint,
    used: c_ulonglong,
    gpu_instance: c_uint,
    compute_instance: c_uint,
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetCount_v2(count: *mut c_uint) -> Code {
    call("nvmlDeviceGetCount_v2", |machine| {
        let devices = u32::try_from(machine.script.devices.len()).expect("a script has few devices");
        // SAFETY: NVML's contract.
        unsafe { put(count, devices) }
    })
}

/// Answers with the handle of the device that is looked for.
///
/// # Safety
///
/// The pointer is null, or may be written to.
unsafe fn find(
    function: &str,
    out: *mut Handle,
    otherwise: Code,
    uuid: impl FnOnce(&Machine) -> Option<String>,
) -> Code {
    code(initialized().and_then(|machine| {
        let uuid = uuid(&machine);
        let part = uuid.as_ref().and_then(|uuid| machine.part(uuid));
        meet(&machine, function, part)?;
        // SAFETY: the caller's promise.
        unsafe { put(out, handle(part.ok_or(otherwise)?.uuid())) }
    }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetHandleByIndex_v2(index: c_uint, device: *mut Handle) -> Code {
    let uuid = |machine: &Machine| Some(machine.script.devices.get(index as usize)?.uuid.clone());
    // SAFETY: NVML's contract.
    unsafe { find("nvmlDeviceGetHandleByIndex_v2", device, INVALID_ARGUMENT, uuid) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetHandleByUUID(uuid: *const c_char, device: *mut Handle) -> Code {
    if uuid.is_null() {
        return INVALID_ARGUMENT;
    }
    // SAFETY: NVML's contract, and it is not null.
    let uuid = unsafe { CStr::from_ptr(uuid) }.to_string_lossy();
    // SAFETY: NVML's contract.
    unsafe { find("nvmlDeviceGetHandleByUUID", device, NOT_FOUND, |_| Some(uuid.into_owned())) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetHandleByPciBusId_v2(bus_id: *const c_char, device: *mut Handle) -> Code {
    if bus_id.is_null() {
        return INVALID_ARGUMENT;
    }
    // SAFETY: NVML's contract, and it is not null.
    let bus_id = unsafe { CStr::from_ptr(bus_id) }.to_string_lossy();
    let uuid = |machine: &Machine| {
        let mut devices = machine.script.devices.iter();
        Some(devices.find(|device| device.pci_bus_id.eq_ignore_ascii_case(&bus_id))?.uuid.clone())
    };
    // SAFETY: NVML's contract.
    unsafe { find("nvmlDeviceGetHandleByPciBusId_v2", device, NOT_FOUND, uuid) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetUUID(device: Handle, uuid: *mut c_char, length: c_uint) -> Code {
    on_device("nvmlDeviceGetUUID", device, |_, part| {
        // SAFETY: NVML's contract.
        unsafe { put_text(uuid, length, part.uuid()) }
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetName(device: Handle, name: *mut c_char, length: c_uint) -> Code {
    on_device("nvmlDeviceGetName", device, |_, part| {
        // SAFETY: NVML's contract.
        unsafe { put_text(name, length, &part.device.name) }
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetIndex(device: Handle, index: *mut c_uint) -> Code {
    on_device("nvmlDeviceGetIndex", device, |machine, part| {
        let mut devices = machine.script.devices.iter();
        let place = devices.position(|device| device.uuid == part.device.uuid).expect("it is of the script");
        // SAFETY: NVML's contract.
        unsafe { put(index, u32::try_from(place).expect("a script has few devices")) }
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetPciInfo_v3(device: Handle, info: *mut PciInfo) -> Code {
    on_device("nvmlDeviceGetPciInfo_v3", device, |_, part| {
        let bus_id = &part.device.pci_bus_id;
        let parts: Vec<u32> =
            bus_id.split([':', '.']).map(|part| u32::from_str_radix(part, 16).unwrap_or(0)).collect();
        let part = |place: usize| parts.get(place).copied().unwrap_or(0);
        let answer = PciInfo {
            legacy_bus_id: text(bus_id.strip_prefix("0000").unwrap_or(bus_id)),
            domain: part(0),
            bus: part(1),
            device: part(2),
            device_id: 0x2330_10de,
            subsystem_id: 0x16c1_10de,
            bus_id: text(bus_id),
        };
        // SAFETY: NVML's contract.
        unsafe { put(info, answer) }
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetMemoryInfo_v2(device: Handle, memory: *mut Memory) -> Code {
    on_device("nvmlDeviceGetMemoryInfo_v2", device, |machine, part| {
        if memory.is_null() {
            return Err(INVALID_ARGUMENT);
        }
        // SAFETY: NVML's contract, and it is not null.
        let version = unsafe { (*memory).version };
        if version as usize != size_of::<Memory>() | 2 << 24 {
            return Err(ARGUMENT_VERSION_MISMATCH);
        }
        let (total, reserved) = (part.total_bytes(), part.reserved_bytes());
        let used = machine.used_bytes(part).min(total - reserved);
        // SAFETY: NVML's contract.
        unsafe { put(memory, Memory { version, total, reserved, free: total - reserved - used, used }) }
    })
}

/// Answers with a list of processes. With too short a buffer, or with none,
/// it answers only how many there are.
///
/// # Safety
///
/// `count` is null, or may be written to; `infos` is null, or so long.
unsafe fn put_processes(
    infos: *mut ProcessInfo,
    count: *mut c_uint,
    answer: Vec<ProcessInfo>,
) -> Result<(), Code> {
    if count.is_null() {
        return Err(INVALID_ARGUMENT);
    }
    let length = u32::try_from(answer.len()).expect("a test has few processes");
    // SAFETY: the caller's promise.
    let room = unsafe { count.replace(length) };
    if length == 0 {
        return Ok(());
    }
    if infos.is_null() || room < length {
        return Err(INSUFFICIENT_SIZE);
    }
    // SAFETY: the caller's promise, and there is room.
    unsafe { infos.copy_from_nonoverlapping(answer.as_ptr(), answer.len()) };
    Ok(())
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetComputeRunningProcesses_v3(
    device: Handle,
    count: *mut c_uint,
    infos: *mut ProcessInfo,
) -> Code {
    on_device("nvmlDeviceGetComputeRunningProcesses_v3", device, |machine, part| {
        let listed = machine.processes(part).into_iter().map(|(process, instance)| ProcessInfo {
            pid: process.pid,
            // `NVML_VALUE_NOT_AVAILABLE`.
            used: process.bytes.unwrap_or(u64::MAX),
            gpu_instance: instance.as_ref().map_or(u32::MAX, |instance| instance.gpu_instance),
            compute_instance: instance.as_ref().map_or(u32::MAX, |instance| instance.compute_instance),
        });
        // SAFETY: NVML's contract.
        unsafe { put_processes(infos, count, listed.collect()) }
    })
}

/// Nobody draws.
#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetGraphicsRunningProcesses_v3(
    device: Handle,
    count: *mut c_uint,
    infos: *mut ProcessInfo,
) -> Code {
    on_device("nvmlDeviceGetGraphicsRunningProcesses_v3", device, |_, _| {
        // SAFETY: NVML's contract.
        unsafe { put_processes(infos, count, Vec::new()) }
    })
}
