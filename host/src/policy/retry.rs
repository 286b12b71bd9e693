//! A policy around an asynchronous operation of the caller's own process.
//!
//! For programs that want a study's judgement without a study: no subprocess,
//! no device, no journal.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::ErrorKind;
use std::time::Duration;

use super::Policy;
use crate::attempt::{Attempt, Ending, Failure, FailureClass, SelfReport, Stage};
use crate::clock;
use crate::decision::{Decision, Progress, Question, Subject, seed};

/// The longest wait between two attempts, whatever the policy says.
pub const LONGEST_DELAY: Duration = Duration::from_secs(3600);

/// The most attempts, whatever the policy says.
pub const MOST_ATTEMPTS: u32 = 1_000;

/// An error that can say what is known of the failure.
///
/// Without a word of its own it is of the class `unknown`, which the standard
/// policy retries once: only what is known to pass is worth more.
pub trait Failing: std::fmt::Display {
    /// What kind of thing failed.
    fn class(&self) -> FailureClass {
        FailureClass::Unknown
    }

    /// Whether it is worth another attempt, where the error knows. A policy is
    /// told both.
    fn retryable(&self) -> Option<bool> {
        None
    }
}

/// Network errors are `network`, a full disk is `storage`, and so on.
impl Failing for std::io::Error {
    fn class(&self) -> FailureClass {
        match self.kind() {
            ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::NotConnected
            | ErrorKind::BrokenPipe
            | ErrorKind::UnexpectedEof
            | ErrorKind::TimedOut => FailureClass::Network,
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => FailureClass::Storage,
            ErrorKind::PermissionDenied => FailureClass::Access,
            ErrorKind::OutOfMemory => FailureClass::HostMemory,
            ErrorKind::NotFound | ErrorKind::InvalidInput => FailureClass::Configuration,
            _ => FailureClass::Unknown,
        }
    }
}

/// Calls `operation` until it succeeds or the policy lets it be, waits in
/// between as the policy says, and returns the last result.
///
/// The policy is not asked about a success. A policy that fails to answer ends
/// the attempts as one that gives up does; what it did wrong goes to the log.
/// It sees each failure as an attempt at the stage `prepare` that exited with
/// code 1, the error's text as the evidence and in `self-report`. Must be
/// called on a tokio runtime with time enabled; the policy runs on its
/// blocking threads.
///
/// # Errors
/// The error of the last attempt.
///
/// # Examples
///
/// ```
/// use std::io;
/// use reprieve::policy::{Engine, Limits, Policy, PolicySource, retry};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::new(None)?;
/// let settings = serde_json::json!({ "max_retries": 2 });
/// let policy = Policy::load(&engine, &PolicySource::Standard, &settings, Limits::DEFAULT)?;
///
/// let mut calls = 0;
/// let model = retry(&policy, || {
///     calls += 1;
///     let connection: io::Result<&str> =
///         if calls < 3 { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok("weights") };
///     async move { connection }
/// })
/// .await?;
/// assert_eq!((model, calls), ("weights", 3));
/// # Ok(())
/// # }
/// ```
pub async fn retry<T, E, F, Fut>(policy: &Policy, mut operation: F) -> Result<T, E>
where
    E: Failing,
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    let began = clock::monotonic();
    // Many processes that fail together must not try again together, so the
    // jitter of each is its own. `RandomState` is the standard library's only
    // source of randomness.
    let entropy = RandomState::new().build_hasher().finish();
    let name = std::any::type_name::<F>();
    let mut attempts: Vec<Attempt> = Vec::new();
    let mut waited_for = Duration::ZERO;
    loop {
        let started = clock::monotonic();
        let error = match operation().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let number = u32::try_from(attempts.len() + 1).unwrap_or(u32::MAX);
        attempts.push(attempt(&error, number, waited_for, started.elapsed()));
        if number >= MOST_ATTEMPTS {
            return Err(error);
        }
        let subject = Subject {
            name: name.into(),
            seed: seed(entropy, name, Stage::Prepare, number),
            ..<_>::default()
        };
        let progress =
            Progress { remaining: 1, retries: number - 1, elapsed: began.elapsed(), ..<_>::default() };
        let question = Question {
            experiment: subject,
            attempts,
            progress,
            devices: Vec::new(),
            asked_at: clock::wall(),
        };
        let Some((delay, asked)) = ask(policy.clone(), question).await else { return Err(error) };
        attempts = asked.attempts;
        waited_for = delay;
        tokio::time::sleep(delay).await;
    }
}

/// The delay before the next attempt, with the question back; `None` where
/// there is to be none.
async fn ask(policy: Policy, question: Question) -> Option<(Duration, Question)> {
    let asked = tokio::task::spawn_blocking(move || (policy.decide(&question).result, policy, question));
    let (result, policy, question) = asked.await.expect("deciding does not panic");
    let (policy, attempt) = (policy.info().name.as_str(), question.attempts.len());
    match result {
        Ok(Decision::Retry(retry)) => {
            let delay = retry.delay.min(LONGEST_DELAY);
            tracing::warn!(policy, attempt, ?delay, "attempt failed, another follows: {}", retry.reason);
            Some((delay, question))
        }
        Ok(Decision::Accept) => None,
        Ok(Decision::GiveUp(reason) | Decision::StopStudy(reason)) => {
            tracing::error!(policy, attempt, "given up: {reason}");
            None
        }
        Err(fault) => {
            tracing::error!(policy, attempt, "the policy failed, no attempt follows: {}", fault.message);
            None
        }
    }
}

fn attempt<E: Failing>(error: &E, number: u32, waited_for: Duration, ran_for: Duration) -> Attempt {
    let message = error.to_string();
    Attempt {
        number,
        stage: Stage::Prepare,
        ending: Ending::Exited(1),
        failure: Some(Failure { class: error.class(), evidence: message.clone() }),
        waited_for,
        ran_for,
        stderr_tail: String::new(),
        stdout_tail: String::new(),
        self_report: Some(SelfReport {
            retryable: error.retryable(),
            kind: std::any::type_name::<E>().into(),
            message,
        }),
        faults: Vec::new(),
        memory: Vec::new(),
        foreign_processes: 0,
        throttled_for: Duration::ZERO,
        facts: Vec::new(),
    }
}
