//! What one call of a policy may use, with defaults and caps.
//!
//! The bounds cannot be switched off. How often a policy is asked, and what
//! becomes of the delay it answers, is not bounded here.

use std::time::Duration;

use thiserror::Error;

/// What one call of a policy may use: its instance, `configure` and the call
/// itself, taken together.
///
/// A call that goes over ends in a [`PolicyFault`](crate::decision::PolicyFault).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub(super) fuel: u64,
    pub(super) deadline: Duration,
    pub(super) memory_bytes: u64,
    pub(super) table_elements: u64,
    pub(super) instances: u64,
    pub(super) hostcall_bytes: u64,
    pub(super) answer_bytes: u64,
    pub(super) plan_steps: u64,
    pub(super) log_bytes: u64,
}

impl Limits {
    /// What holds where nothing else is asked for.
    ///
    /// A Rust policy uses about a thousandth of the fuel and a fiftieth of the
    /// memory; a Python one fits too.
    pub const DEFAULT: Self = Self {
        fuel: 100_000_000,
        deadline: Duration::from_secs(1),
        memory_bytes: 64 << 20,
        table_elements: 100_000,
        instances: 64,
        hostcall_bytes: 1 << 20,
        answer_bytes: 64 << 10,
        plan_steps: 32,
        log_bytes: 64 << 10,
    };

    /// The most that can be asked for.
    pub const CAP: Self = Self {
        fuel: 10_000_000_000,
        deadline: Duration::from_secs(60),
        memory_bytes: 1 << 30,
        table_elements: 1_000_000,
        instances: 256,
        hostcall_bytes: 16 << 20,
        answer_bytes: 1 << 20,
        plan_steps: 1_000,
        log_bytes: 1 << 20,
    };

    /// Stack of one call in bytes, where nothing else is asked for. wasmtime
    /// sets it for a whole engine: see [`Engine::with_stack`](super::Engine::with_stack).
    pub const STACK_BYTES: u64 = 512 << 10;

    /// The most stack that can be asked for. It is a part of the calling
    /// thread's own stack, of which std's and tokio's threads have 2 MiB.
    pub const STACK_BYTES_CAP: u64 = 1 << 20;

    /// Core memories that one policy may have. An engine-wide bound like the stack.
    pub const MEMORIES: u32 = 4;

    /// Tables that one policy may have. An engine-wide bound like the stack.
    pub const TABLES: u32 = 32;

    /// The defaults with these overrides.
    ///
    /// # Errors
    /// [`LimitError`] for the first value above its cap.
    pub fn checked(overrides: LimitOverrides) -> Result<Self, LimitError> {
        let (usual, cap) = (Self::DEFAULT, Self::CAP);
        let ms = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let deadline_ms =
            pick("deadline_ms", overrides.deadline.map(ms), ms(usual.deadline), ms(cap.deadline))?;
        Ok(Self {
            fuel: pick("fuel", overrides.fuel, usual.fuel, cap.fuel)?,
            deadline: overrides.deadline.unwrap_or(Duration::from_millis(deadline_ms)),
            memory_bytes: pick("memory_bytes", overrides.memory_bytes, usual.memory_bytes, cap.memory_bytes)?,
            table_elements: pick(
                "table_elements",
                overrides.table_elements,
                usual.table_elements,
                cap.table_elements,
            )?,
            instances: pick("instances", overrides.instances, usual.instances, cap.instances)?,
            hostcall_bytes: pick(
                "hostcall_bytes",
                overrides.hostcall_bytes,
                usual.hostcall_bytes,
                cap.hostcall_bytes,
            )?,
            answer_bytes: pick("answer_bytes", overrides.answer_bytes, usual.answer_bytes, cap.answer_bytes)?,
            plan_steps: pick("plan_steps", overrides.plan_steps, usual.plan_steps, cap.plan_steps)?,
            log_bytes: pick("log_bytes", overrides.log_bytes, usual.log_bytes, cap.log_bytes)?,
        })
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Values that replace the defaults; `None` keeps one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitOverrides {
    /// wasmtime's fuel, about one unit an instruction. Deterministic: the same
    /// call uses the same fuel on any machine.
    pub fuel: Option<u64>,
    /// Wall-clock time, in steps of the engine's tick. The backstop for what
    /// fuel does not count; not deterministic.
    pub deadline: Option<Duration>,
    /// Bytes of all linear memories together.
    pub memory_bytes: Option<u64>,
    /// Elements of all tables together.
    pub table_elements: Option<u64>,
    /// Core instances, adapters counted.
    pub instances: Option<u64>,
    /// Bytes that one call across the sandbox's border may hand to the host.
    pub hostcall_bytes: Option<u64>,
    /// Bytes of text in one answer.
    pub answer_bytes: Option<u64>,
    /// Steps of one cleanup plan, those that the policy has run while it
    /// plans counted.
    pub plan_steps: Option<u64>,
    /// Bytes that a call may write to standard output and error together.
    pub log_bytes: Option<u64>,
}

/// A limit that is above what can be asked for.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "policy limit `{name}` is `{value}`, above its cap of `{cap}`\n\
     hint: give at most `{cap}`, or leave it out for the usual `{usual}`"
)]
pub struct LimitError {
    /// The limit's name.
    pub name: &'static str,
    /// What was asked for.
    pub value: u64,
    /// The most that can be asked for.
    pub cap: u64,
    /// What holds where nothing is asked for.
    pub usual: u64,
}

pub(super) fn pick(name: &'static str, asked: Option<u64>, usual: u64, cap: u64) -> Result<u64, LimitError> {
    let value = asked.unwrap_or(usual);
    if value > cap { Err(LimitError { name, value, cap, usual }) } else { Ok(value) }
}
