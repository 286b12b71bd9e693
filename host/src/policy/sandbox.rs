//! What a policy can reach from inside, and what holds it there.
//!
//! Reaches no file and no clock, and of the devices what `devices` lets it. For
//! WASI see `wasi`.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use wasmtime::ResourceLimiter;

use super::devices::Devices;
use super::limits::Limits;
use super::wasi::Wasi;
use crate::decision::{PolicyFaultKind, Subject};

/// The state of one call. Dropped with it.
pub(super) struct Sandbox {
    pub(super) moment: Moment,
    pub(super) limits: Limits,
    memory_bytes: u64,
    table_elements: u64,
    pub(super) devices: Box<dyn Devices>,
    /// How many actions it has asked for.
    pub(super) performed: u64,
    /// Time spent outside the sandbox on its behalf.
    pub(super) outside_for: Duration,
    /// Made at the first call of a WASI function: most policies make none.
    pub(super) wasi: Option<Wasi>,
}

/// What differs between two calls apart from their arguments.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    /// Where the clocks stand.
    pub(super) at: Timestamp,
    /// What randomness is drawn from.
    pub(super) seed: u64,
    /// How many devices the experiment holds.
    pub(super) devices: u32,
}

impl Moment {
    /// The moment of a policy's load: always the same one.
    pub(super) const LOAD: Self = Self { at: Timestamp::UNIX_EPOCH, seed: 0, devices: 0 };

    pub(super) fn of(experiment: &Subject, asked_at: Timestamp) -> Self {
        Self { at: asked_at, seed: experiment.seed, devices: experiment.devices }
    }

    /// The clocks' reading. They stand at the epoch for any time before it.
    pub(super) fn since_epoch(self) -> Duration {
        Duration::try_from(self.at.as_duration()).unwrap_or_default()
    }
}

impl Sandbox {
    pub(super) fn new(moment: Moment, limits: Limits, devices: Box<dyn Devices>) -> Self {
        Self {
            moment,
            limits,
            memory_bytes: 0,
            table_elements: 0,
            devices,
            performed: 0,
            outside_for: Duration::ZERO,
            wasi: None,
        }
    }

    /// What all linear memories have; none ever shrinks.
    pub(super) fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    /// What the policy wrote to standard output and error.
    pub(super) fn log(&self) -> &[u8] {
        self.wasi.as_ref().map_or(&[], |wasi| &wasi.log)
    }
}

/// A bound of ours that a call went over. wasmtime hands it back as it is.
#[derive(Debug)]
pub(super) enum Breach {
    Memory { asked: u64, bound: u64 },
    Tables { asked: u64, bound: u64 },
    Log { bound: u64 },
    Sleep,
}

impl Breach {
    pub(super) fn kind(&self) -> PolicyFaultKind {
        match self {
            Self::Memory { .. } | Self::Tables { .. } => PolicyFaultKind::Memory,
            Self::Log { .. } => PolicyFaultKind::HostCalls,
            Self::Sleep => PolicyFaultKind::Trap,
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory { asked, bound } => {
                write!(f, "it asked for `{asked}` bytes of memory, its bound is `{bound}`")
            }
            Self::Tables { asked, bound } => {
                write!(f, "it asked for `{asked}` table elements, its bound is `{bound}`")
            }
            Self::Log { bound } => {
                write!(f, "it wrote more than `{bound}` bytes to standard output and error")
            }
            Self::Sleep => {
                f.write_str("it waited, but its clock stands still: a delay belongs into the decision")
            }
        }
    }
}

impl std::error::Error for Breach {}

/// Bounds the *sum* over all memories and all tables; wasmtime's own limiter
/// bounds each of them.
impl ResourceLimiter for Sandbox {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let asked = self.memory_bytes.saturating_add((desired - current) as u64);
        if asked > self.limits.memory_bytes {
            return Err(Breach::Memory { asked, bound: self.limits.memory_bytes }.into());
        }
        self.memory_bytes = asked;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let asked = self.table_elements.saturating_add((desired - current) as u64);
        if asked > self.limits.table_elements {
            return Err(Breach::Tables { asked, bound: self.limits.table_elements }.into());
        }
        self.table_elements = asked;
        Ok(true)
    }

    fn instances(&self) -> usize {
        usize::try_from(self.limits.instances).unwrap_or(usize::MAX)
    }

    fn tables(&self) -> usize {
        Limits::TABLES as usize
    }

    fn memories(&self) -> usize {
        Limits::MEMORIES as usize
    }
}
