//! Judges by what standard error says: the work of a decision is searching.
//!
//! The benchmark `decision` runs it both ways, as a component and natively.

use std::time::Duration;

use reprieve_guest::{Attempts, Backoff, Decision, Experiment, Jitter, Policy, Progress, Retry};

/// What failures that pass print.
pub const PASSING: [&str; 12] = [
    "Connection reset by peer",
    "Temporary failure in name resolution",
    "Read timed out",
    "429 Too Many Requests",
    "503 Service Unavailable",
    "NCCL WARN Call to connect returned",
    "Socket closed unexpectedly",
    "Consistency check failed",
    "CUDA error: all CUDA-capable devices are busy",
    "NVML: Unknown Error",
    "Stale file handle",
    "Resource temporarily unavailable",
];

/// Retries, with growing waits, what prints one of [`PASSING`].
#[derive(Default)]
pub struct LogSearch;

impl Policy for LogSearch {
    fn decide(&self, experiment: &Experiment, attempts: &Attempts, _: &Progress) -> Decision {
        let stderr = &attempts.last().stderr_tail;
        let Some(found) = PASSING
            .into_iter()
            .find(|text| memchr::memmem::find(stderr.as_bytes(), text.as_bytes()).is_some())
        else {
            return Decision::give_up("it printed nothing that passes");
        };
        if attempts.retries() >= 9 {
            return Decision::give_up("it has failed ten times");
        }
        let wait = Backoff::exponential(Duration::from_secs(1), 2.0)
            .capped(Duration::from_secs(60))
            .jitter(Jitter::Full, experiment.seed)
            .wait_after(attempts);
        Retry::after(wait, found).into()
    }
}

reprieve_guest::export!(LogSearch as retry);
