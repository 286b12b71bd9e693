//! Vocabulary: what can be done to make devices clean, and what it brought.
//!
//! Plans nothing and does nothing: a policy plans, the supervisor does.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::attempt::Attempt;
use crate::decision::{PolicyFault, Subject};
use crate::reading::{Reading, ReadingError};

/// All that a policy is told when it plans.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanQuestion {
    /// The experiment that holds the devices.
    pub experiment: Subject,
    /// When the plan is to be run.
    pub occasion: Occasion,
    /// Where the sandbox's clocks stand.
    pub asked_at: jiff::Timestamp,
}

/// When a plan is to be run.
#[derive(Clone, Debug, PartialEq)]
pub enum Occasion {
    /// Before an attempt starts on the devices.
    BeforeAttempt,
    /// After this attempt has ended, before its devices are given to another.
    AfterAttempt(Box<Attempt>),
}

impl Occasion {
    /// The attempt that has ended, or none.
    pub fn attempts(&self) -> &[Attempt] {
        match self {
            Self::BeforeAttempt => &[],
            Self::AfterAttempt(attempt) => std::slice::from_ref(attempt),
        }
    }
}

/// One piece of work, on every leased device unless it says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CleanupAction {
    /// End what the experiment left running: a termination signal, this grace, then a kill.
    EndLeftovers(#[serde(with = "crate::millis")] Duration),
    /// Remove the shared-memory files that it left behind.
    RemoveSharedMemory,
    /// Wait for the work queued in this process's own contexts.
    Synchronize,
    /// Give back the memory that this process's own allocators cache.
    ReleaseCachedMemory,
    /// Destroy this process's own contexts.
    ResetContexts,
    /// Wait until used memory is back at the baseline.
    AwaitMemory {
        /// Bytes above the baseline that still count as clean.
        tolerance_bytes: u64,
        /// How long to wait for it.
        #[serde(rename = "timeout_ms", with = "crate::millis")]
        timeout: Duration,
    },
    /// Wait until the devices have cooled.
    AwaitTemperature {
        /// Degrees Celsius.
        at_most_celsius: u32,
        /// How long to wait for it.
        #[serde(rename = "timeout_ms", with = "crate::millis")]
        timeout: Duration,
    },
    /// Wait until the devices are idle.
    AwaitIdle {
        /// Percent utilization.
        at_most_percent: u32,
        /// How long to wait for it.
        #[serde(rename = "timeout_ms", with = "crate::millis")]
        timeout: Duration,
    },
    /// Prove each device usable from a process of its own.
    Probe {
        /// Bytes to allocate.
        allocate_bytes: u64,
        /// How long to wait for it.
        #[serde(rename = "timeout_ms", with = "crate::millis")]
        timeout: Duration,
    },
    /// Let this much time pass.
    Pause(#[serde(with = "crate::millis")] Duration),
    /// Run a command that the study declares under this name.
    RunHook(String),
}

impl CleanupAction {
    /// The action's name, as the contract has it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::EndLeftovers(_) => "end-leftovers",
            Self::RemoveSharedMemory => "remove-shared-memory",
            Self::Synchronize => "synchronize",
            Self::ReleaseCachedMemory => "release-cached-memory",
            Self::ResetContexts => "reset-contexts",
            Self::AwaitMemory { .. } => "await-memory",
            Self::AwaitTemperature { .. } => "await-temperature",
            Self::AwaitIdle { .. } => "await-idle",
            Self::Probe { .. } => "probe",
            Self::Pause(_) => "pause",
            Self::RunHook(_) => "run-hook",
        }
    }
}

/// What becomes of the study where a step fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consequence {
    /// The failure is recorded.
    CarryOn,
    /// The devices it failed on get no further experiments.
    QuarantineDevice,
    /// The study starts no further experiment.
    StopStudy,
}

/// One action of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What to do.
    pub action: CleanupAction,
    /// What becomes of the study where that fails.
    pub if_it_fails: Consequence,
}

/// How an action went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepOutcome {
    /// The work is done, or the goal is reached; the text says what it brought, and may be empty.
    Done(String),
    /// There was nothing to do, or nothing to do it with; the text says which.
    Skipped(String),
    /// It could not be done in time, or at all; the text says why.
    Failed(String),
}

/// What an action brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepReport {
    /// The step, within the host's bounds.
    #[serde(flatten)]
    pub step: Step,
    /// How it went.
    pub outcome: StepOutcome,
    /// How long it took.
    #[serde(rename = "took_ms", with = "crate::millis")]
    pub took: Duration,
    /// Bytes that came free on the devices meanwhile.
    pub released_bytes: u64,
    /// Positions, among the leased devices, of those that it failed on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_on: Vec<u32>,
    /// Whether the policy asked for it while it planned.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub while_planning: bool,
}

/// A plan carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleanup {
    /// The policy that planned it.
    pub by: String,
    /// What was done, in order.
    pub steps: Vec<StepReport>,
    /// How the policy failed to plan, where it did and the standard one planned in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<PolicyFault>,
    /// Where the host bounded the plan, in its words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bounded: Vec<String>,
}

impl Cleanup {
    /// Puts another's steps before its own: those that were run before the attempt.
    pub fn prepend(&mut self, before: Self) {
        self.steps.splice(..0, before.steps);
        self.bounded.splice(..0, before.bounded);
        self.fault = before.fault.or(self.fault.take());
    }
}

/// A leased device when an attempt's supervisor had done its work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOver {
    /// Used before the study's first attempt on this device, in bytes.
    /// 0 where there is no reading.
    pub baseline_bytes: u64,
    /// The device's last word, or why there is none.
    pub reading: Result<Reading, ReadingError>,
    /// Why it is not to be used again, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<Quarantine>,
}

/// Why a device gets no further experiments, and what helps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// What was measured or seen, with its value.
    pub reason: String,
    /// What a person has to do.
    pub remedy: String,
}
