//! What a device measures, and what it has counted.
//!
//! A MIG instance measures nothing of its own: as in NVML, it is asked of the device.

use std::ffi::{c_int, c_longlong, c_uint, c_ulonglong};

use stand_in_machine::{Device, Machine};

use crate::call::{Code, Handle, INVALID_ARGUMENT, NOT_SUPPORTED, SUCCESS, on_device, put};

/// `nvmlUtilization_t`.
#[repr(C)]
struct Utilization {
    gpu: c_uint,
    memory: c_uint,
}

/// `nvmlFieldValue_t`. The value is a union; it is as long as its longest, and
/// on a little-endian machine the short ones are at its beginning.
#[repr(C)]
struct FieldValue {
    field: c_uint,
    scope: c_uint,
    timestamp: c_longlong,
    latency_usec: c_longlong,
    value_type: c_uint,
    result: Code,
    value: c_ulonglong,
}

/// `NVML_VALUE_TYPE_UNSIGNED_INT`.
const UNSIGNED_INT: c_uint = 1;

/// Answers with what a device measures.
///
/// # Safety
///
/// The pointer is null, or may be written to.
unsafe fn measure<T>(
    function: &str,
    device: Handle,
    out: *mut T,
    value: impl FnOnce(&Machine, &Device) -> Option<T>,
) -> Code {
    on_device(function, device, |machine, part| match part.instance {
        Some(_) => Err(NOT_SUPPORTED),
        // SAFETY: the caller's promise.
        None => unsafe { put(out, value(machine, part.device).ok_or(NOT_SUPPORTED)?) },
    })
}

/// Functions that take a device and answer with one number of its script.
macro_rules! measured {
    ($($function:ident: $type:ty = $value:expr;)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $function(device: Handle, out: *mut $type) -> Code {
            let value: fn(&Machine, &Device) -> Option<$type> = $value;
            // SAFETY: NVML's contract.
            unsafe { measure(stringify!($function), device, out, value) }
        }
    )*};
}

measured! {
    nvmlDeviceGetPowerUsage: c_uint = |_, device| device.power_milliwatts;
    nvmlDeviceGetEnforcedPowerLimit: c_uint = |_, device| device.power_limit_milliwatts;
    nvmlDeviceGetTotalEnergyConsumption: c_ulonglong = |machine, device| {
        let since = machine.age_ms() * device.energy_rate_milliwatts / 1000;
        Some(device.energy_millijoules? + since)
    };
    nvmlDeviceGetPerformanceState: c_uint = |_, device| device.performance_state;
    nvmlDeviceGetCurrentClocksThrottleReasons: c_ulonglong = |_, device| device.clock_reasons;
    nvmlDeviceGetCurrentClocksEventReasons: c_ulonglong = |_, device| device.clock_reasons;
    nvmlDeviceGetUtilizationRates: Utilization = |_, device| {
        Some(Utilization { gpu: device.utilization_percent?, memory: 0 })
    };
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetTemperature(device: Handle, sensor: c_uint, celsius: *mut c_uint) -> Code {
    let value = |_: &Machine, device: &Device| device.temperature_celsius.filter(|_| sensor == 0);
    // SAFETY: NVML's contract.
    unsafe { measure("nvmlDeviceGetTemperature", device, celsius, value) }
}

/// Only the threshold `NVML_TEMPERATURE_THRESHOLD_SLOWDOWN` is known.
#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetTemperatureThreshold(
    device: Handle,
    threshold: c_uint,
    celsius: *mut c_uint,
) -> Code {
    let value = |_: &Machine, device: &Device| device.slowdown_celsius.filter(|_| threshold == 1);
    // SAFETY: NVML's contract.
    unsafe { measure("nvmlDeviceGetTemperatureThreshold", device, celsius, value) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetClockInfo(device: Handle, clock: c_uint, mhz: *mut c_uint) -> Code {
    let value = |_: &Machine, device: &Device| match clock {
        // Graphics and the multiprocessors run in step.
        0 | 1 => device.sm_clock_mhz,
        2 => device.memory_clock_mhz,
        _ => None,
    };
    // SAFETY: NVML's contract.
    unsafe { measure("nvmlDeviceGetClockInfo", device, mhz, value) }
}

/// The aggregate counters, over the device's life, are the volatile ones: it is new.
#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetTotalEccErrors(
    device: Handle,
    error: c_uint,
    _counter: c_uint,
    count: *mut c_ulonglong,
) -> Code {
    let value = |_: &Machine, device: &Device| match error {
        0 => device.corrected_errors,
        1 => device.uncorrected_errors,
        _ => None,
    };
    // SAFETY: NVML's contract.
    unsafe { measure("nvmlDeviceGetTotalEccErrors", device, count, value) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetRemappedRows(
    device: Handle,
    correctable: *mut c_uint,
    uncorrectable: *mut c_uint,
    pending: *mut c_uint,
    failed: *mut c_uint,
) -> Code {
    on_device("nvmlDeviceGetRemappedRows", device, |_, part| {
        for (field, out) in [(142, correctable), (143, uncorrectable), (144, pending), (145, failed)] {
            let value = part.device.fields.get(&field).ok_or(NOT_SUPPORTED)?;
            // SAFETY: NVML's contract.
            unsafe { put(out, *value)? };
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetFieldValues(device: Handle, count: c_int, values: *mut FieldValue) -> Code {
    on_device("nvmlDeviceGetFieldValues", device, |_, part| {
        let count = usize::try_from(count).ok().filter(|_| !values.is_null()).ok_or(INVALID_ARGUMENT)?;
        for place in 0..count {
            // SAFETY: NVML's contract: there are so many.
            let value = unsafe { &mut *values.add(place) };
            let known = part.device.fields.get(&value.field);
            value.result = if known.is_some() { SUCCESS } else { NOT_SUPPORTED };
            value.value_type = UNSIGNED_INT;
            value.value = known.copied().unwrap_or(0).into();
        }
        Ok(())
    })
}
