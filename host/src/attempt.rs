//! Vocabulary: an attempt that has ended, and what is known of it.
//!
//! Only nouns live here. What a failure means is `failure`'s to say, what
//! follows it is a policy's.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A named value: an experiment's parameter or label, an override, a fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Unique among the names beside it.
    pub name: String,
    /// As the study file writes it.
    pub value: String,
}

/// The part of an experiment that an attempt runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Before the measurement: a model download, a warm cache.
    Prepare,
    /// The measurement itself.
    Measure,
    /// Always run once `measure` has started. Its failure never hides the
    /// outcome before it.
    Finish,
}

impl Stage {
    /// All stages, in the order in which they run.
    pub const ALL: [Self; 3] = [Self::Prepare, Self::Measure, Self::Finish];

    /// The stage's name in study files, journals and paths.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Measure => "measure",
            Self::Finish => "finish",
        }
    }
}

/// How an attempt's process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// It exited with this code.
    Exited(i32),
    /// This signal ended it.
    Signalled(i32),
    /// It ran past the attempt's time limit, and the host ended it.
    TimedOut,
    /// It printed nothing for longer than the silence limit, and the host ended it.
    FellSilent,
    /// It could not be started; the text says why.
    NotStarted(String),
    /// Its supervisor went away and left no record.
    Lost,
}

/// What the host takes the cause of a failure to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// A network, a registry or a remote service failed in passing.
    Network,
    /// A remote service asked to slow down.
    RateLimited,
    /// NVML or the driver answered with an error that is known to pass.
    DriverTransient,
    /// A collective or a distributed barrier failed (NCCL, Gloo, MPI).
    Communication,
    /// The experiment asked for more device memory than there is.
    DeviceMemory,
    /// Others held the device's memory.
    DeviceOccupied,
    /// The machine ran out of memory: the kernel ended the process.
    HostMemory,
    /// The program faulted on the device (illegal address, device-side assert).
    DeviceProgram,
    /// The device itself failed (fallen off the bus, uncorrectable ECC error).
    DeviceHardware,
    /// A time limit or a silence limit was reached.
    Hang,
    /// The process crashed on the CPU side (segmentation fault, abort).
    Crash,
    /// A disk was full or a quota was reached.
    Storage,
    /// Access was refused: a token, a licence, a permission.
    Access,
    /// The experiment is wrong as written: an argument, a file, a package.
    Configuration,
    /// A person or a scheduler ended it.
    Cancelled,
    /// None of these could be told.
    Unknown,
}

impl FailureClass {
    /// All classes, in the contract's order.
    pub const ALL: [Self; 16] = [
        Self::Network,
        Self::RateLimited,
        Self::DriverTransient,
        Self::Communication,
        Self::DeviceMemory,
        Self::DeviceOccupied,
        Self::HostMemory,
        Self::DeviceProgram,
        Self::DeviceHardware,
        Self::Hang,
        Self::Crash,
        Self::Storage,
        Self::Access,
        Self::Configuration,
        Self::Cancelled,
        Self::Unknown,
    ];

    /// The class's name in study files, settings and output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::RateLimited => "rate-limited",
            Self::DriverTransient => "driver-transient",
            Self::Communication => "communication",
            Self::DeviceMemory => "device-memory",
            Self::DeviceOccupied => "device-occupied",
            Self::HostMemory => "host-memory",
            Self::DeviceProgram => "device-program",
            Self::DeviceHardware => "device-hardware",
            Self::Hang => "hang",
            Self::Crash => "crash",
            Self::Storage => "storage",
            Self::Access => "access",
            Self::Configuration => "configuration",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }
}

/// What the host takes the cause of a failure to be, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The class that the evidence points to.
    pub class: FailureClass,
    /// The evidence, in one line: the line of output, the signal, the limit.
    pub evidence: String,
}

/// What an experiment said of its failure itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SelfReport {
    /// Whether it called the failure worth retrying.
    pub retryable: Option<bool>,
    /// The error's type, as the program names it; may be empty.
    pub kind: String,
    /// The error's text; may be empty.
    pub message: String,
}

/// A fault that the driver recorded during the attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceFault {
    /// Position among the leased devices, from 0.
    pub device: u32,
    /// NVIDIA's Xid number.
    pub xid: u64,
}

/// A device's memory around an attempt, in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceMemoryUse {
    /// Position among the leased devices, from 0.
    pub device: u32,
    /// Used before the study's first attempt on this device.
    pub baseline_bytes: u64,
    /// The most that was seen in use during the attempt.
    pub peak_bytes: u64,
    /// Used when the attempt's processes had gone.
    pub residual_bytes: u64,
}

/// One attempt that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// From 1 for the experiment's first attempt at this stage.
    pub number: u32,
    /// The stage that it ran.
    pub stage: Stage,
    /// How its process ended.
    pub ending: Ending,
    /// `None` where the attempt succeeded.
    pub failure: Option<Failure>,
    /// The delay that was decided before it, zero for a stage's first attempt.
    #[serde(rename = "waited_for_ms", with = "crate::millis")]
    pub waited_for: Duration,
    /// From its process's start to its end.
    #[serde(rename = "ran_for_ms", with = "crate::millis")]
    pub ran_for: Duration,
    /// The end of standard error, as UTF-8 with replacements.
    pub stderr_tail: String,
    /// The end of standard output, likewise.
    pub stdout_tail: String,
    /// What it said of its failure itself, where it did.
    pub self_report: Option<SelfReport>,
    /// Faults that the driver recorded meanwhile, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<DeviceFault>,
    /// Empty where the machine has no readable device.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub memory: Vec<DeviceMemoryUse>,
    /// Processes of others that were seen on the leased devices meanwhile.
    #[serde(default)]
    pub foreign_processes: u32,
    /// How long the devices ran below their clocks for heat or power.
    #[serde(default, rename = "throttled_for_ms", with = "crate::millis")]
    pub throttled_for: Duration,
    /// What else the host knows, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Parameter>,
}
