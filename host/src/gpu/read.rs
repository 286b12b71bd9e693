//! What one device says, in terms of the vocabulary.
//!
//! Asks once and on the caller's thread: asking again, and giving up, is
//! `nvml`'s business.

use std::collections::BTreeMap;

use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::{
    Clock, EccCounter, MemoryError, TemperatureSensor, TemperatureThreshold,
};
use nvml_wrapper::enums::device::{SampleValue, UsedGpuMemory};
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::struct_wrappers::device::ProcessInfo;
use nvml_wrapper::structs::device::FieldId;
use nvml_wrapper::sys_exports::field_id::{
    NVML_FI_DEV_GET_GPU_RECOVERY_ACTION, NVML_FI_DEV_REMAPPED_COR, NVML_FI_DEV_REMAPPED_FAILURE,
    NVML_FI_DEV_REMAPPED_PENDING, NVML_FI_DEV_REMAPPED_UNC,
};
use nvml_wrapper::{Device, Nvml};

use super::nvml::Place;
use super::treatment::Treatment;
use crate::reading::{ClockReason, DeviceProcess, Reading, Recovery, RemappedRows};

/// What changes quickly and is cheap to ask.
#[derive(Clone, Debug, Default)]
pub(super) struct Sample {
    pub(super) memory_used_bytes: u64,
    pub(super) processes: Vec<u32>,
    pub(super) temperature_celsius: Option<u32>,
    pub(super) power_milliwatts: Option<u32>,
    pub(super) energy_millijoules: Option<u64>,
    pub(super) utilization_percent: Option<u32>,
    pub(super) sm_clock_mhz: Option<u32>,
    pub(super) clock_reasons: Option<Vec<ClockReason>>,
}

/// A device and the GPU it is on; the same, but for a MIG instance.
struct Found<'nvml> {
    gpu: Device<'nvml>,
    instance: Option<Device<'nvml>>,
}

impl<'nvml> Found<'nvml> {
    /// By its index: looking for a UUID would touch other devices as well
    /// (NVML's manual, nvmlDeviceGetHandleByUUID).
    fn at(nvml: &'nvml Nvml, place: &Place) -> Result<Self, NvmlError> {
        let gpu = nvml.device_by_index(place.index)?;
        let instance = place.instance.map(|number| gpu.mig_device_by_index(number)).transpose()?;
        let found = Self { gpu, instance };
        if found.device().uuid()? == place.device.id { Ok(found) } else { Err(NvmlError::NotFound) }
    }

    /// What has memory and processes.
    fn device(&self) -> &Device<'nvml> {
        self.instance.as_ref().unwrap_or(&self.gpu)
    }
}

/// Everything.
pub(super) fn reading(nvml: &Nvml, place: &Place) -> Result<Reading, NvmlError> {
    let found = Found::at(nvml, place)?;
    let (device, gpu) = (found.device(), &found.gpu);
    let memory = device.memory_info()?;
    let (remapped_rows, recovery) = health(gpu)?;
    let errors = gpu.total_ecc_errors(MemoryError::Uncorrected, EccCounter::Volatile);
    Ok(Reading {
        uuid: place.device.id.clone(),
        name: place.device.name.clone(),
        memory_total_bytes: memory.total,
        memory_used_bytes: memory.used,
        processes: processes(device)?,
        temperature_celsius: optional(gpu.temperature(TemperatureSensor::Gpu))?,
        slowdown_celsius: optional(gpu.temperature_threshold(TemperatureThreshold::Slowdown))?,
        power_milliwatts: optional(gpu.power_usage())?,
        energy_millijoules: optional(gpu.total_energy_consumption())?,
        utilization_percent: optional(gpu.utilization_rates())?.map(|rates| rates.gpu),
        sm_clock_mhz: optional(gpu.clock_info(Clock::SM))?,
        clock_reasons: optional(gpu.current_throttle_reasons())?.map(clock_reasons),
        uncorrected_errors: optional(errors)?,
        remapped_rows,
        recovery,
    })
}

/// Persistence mode.
pub(super) fn persistent(nvml: &Nvml, place: &Place) -> Result<Option<bool>, NvmlError> {
    optional(Found::at(nvml, place)?.gpu.is_in_persistent_mode())
}

/// Only the memory in use.
pub(super) fn memory_used_bytes(nvml: &Nvml, place: &Place) -> Result<u64, NvmlError> {
    Ok(Found::at(nvml, place)?.device().memory_info()?.used)
}

/// What changes quickly.
pub(super) fn sample(nvml: &Nvml, place: &Place) -> Result<Sample, NvmlError> {
    let found = Found::at(nvml, place)?;
    let (device, gpu) = (found.device(), &found.gpu);
    Ok(Sample {
        memory_used_bytes: device.memory_info()?.used,
        processes: processes(device)?.into_iter().map(|process| process.pid).collect(),
        temperature_celsius: optional(gpu.temperature(TemperatureSensor::Gpu))?,
        power_milliwatts: optional(gpu.power_usage())?,
        energy_millijoules: optional(gpu.total_energy_consumption())?,
        utilization_percent: optional(gpu.utilization_rates())?.map(|rates| rates.gpu),
        sm_clock_mhz: optional(gpu.clock_info(Clock::SM))?,
        clock_reasons: optional(gpu.current_throttle_reasons())?.map(clock_reasons),
    })
}

/// `None` where the device has no opinion; what the whole reading would fail
/// with is an error here too. The call for memory has been answered by now, so
/// a missing permission, or NVML's 999, concerns this part alone.
pub(super) fn optional<T>(answer: Result<T, NvmlError>) -> Result<Option<T>, NvmlError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(NvmlError::NoData) => Ok(None),
        Err(error) if Treatment::of(&error).spares_the_rest() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whoever computes on the device, or draws. One that does both is one process.
