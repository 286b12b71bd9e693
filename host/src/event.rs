//! Vocabulary: what has happened, past tense, and what each event carries.
//!
//! An event is journaled, then applied, then reported. Changing anything here
//! changes the journal: see `journal::VERSION`.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::attempt::{Attempt, Parameter, Stage};
use crate::cleanup::{Cleanup, HandOver};
use crate::decision::{Decision, PolicyFault};
use crate::samples::Samples;
use crate::study::{ExperimentId, Pin, PolicyComponent, Source};

/// An event and the wall-clock time at which the host learned of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    /// When the host learned of it.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// A fact of a study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A host began the study. Always a journal's first event.
    StudyStarted(StudyStarted),
    /// A later host went on with it.
    StudyResumed {
        /// The version of the host that goes on.
        host_version: String,
        /// The policies as they were loaded now.
        policies: Vec<PolicyIdentity>,
        /// The devices as they were found now; empty where they are mere slots.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        readings: Vec<HandOver>,
        /// Experiments that had failed and are to run again, as the study file has them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        reopened: Vec<ExperimentId>,
    },
    /// A supervisor was started for an attempt.
    AttemptStarted(AttemptStarted),
    /// An attempt ended and its supervisor's record was read.
    AttemptEnded(AttemptEnded),
    /// A policy, or what stands in for one, judged an attempt.
    Decided(Decided),
    /// A retry's delay has passed.
    BackoffElapsed {
        /// Whose.
        experiment: ExperimentId,
    },
    /// A person or a service manager asked the host to end.
    Interrupted {
        /// The signal's number.
        signal: i32,
    },
    /// The time that attempts may run on after an interrupt has passed.
    GraceElapsed,
    /// The study's time limit was reached.
    TimeLimitReached,
    /// Nothing is running any more, and nothing will be started.
    StudyEnded {
        /// Why.
        how: StudyEnd,
    },
}

impl Event {
    /// The experiment it is about; `None` where it is about the study.
    pub fn experiment(&self) -> Option<ExperimentId> {
        match self {
            Self::AttemptStarted(started) => Some(started.experiment),
            Self::AttemptEnded(ended) => Some(ended.experiment),
            Self::Decided(decided) => Some(decided.experiment),
            Self::BackoffElapsed { experiment } => Some(*experiment),
            Self::StudyStarted(_)
            | Self::StudyResumed { .. }
            | Self::Interrupted { .. }
            | Self::GraceElapsed
            | Self::TimeLimitReached
            | Self::StudyEnded { .. } => None,
        }
    }
}

/// What is known when a study starts; all that a later host needs to go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudyStarted {
    /// The study's name and start, unique enough to tell its processes from another's.
    pub id: String,
    /// The version of the host that began it.
    pub host_version: String,
    /// The study file, whole.
    pub source: Source,
    /// A component that takes the place of the study file's own policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyComponent>,
    /// What the references to registries stand for in this study, to its end,
    /// whatever becomes of tags and locks meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<Pin>,
    /// What experiments are leased.
    pub devices: Vec<Device>,
    /// The same devices as they were found; empty where they are mere slots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readings: Vec<HandOver>,
    /// The policies that were loaded, the study's own first.
    pub policies: Vec<PolicyIdentity>,
}

/// A thing that one experiment holds at a time: a GPU, or a declared slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// What `CUDA_VISIBLE_DEVICES` calls it: NVML's UUID, or a slot's number.
    pub id: String,
    /// For people: the product's name, or `slot`.
    pub name: String,
}

impl Device {
    /// A declared slot, which may have no device behind it.
    pub fn slot(number: u32) -> Self {
        Self { id: number.to_string(), name: "slot".to_owned() }
    }

    /// Whether it is a slot rather than a device.
    pub fn is_slot(&self) -> bool {
        self.name == "slot"
    }

    /// Whether NVML named it, so that it can be read: neither a slot nor one
    /// of the names in `CUDA_VISIBLE_DEVICES` that slots bear where it is set.
    pub fn is_readable(&self) -> bool {
        !matches!(&*self.name, "slot" | "device")
    }
}

/// Which policy it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyIdentity {
    /// As it describes itself.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// SHA-256 of the component, in hexadecimal.
    pub digest: String,
}

/// A supervisor was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptStarted {
    /// Whose attempt.
    pub experiment: ExperimentId,
    /// At which stage.
    pub stage: Stage,
    /// From 1 at each stage; an attempt that an interrupt cut short counts too.
    pub attempt: u32,
    /// Positions of the leased devices among the study's.
    pub devices: Vec<u16>,
    /// Values that decisions have put in place of the experiment's parameters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Parameter>,
    /// Its supervisor.
    pub supervisor: ProcessIdentity,
}

/// A process, told from every other that ever had its PID on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// As this host's PID namespace numbers it.
    pub pid: i32,
    /// Clock ticks after boot, field 22 of `/proc/PID/stat` (proc(5)).
    pub start_ticks: u64,
    /// `/proc/sys/kernel/random/boot_id`.
    pub boot_id: String,
}

/// An attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptEnded {
    /// Whose attempt.
    pub experiment: ExperimentId,
    /// Whether an interrupt ended it: it is not judged, and runs again on resume.
    pub interrupted: bool,
    /// How it went.
    pub attempt: Attempt,
    /// The cleanup after it, where its supervisor got as far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleanup: Option<Cleanup>,
    /// The leased devices at the hand-over, where they are more than slots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<HandOver>,
    /// What they did meanwhile, where they could be sampled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<Samples>,
}

/// An attempt was judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// Whose newest attempt.
    pub experiment: ExperimentId,
    /// At which stage.
    pub stage: Stage,
    /// Which attempt, as [`AttemptStarted`] numbers it.
    pub attempt: u32,
    /// What follows, within the host's bounds.
    pub decision: Decision,
    /// The policy that answered, or `give-up` or `stop` where a fallback of that name did.
    pub by: String,
    /// How the study's own policy failed to answer, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<PolicyFault>,
    /// Where the host bounded the policy's answer, in its words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bounded: Vec<String>,
    /// What the guest used of its fuel.
    pub fuel: u64,
    /// How long the answer took.
    #[serde(rename = "took_us", with = "micros")]
    pub took: Duration,
}

/// Why a study ended, for now or for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StudyEnd {
    /// Every experiment has ended.
    Completed,
    /// This signal; `resume` goes on.
    Interrupted(i32),
    /// A policy or a limit stopped it, for this reason; `resume` goes on.
    Stopped(String),
}

mod micros {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(value.as_micros()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_micros)
    }
}
