//! What follows when an attempt at an experiment has ended.
//!
//! The host calls `decide` once an attempt, each time on a fresh instance: a
//! policy remembers nothing, and all it may know arrives as arguments. It does
//! no work either: it answers, and the host waits, places and cleans.

#[cfg(test)]
mod tests;

use std::time::Duration;

use reprieve_guest::{
    Attempts, Backoff, Decision, Experiment, FailureClass, Jitter, Policy, Progress, Retry,
};

/// The settings, which a study gives in `[policy]`, and their defaults below.
#[derive(serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct MyPolicy {
    /// How often a failure that can pass is tried again.
    max_retries: u32,
    /// The wait before the first retry; it doubles from one to the next.
    delay_seconds: u64,
    /// The batch is not halved below this.
    smallest_batch: u32,
}

impl Default for MyPolicy {
    fn default() -> Self {
        Self {
            max_retries: 3,
            delay_seconds: 30,
            smallest_batch: 1,
        }
    }
}

impl Policy for MyPolicy {
    const NAME: &'static str = "my-policy";

    /// Reads the settings. The text of an `Err` is what their author reads.
    fn configure(settings: &str) -> Result<Self, String> {
        let policy: Self = reprieve_guest::from_json(settings)?;
        match policy.smallest_batch {
            0 => Err("`smallest_batch` is `0`, expected 1 or more".to_owned()),
            _ => Ok(policy),
        }
    }

    /// Judges the newest attempt. Successes are judged too: a policy may throw
    /// away a measurement that it does not trust.
    fn decide(&self, experiment: &Experiment, attempts: &Attempts, _: &Progress) -> Decision {
        let attempt = attempts.last();
        let Some(failure) = &attempt.failure else {
            return Decision::Accept;
        };
        match failure.class {
            // These pass by themselves, after a while.
            FailureClass::Network
            | FailureClass::RateLimited
            | FailureClass::DriverTransient
            | FailureClass::DeviceOccupied
                if attempts.retries() < self.max_retries =>
            {
                // A service that asks for time gets it. The seed makes chance
                // the same in every replay.
                let waits = Backoff::exponential(Duration::from_secs(self.delay_seconds), 2.0)
                    .jitter(Jitter::Equal, experiment.seed);
                let wait = attempt
                    .asked_to_wait()
                    .unwrap_or_else(|| waits.wait_after(attempts));
                Retry::after(wait, format!("can pass: {}", failure.evidence)).into()
            }
            // A smaller batch needs less memory, where the study lets it be changed.
            FailureClass::DeviceMemory if experiment.can_adjust("batch") => {
                match experiment.parsed::<u32>("batch").map(|batch| batch / 2) {
                    Some(half) if half >= self.smallest_batch => {
                        Retry::after(Duration::ZERO, "half the batch needs less")
                            .with("batch", half)
                            .into()
                    }
                    _ => Decision::give_up(&failure.evidence),
                }
            }
            _ => Decision::give_up(&failure.evidence),
        }
    }
}

reprieve_guest::export!(MyPolicy as retry);
