//! What a test says of a machine: `machine.json`.
//!
//! What is left out is as on a healthy, idle data-centre device. What a device
//! does not offer is `null`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A machine.
///
/// ```
/// let script: stand_in_machine::Script = serde_json::from_str(
///     r#"{
///         "devices": [
///             {"uuid": "GPU-0", "release_ms": 500, "foreign": [{"pid": 4242, "bytes": 1000000}]},
///             {"uuid": "GPU-1", "temperature_celsius": 91, "clock_reasons": 64, "fields": {"230": 1}}
///         ],
///         "faults": [
///             {"function": "nvmlDeviceGetMemoryInfo_v2", "device": "GPU-1", "from_call": 3, "calls": 2, "return": 15},
///             {"function": "*", "device": "GPU-0", "when_file": "fault-now", "hang_ms": 60000, "return": 999}
///         ]
///     }"#,
/// )?;
/// assert_eq!(script.devices[1].process_list, stand_in_machine::ProcessList::Real);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// The driver's version.
    pub driver_version: String,
    /// The newest CUDA that the driver serves, as CUDA writes it: 13.4 is 13040.
    pub cuda_version: u32,
    /// Milliseconds since the epoch, from when the energy counters run.
    pub began_ms: u64,
    /// The devices, in NVML's order.
    pub devices: Vec<Device>,
    /// What goes wrong. The first that applies to a call, applies.
    pub faults: Vec<Fault>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            driver_version: "595.58.03".into(),
            cuda_version: 13040,
            began_ms: 0,
            devices: Vec::new(),
            faults: Vec::new(),
        }
    }
}

/// A device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Device {
    /// NVML's identity of it; CUDA can only tell one of 32 hexadecimal digits.
    pub uuid: String,
    /// The product's name.
    pub name: String,
    /// As the kernel writes it.
    pub pci_bus_id: String,
    /// What it has, in bytes.
    pub memory_total_bytes: u64,
    /// What is in use when nobody is on it, in bytes: its baseline.
    pub memory_used_bytes: u64,
    /// What the driver keeps, in bytes; not part of what is used.
    pub memory_reserved_bytes: u64,
    /// How long a dead process's memory stays in use. It begins when a
    /// stand-in first sees the process dead.
    pub release_ms: u64,
    /// Others' processes, which no script of ours started.
    pub foreign: Vec<Process>,
    /// How the driver numbers processes.
    pub process_list: ProcessList,
    /// MIG instances. CUDA sees the first of them in place of the device.
    pub instances: Vec<Instance>,
    /// Degrees Celsius.
    pub temperature_celsius: Option<u32>,
    /// Where it slows itself down.
    pub slowdown_celsius: Option<u32>,
    /// Power drawn now.
    pub power_milliwatts: Option<u32>,
    /// What its power is limited to.
    pub power_limit_milliwatts: Option<u32>,
    /// The energy counter at the script's `began_ms`.
    pub energy_millijoules: Option<u64>,
    /// How fast the energy counter runs.
    pub energy_rate_milliwatts: u64,
    /// Percent of the sample period in which a kernel ran.
    pub utilization_percent: Option<u32>,
    /// The clock of the streaming multiprocessors, and of graphics.
    pub sm_clock_mhz: Option<u32>,
    /// The memory's clock.
    pub memory_clock_mhz: Option<u32>,
    /// NVML's performance state: 0 is the fastest.
    pub performance_state: Option<u32>,
    /// NVML's mask of clocks event reasons.
    pub clock_reasons: Option<u64>,
    /// Corrected ECC errors since the driver was loaded.
    pub corrected_errors: Option<u64>,
    /// Uncorrected ECC errors since the driver was loaded.
    pub uncorrected_errors: Option<u64>,
    /// NVML's field values by number, such as 82, 142 to 145, and 230. Those
    /// that are not here are not supported.
    pub fields: BTreeMap<u32, u32>,
    /// What a CUDA context costs, in bytes.
    pub context_bytes: u64,
    /// Whether CUDA offers memory pools, and with them `cuMemAllocAsync`.
    pub memory_pools: bool,
}

impl Default for Device {
    fn default() -> Self {
        Self {
            uuid: "GPU-00000000-0000-0000-0000-000000000000".into(),
            name: "NVIDIA Stand-in 80GB".into(),
            pci_bus_id: "00000000:01:00.0".into(),
            memory_total_bytes: 80 << 30,
            memory_used_bytes: 4 << 20,
            memory_reserved_bytes: 600 << 20,
            release_ms: 0,
            foreign: Vec::new(),
            process_list: ProcessList::Real,
            instances: Vec::new(),
            temperature_celsius: Some(32),
            slowdown_celsius: Some(87),
            power_milliwatts: Some(70_000),
            power_limit_milliwatts: Some(700_000),
            energy_millijoules: Some(1_000_000),
            energy_rate_milliwatts: 70_000,
            utilization_percent: Some(0),
            sm_clock_mhz: Some(345),
            memory_clock_mhz: Some(2619),
            performance_state: Some(0),
            clock_reasons: Some(1),
            corrected_errors: Some(0),
            uncorrected_errors: Some(0),
            fields: BTreeMap::from([(82, 40), (142, 0), (143, 0), (144, 0), (145, 0), (230, 0)]),
            context_bytes: 500 << 20,
            memory_pools: true,
        }
    }
}

/// A MIG instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// NVML's identity of it.
    pub uuid: String,
    /// The number of its GPU instance.
    pub gpu_instance: u32,
    /// The number of its compute instance.
    pub compute_instance: u32,
    /// What it has, in bytes.
    pub memory_total_bytes: u64,
    /// What is in use when nobody is on it, in bytes.
    pub memory_used_bytes: u64,
}

/// A process on a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// As the driver numbers it.
    pub pid: u32,
    /// What it holds; `null` where the driver does not tell.
    pub bytes: Option<u64>,
}

/// How the driver numbers processes for who asks from another PID namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProcessList {
    /// As they are.
    Real,
    /// Not at all: they are left out, as newer drivers do.
    Hidden,
    /// By numbers of elsewhere: this much higher, as older drivers do.
    Shifted(u32),
}

/// What goes wrong, in which calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    /// The function's name in C; `*` is all of them.
    pub function: String,
    /// Only calls on this device, or on its instances; any where it is `null`.
    pub device: Option<String>,
    /// The first call that goes wrong: 1, and 0, are the first. Only calls
    /// count that this fault is about, and only while its file is there.
    pub from_call: u64,
    /// How many go wrong; all from then on where it is `null`.
    pub calls: Option<u64>,
    /// Counts the calls of all processes together, not each process's own.
    pub across_processes: bool,
    /// Only while this file is in the machine's directory.
    pub when_file: Option<String>,
    /// The call hangs for so long first; 18446744073709551615 is for good.
    pub hang_ms: u64,
    /// What it returns; `null` is what it would return without the fault.
    #[serde(rename = "return")]
    pub code: Option<u32>,
    /// What CUDA copies to the host differs in one bit.
    pub corrupt: bool,
}