fn processes(device: &Device<'_>) -> Result<Vec<DeviceProcess>, NvmlError> {
    let lists = [
        device.running_compute_processes(),
        device.mps_running_compute_processes(),
        device.running_graphics_processes(),
    ];
    let mut all = BTreeMap::new();
    for list in lists {
        for ProcessInfo { pid, used_gpu_memory, .. } in optional(list)?.unwrap_or_default() {
            let bytes = match used_gpu_memory {
                UsedGpuMemory::Used(bytes) => Some(bytes),
                UsedGpuMemory::Unavailable => None,
            };
            let held: &mut Option<u64> = all.entry(pid).or_default();
            *held = (*held).max(bytes);
        }
    }
    Ok(all.into_iter().map(|(pid, memory_bytes)| DeviceProcess { pid, memory_bytes }).collect())
}

/// Replaced rows, and what the driver says is needed.
fn health(gpu: &Device<'_>) -> Result<(Option<RemappedRows>, Option<Recovery>), NvmlError> {
    let ids = [
        NVML_FI_DEV_REMAPPED_COR,
        NVML_FI_DEV_REMAPPED_UNC,
        NVML_FI_DEV_REMAPPED_PENDING,
        NVML_FI_DEV_REMAPPED_FAILURE,
        NVML_FI_DEV_GET_GPU_RECOVERY_ACTION,
    ];
    let answers = optional(gpu.field_values_for(&ids.map(FieldId)))?.unwrap_or_default();
    let mut values = [None; 5];
    for (value, answer) in values.iter_mut().zip(answers) {
        *value = optional(answer.and_then(|sample| sample.value))?.and_then(whole);
    }
    let [correctable, uncorrectable, pending, failed, recovery] = values;
    let remapped_rows = match (correctable, uncorrectable, pending, failed) {
        (None, None, None, None) => None,
        (correctable, uncorrectable, pending, failed) => Some(RemappedRows {
            correctable: correctable.unwrap_or_default(),
            uncorrectable: uncorrectable.unwrap_or_default(),
            pending: pending.unwrap_or_default() != 0,
            failed: failed.unwrap_or_default() != 0,
        }),
    };
    Ok((remapped_rows, recovery.map(recovery_of)))
}

fn whole(value: SampleValue) -> Option<u64> {
    match value {
        SampleValue::U32(value) => Some(value.into()),
        SampleValue::U64(value) => Some(value),
        SampleValue::I64(value) => u64::try_from(value).ok(),
        SampleValue::F64(_) => None,
    }
}

/// `nvmlDeviceGpuRecoveryAction_t` of nvml.h: 3 is to drain the device's peers;
/// 5 and 6, a domain and a bus, are of CUDA 13, as is 7, the system's restart.
fn recovery_of(action: u64) -> Recovery {
    match action {
        0 => Recovery::None,
        1 | 4 => Recovery::ResetDevice,
        2 | 7 => Recovery::RestartMachine,
        _ => Recovery::Inspect,
    }
}

fn clock_reasons(bits: ThrottleReasons) -> Vec<ClockReason> {
    [
        (ThrottleReasons::GPU_IDLE, ClockReason::GpuIdle),
        (ThrottleReasons::APPLICATIONS_CLOCKS_SETTING, ClockReason::ApplicationsClocksSetting),
        (ThrottleReasons::SW_POWER_CAP, ClockReason::SwPowerCap),
        (ThrottleReasons::HW_SLOWDOWN, ClockReason::HwSlowdown),
        (ThrottleReasons::SYNC_BOOST, ClockReason::SyncBoost),
        (ThrottleReasons::SW_THERMAL_SLOWDOWN, ClockReason::SwThermalSlowdown),
        (ThrottleReasons::HW_THERMAL_SLOWDOWN, ClockReason::HwThermalSlowdown),
        (ThrottleReasons::HW_POWER_BRAKE_SLOWDOWN, ClockReason::HwPowerBrakeSlowdown),
        (ThrottleReasons::DISPLAY_CLOCK_SETTING, ClockReason::DisplayClockSetting),
    ]
    .into_iter()
    .filter_map(|(bit, reason)| bits.contains(bit).then_some(reason))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_a_device_does_not_offer_spares_the_rest() {
        for code in [2, 3, 4, 6, 13, 21, 25, 26, 999] {
            assert!(matches!(optional::<u32>(Err(NvmlError::from(code))), Ok(None)), "code {code}");
        }
        for code in [1, 7, 10, 15, 16, 19, 27] {
            optional::<u32>(Err(NvmlError::from(code))).expect_err("the whole reading is in question");
        }
    }

    #[test]
    fn every_recovery_that_is_not_understood_needs_a_person() {
        use Recovery as R;
        let expected = [R::None, R::ResetDevice, R::RestartMachine, R::Inspect, R::ResetDevice];
        assert_eq!([0, 1, 2, 3, 4].map(recovery_of), expected);
        assert_eq!([5, 6, 7, 99].map(recovery_of), [R::Inspect, R::Inspect, R::RestartMachine, R::Inspect]);
    }

    #[test]
    fn clock_reasons_are_told_apart_bit_by_bit() {
        assert_eq!(clock_reasons(ThrottleReasons::from_bits_truncate(0)), []);
        assert_eq!(
            clock_reasons(ThrottleReasons::from_bits_truncate(0x41)),
            [ClockReason::GpuIdle, ClockReason::HwThermalSlowdown]
        );
    }
}
