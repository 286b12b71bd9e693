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
/// `settings.schema.json` says the same to `reprieve policy inspect`.
#[derive(Debug, PartialEq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct MyPolicy {
    /// How often a failure that can pass is tried again.
    max_retries: u32,
    /// The wait before the first retry; it doubles from one to the next.
    #[serde(rename = "delay_seconds", deserialize_with = "reprieve_guest::seconds")]
    delay: Duration,
    /// The batch is not halved below this.
    smallest_batch: u32,
}

impl Default for MyPolicy {
    fn default() -> Self {
        Self {
            max_retries: 3,
            delay: Duration::from_secs(30),
            smallest_batch: 1,
        }
    }
}

impl Policy for MyPolicy {
    const NAME: &'static str = "my-policy";
    const SETTINGS_SCHEMA: Option<&'static str> = Some(include_str!("settings.schema.json"));

    /// Reads the settings. The text of an `Err` is what their author reads.
    fn configure(settings: &str) -> Result<Self, String> {
        let policy: Self = reprieve_guest::from_json(settings)?;
        match policy.smallest_batch {
            0 => Err("`smallest_batch`: `0`, expected 1 or more".to_owned()),
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
        // The experiment knows its failure best, where it says something of it.
        let verdict = attempt.retryable();
        if verdict == Some(false) {
            return Decision::give_up(&failure.evidence);
        }
        // A smaller batch needs less memory, where the study lets it be changed.
        if failure.class == FailureClass::DeviceMemory
            && experiment.can_adjust("batch")
            && let Some(batch) = experiment.parsed::<u32>("batch")
            && batch / 2 >= self.smallest_batch
        {
            return Retry::after(Duration::ZERO, "half the batch needs less")
                .with("batch", batch / 2)
                .into();
        }
        let can_pass = verdict.unwrap_or_else(|| can_pass(failure.class, attempts));
        if !can_pass || attempts.retries() >= self.max_retries {
            return Decision::give_up(&failure.evidence);
        }
        // A service that asks for time gets it. The seed makes chance the same
        // in every replay.
        let waits = Backoff::exponential(self.delay, 2.0).jitter(Jitter::Equal, experiment.seed);
        let wait = attempt
            .asked_to_wait()
            .unwrap_or_else(|| waits.wait_after(attempts));
        Retry::after(wait, format!("can pass: {}", failure.evidence)).into()
    }
}

/// Whether a failure of this class may pass.
fn can_pass(class: FailureClass, attempts: &Attempts) -> bool {
    match class {
        // These do, after a while.
        FailureClass::Network
        | FailureClass::RateLimited
        | FailureClass::DriverTransient
        | FailureClass::Communication
        | FailureClass::DeviceOccupied => true,
        // These may: one more attempt tells.
        FailureClass::Hang
        | FailureClass::Crash
        | FailureClass::DeviceProgram
        | FailureClass::Unknown => attempts.failures_of(class) == 1,
        _ => false,
    }
}

reprieve_guest::export!(MyPolicy as retry);
