//! Vocabulary: what a policy is asked, what it answers, and how it can fail to.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::attempt::{Attempt, Parameter};

/// All that a policy is told when it judges an attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The experiment being judged.
    pub experiment: Subject,
    /// Every attempt at the stage so far, oldest first; the last one is judged.
    pub attempts: Vec<Attempt>,
    /// The study so far.
    pub progress: Progress,
    /// The devices as they were read when the judged attempt had ended.
    pub devices: Vec<crate::cleanup::HandOver>,
    /// Where the sandbox's clocks stand.
    pub asked_at: Timestamp,
}

/// The experiment being judged, as a policy sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Unique in its study.
    pub name: String,
    /// With the overrides of earlier decisions applied.
    pub parameters: Vec<Parameter>,
    /// Names of the parameters that a decision may override.
    pub adjustable: Vec<String>,
    /// The study's labels for it.
    pub labels: Vec<Parameter>,
    /// How many devices it holds.
    pub devices: u32,
    /// Randomness for this call, see [`seed`].
    pub seed: u64,
}

/// The study so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Experiments that succeeded.
    pub succeeded: u32,
    /// Experiments that failed for good.
    pub failed: u32,
    /// Experiments that have not ended, the current one counted.
    pub remaining: u32,
    /// Retries that policies have decided in the study so far.
    pub retries: u32,
    /// Experiments in a row that failed, the current one not counted.
    pub failed_in_a_row: u32,
    /// Since the study started.
    pub elapsed: Duration,
}

/// What follows an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Take the attempt's outcome as the stage's outcome.
    Accept,
    /// Run the stage again.
    Retry(Retry),
    /// The experiment has failed, for this reason. The study goes on.
    GiveUp(String),
    /// Start no further experiment, for this reason.
    StopStudy(String),
}

/// Another attempt at the same stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// How long the host's scheduler waits first. Devices are free meanwhile.
    #[serde(rename = "delay_ms", with = "crate::millis")]
    pub delay: Duration,
    /// Which devices it may use.
    pub placement: Placement,
    /// When it takes its turn once the delay has passed.
    pub turn: Turn,
    /// Values that replace the experiment's parameters from now on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Parameter>,
    /// Why, in one line for people.
    pub reason: String,
}

/// Which devices the next attempt may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// Those that the judged attempt held.
    SameDevices,
    /// None of those that the judged attempt held.
    OtherDevices,
    /// Whichever are free first.
    AnyDevices,
}

/// When the next attempt takes its turn once its delay has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Turn {
    /// As soon as a device is free.
    WhenDue,
    /// After every other experiment of the study.
    Last,
}

/// How a policy failed to answer. The attempt's outcome stands all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyFault {
    /// What happened.
    pub kind: PolicyFaultKind,
    /// In one line for people: the bound, the trap, the answer that makes no sense.
    pub message: String,
    /// The guest's functions at the trap, innermost first; may be empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backtrace: Vec<String>,
    /// The last of what the guest wrote to standard error, control characters escaped.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output_tail: String,
}

impl PolicyFault {
    /// The functions of its backtrace that have names, without those that a
    /// language's runtime ends in when it panics: the author's own come first.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        const RUNTIME: [&str; 7] = ["__", "abort", "alloc::", "core::", "runtime.", "rust_panic", "std::"];
        let of_runtime = |function: &str| RUNTIME.iter().any(|start| function.starts_with(start));
        let named = |function: &&str| !function.starts_with("<wasm function");
        let all = move || self.backtrace.iter().map(String::as_str).filter(named);
        // What is the runtime's own fault is told as well.
        let skipped = all().position(|function| !of_runtime(function)).unwrap_or_default();
        all().skip(skipped)
    }
}

/// What kind of thing kept a policy from answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyFaultKind {
    /// The call used up its fuel.
    OutOfFuel,
    /// The call ran past its wall-clock deadline.
    Deadline,
    /// Linear memory, tables or instances went over their bound.
    Memory,
    /// The call recursed past its stack.
    Stack,
    /// The call moved more data in or out of the sandbox than it may.
    HostCalls,
    /// Any other trap: unreachable code, a panic, a bad memory access.
    Trap,
    /// `configure` refused settings that it had accepted when the policy was loaded.
    Refused,
    /// It could not be loaded again by an attempt's supervisor.
    Load,
    /// The answer is larger than an answer may be, or makes no sense.
    Answer,
}

/// Derives the seed of one call from the study's seed and what is judged, so
/// that the same call draws the same randomness on any machine.
///
/// SplitMix64's finalizer (Steele, Lea and Flood, OOPSLA 2014) over FNV-1a of
/// the parts: neither needs to be secret, both must never change, since
/// journals are replayed by later versions.
pub fn seed(study: u64, experiment: &str, stage: crate::attempt::Stage, attempt: u32) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let parts = [
        &study.to_le_bytes()[..],
        experiment.as_bytes(),
        &[0],
        stage.name().as_bytes(),
        &attempt.to_le_bytes(),
    ];
    for byte in parts.into_iter().flatten() {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_author_s_functions_come_before_the_runtime_s() {
        let told = |functions: &[&str]| {
            let backtrace = functions.iter().map(|&function| function.to_owned()).collect();
            let (kind, message, output_tail) = (PolicyFaultKind::Trap, String::new(), String::new());
            let fault = PolicyFault { kind, message, backtrace, output_tail };
            fault.functions().collect::<Vec<_>>().join(" < ")
        };
        let panic = ["abort", "std::process::abort", "__rustc::rust_panic", "core::panicking::panic_fmt"];
        let whole =
            [&panic[..], &["mine::choose", "<wasm function 7>", "std::thread::with", "decide"]].concat();
        assert_eq!(told(&whole), "mine::choose < std::thread::with < decide");
        assert_eq!(told(&panic), panic.join(" < "));
        assert_eq!(told(&["<wasm function 7>"]), "");
    }
}
