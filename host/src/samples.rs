//! Vocabulary: what a device did while an attempt ran, summed up.
//!
//! The samples themselves are in the attempt's samples file, and who takes
//! them is `gpu`'s business.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::millis;

/// The samples' file in an attempt's directory.
pub const SAMPLES_FILE: &str = "samples.csv";

/// What was sampled in one attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Samples {
    /// In the order in which they were leased.
    pub devices: Vec<DeviceSamples>,
    /// Why the samples file is not whole, where it is not. The sums are, even so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_cut: Option<String>,
}

/// One device's samples, summed up. What it does not offer is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceSamples {
    /// Which device.
    pub uuid: String,
    /// How many samples were taken.
    pub taken: u64,
    /// How many are missing, by reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// The memory in use before, as the caller knew it.
    pub memory_baseline_bytes: Option<u64>,
    /// The most memory in use at a sample.
    pub memory_peak_bytes: Option<u64>,
    /// What was in use above the baseline at the last sample.
    pub memory_residual_bytes: Option<u64>,
    /// What the device's counter grew by from the first sample to the last.
    /// A MIG instance's is its whole GPU's.
    pub energy_millijoules: Option<u64>,
    /// Lowest and highest, degrees Celsius.
    pub temperature_celsius: Option<Span>,
    /// Lowest and highest.
    pub power_milliwatts: Option<Span>,
    /// For how long heat or a power brake held the clocks down, to a sample's
    /// precision; `None` where the device does not say.
    #[serde(rename = "throttled_ms", with = "millis::option")]
    pub throttled_for: Option<Duration>,
    /// Processes that were not the caller's, at two samples in a row: one that
    /// has just ended is nobody's. At most 64. Evidence only, as
    /// [`crate::reading::Reading::processes`] is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign_processes: Vec<u32>,
}

/// Samples that are missing for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Why.
    pub reason: String,
    /// How many.
    pub samples: u64,
}

/// The lowest and the highest of what was sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The lowest.
    pub min: u32,
    /// The highest.
    pub max: u32,
}

impl Span {
    /// The span that holds this value too.
    pub fn with(span: Option<Self>, value: u32) -> Self {
        span.map_or(Self { min: value, max: value }, |span| Self {
            min: span.min.min(value),
            max: span.max.max(value),
        })
    }
}
