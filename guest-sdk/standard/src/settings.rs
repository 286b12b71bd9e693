//! The settings of the `standard` policy: names, defaults, bounds.
//!
//! Names and defaults of the first three are those of the decorator that this
//! policy grew from: `retry_on_error(max_retries=3, delay_seconds=1.0,
//! backoff_factor=2.0)`.

use std::num::NonZeroU32;

use reprieve_guest::{FailureClass, Jitter};
use serde::Deserialize;

/// The policy is its settings.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Standard {
    /// Attempts after the first, at each stage of an experiment.
    pub max_retries: u32,
    /// The wait after the first attempt, in seconds.
    pub delay_seconds: f64,
    /// What each further wait is multiplied by.
    pub backoff_factor: f64,
    /// No wait is longer, also where a remote service asks for it. In seconds.
    pub max_delay_seconds: f64,
    /// How chance spreads the waits.
    pub jitter: Jitter,
    /// Failures that are retried as often as `max_retries` allows.
    pub retry: Vec<FailureClass>,
    /// Failures that are retried the first time they are seen at a stage. A
    /// class that is in `retry` too is retried as `retry` says.
    pub retry_once: Vec<FailureClass>,
    /// Retries in the whole study, or no limit.
    pub retries_in_study: Option<u32>,
    /// The study stops when this many experiments in a row have failed, or never.
    pub stop_after_failures_in_a_row: Option<NonZeroU32>,
    /// Between the termination signal and the kill of what an attempt left running, in seconds.
    pub leftovers_grace_seconds: f64,
    /// Whether the shared-memory files that an attempt left behind are removed.
    pub remove_shared_memory: bool,
    /// Above a device's baseline, in MiB: what still counts as clean.
    pub memory_tolerance_mib: u32,
    /// How long a device's memory may take to come back, in seconds.
    pub memory_timeout_seconds: f64,
    /// Degrees Celsius that a device has to cool down to between experiments, or no matter.
    pub cool_down_to_celsius: Option<u32>,
    /// How long that may take, in seconds.
    pub cool_down_timeout_seconds: f64,
}

impl Default for Standard {
    fn default() -> Self {
        use FailureClass::{
            Communication, Crash, DeviceOccupied, DeviceProgram, DriverTransient, Hang, Network, RateLimited,
            Unknown,
        };
        Self {
            max_retries: 3,
            delay_seconds: 1.0,
            backoff_factor: 2.0,
            max_delay_seconds: 3600.0,
            jitter: Jitter::None,
            retry: vec![Network, RateLimited, DriverTransient, Communication, DeviceOccupied],
            retry_once: vec![Hang, Crash, DeviceProgram, Unknown],
            retries_in_study: None,
            stop_after_failures_in_a_row: None,
            leftovers_grace_seconds: 10.0,
            remove_shared_memory: true,
            memory_tolerance_mib: 64,
            memory_timeout_seconds: 120.0,
            cool_down_to_celsius: None,
            cool_down_timeout_seconds: 600.0,
        }
    }
}

impl Standard {
    /// Reads the settings and checks their bounds.
    pub(crate) fn read(settings: &str) -> Result<Self, String> {
        let read: Self = reprieve_guest::from_json(settings)?;
        for (name, value) in [
            ("delay_seconds", read.delay_seconds),
            ("backoff_factor", read.backoff_factor),
            ("max_delay_seconds", read.max_delay_seconds),
            ("leftovers_grace_seconds", read.leftovers_grace_seconds),
            ("memory_timeout_seconds", read.memory_timeout_seconds),
            ("cool_down_timeout_seconds", read.cool_down_timeout_seconds),
        ] {
            if value < 0.0 {
                return Err(format!("`{name}`: `{value}` is negative, expected 0 or more"));
            }
        }
        Ok(read)
    }
}

/// What `describe` says of the settings. A test holds it to the type above.
pub(crate) const SCHEMA: &str = include_str!("settings.schema.json");
