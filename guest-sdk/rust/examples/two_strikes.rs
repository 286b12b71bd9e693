use std::time::Duration;

use reprieve_guest::{
    Attempts, Backoff, Decision, Experiment, FailureClass, Jitter, Policy, Progress, Retry,
};

/// Retries a network failure twice, and halves the batch while device memory is short.
#[derive(Default)]
pub struct TwoStrikes;

impl Policy for TwoStrikes {
    fn decide(&self, experiment: &Experiment, attempts: &Attempts, _: &Progress) -> Decision {
        let Some(failure) = &attempts.last().failure else { return Decision::Accept };
        match (failure.class, experiment.parsed::<u32>("batch")) {
            (FailureClass::Network, _) if attempts.failures_of(FailureClass::Network) <= 2 => {
                let waits =
                    Backoff::exponential(Duration::from_secs(1), 2.0).jitter(Jitter::Full, experiment.seed);
                Retry::after(waits.wait_after(attempts), format!("can pass: {}", failure.evidence)).into()
            }
            (FailureClass::DeviceMemory, Some(batch @ 2..)) if experiment.can_adjust("batch") => {
                Retry::after(Duration::ZERO, "half the batch needs less").with("batch", batch / 2).into()
            }
            _ => Decision::give_up(&failure.evidence),
        }
    }
}

reprieve_guest::export!(TwoStrikes as retry);
