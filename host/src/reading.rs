//! Vocabulary: what a device says of itself at one moment.
//!
//! How it is asked is `gpu`'s business, and what follows from an answer is
//! `state`'s and a policy's.

use serde::{Deserialize, Serialize};

/// One device, as NVML reports it. What the device or its driver does not
/// offer is `None`: that is no error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// NVML's identity of the device, or of the MIG instance; stays the same
    /// across restarts.
    pub uuid: String,
    /// The product's name.
    pub name: String,
    /// What the device has, in bytes.
    pub memory_total_bytes: u64,
    /// What is in use, by whomever, without what the driver reserves (NVML's v2 call).
    pub memory_used_bytes: u64,
    /// Who is on it, as far as NVML tells. Evidence only: in a PID namespace
    /// the numbers may mean nothing, and holders may be left out.
    pub processes: Vec<DeviceProcess>,
    /// Degrees Celsius.
    pub temperature_celsius: Option<u32>,
    /// The temperature at which the device slows itself down.
    pub slowdown_celsius: Option<u32>,
    /// Power drawn now.
    pub power_milliwatts: Option<u32>,
    /// Energy drawn since the driver was loaded.
    pub energy_millijoules: Option<u64>,
    /// Percent of the last sample period in which a kernel ran.
    pub utilization_percent: Option<u32>,
    /// The clock of the streaming multiprocessors.
    pub sm_clock_mhz: Option<u32>,
    /// What holds the clocks down, by NVML's names; empty where nothing does.
    pub clock_reasons: Option<Vec<ClockReason>>,
    /// Uncorrected ECC errors since the driver was loaded.
    pub uncorrected_errors: Option<u64>,
    /// Memory rows that the device has replaced, or is to replace.
    pub remapped_rows: Option<RemappedRows>,
    /// What the driver says the device needs (NVML field 230).
    pub recovery: Option<Recovery>,
}

impl Reading {
    /// Whether heat or power holds the clocks down; `None` where NVML does not say.
    pub fn throttled(&self) -> Option<bool> {
        self.clock_reasons.as_ref().map(|reasons| reasons.iter().any(|reason| reason.throttles()))
    }
}

/// A process on a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceProcess {
    /// As the driver numbers it.
    pub pid: u32,
    /// What it holds, where the driver tells.
    pub memory_bytes: Option<u64>,
}

/// Why a device's clocks are below their maximum (NVML's clocks event reasons).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockReason {
    /// Nothing runs.
    GpuIdle,
    /// Someone set the application clocks.
    ApplicationsClocksSetting,
    /// The power limit is reached.
    SwPowerCap,
    /// Hardware slows down: temperature, power brake, or a too fast change of load.
    HwSlowdown,
    /// Devices are kept in step.
    SyncBoost,
    /// The driver slows down for heat.
    SwThermalSlowdown,
    /// Hardware slows down for heat.
    HwThermalSlowdown,
    /// Hardware slows down on an outside signal, by half or more.
    HwPowerBrakeSlowdown,
    /// The display's clocks limit it.
    DisplayClockSetting,
}

impl ClockReason {
    /// As JSON has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::GpuIdle => "gpu-idle",
            Self::ApplicationsClocksSetting => "applications-clocks-setting",
            Self::SwPowerCap => "sw-power-cap",
            Self::HwSlowdown => "hw-slowdown",
            Self::SyncBoost => "sync-boost",
            Self::SwThermalSlowdown => "sw-thermal-slowdown",
            Self::HwThermalSlowdown => "hw-thermal-slowdown",
            Self::HwPowerBrakeSlowdown => "hw-power-brake-slowdown",
            Self::DisplayClockSetting => "display-clock-setting",
        }
    }

    /// Whether it spoils a measurement: heat or a power brake, not a limit
    /// that is always there.
    pub fn throttles(self) -> bool {
        matches!(
            self,
            Self::HwSlowdown | Self::SwThermalSlowdown | Self::HwThermalSlowdown | Self::HwPowerBrakeSlowdown
        )
    }
}

/// Memory rows that ECC errors made the device replace (NVML fields 142 to 145).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemappedRows {
    /// For correctable errors.
    pub correctable: u64,
    /// For uncorrectable errors.
    pub uncorrectable: u64,
    /// Whether a reset is to complete one.
    pub pending: bool,
    /// Whether one has failed: the device is worn out.
    pub failed: bool,
}

/// A fault of a device, as the driver reported it when it happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceFault {
    /// The device's UUID. A fault of a GPU is one of each of its MIG instances.
    pub uuid: String,
    /// NVIDIA's number for it.
    pub xid: u64,
    /// When it was noticed.
    pub at: jiff::Timestamp,
}

/// The driver's recommended recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recovery {
    /// Nothing has to be done.
    None,
    /// The device needs a reset.
    ResetDevice,
    /// The machine needs a restart.
    RestartMachine,
    /// Anything else: a person has to look.
    Inspect,
}

/// Why a reading could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadingError {
    /// There is no NVML here, or it could not be initialised.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// No device is known by this UUID.
    #[error("no such device")]
    NoSuchDevice,
    /// The device, or its driver, does not offer this.
    #[error("not supported")]
    NotSupported,
    /// The device has fallen off the bus or needs a reset.
    #[error("the device is lost: {0}")]
    DeviceLost(String),
    /// NVML failed in a way that is known to pass, also when asked again; or
    /// gave no answer in time.
    #[error("{0}")]
    Transient(String),
    /// Any other NVML error.
    #[error("{0}")]
    Other(String),
}
