//! Time: the only file that reads a clock.
//!
//! Nothing that decides may call it; it is read where events are stamped and
//! limits are watched.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use nix::time::{ClockId, clock_gettime};

/// The wall clock's time, as events are stamped with it.
#[expect(clippy::disallowed_methods, reason = "this is the place that the lint points to")]
pub fn wall() -> Timestamp {
    Timestamp::now()
}

/// The monotonic clock's time, as limits are measured with it. It stands still
/// while the machine is suspended.
#[expect(clippy::disallowed_methods, reason = "this is the place that the lint points to")]
pub fn monotonic() -> Instant {
    Instant::now()
}

/// The time since boot, suspension included: no wall clock that is set changes it.
pub fn since_boot() -> Duration {
    clock_gettime(ClockId::CLOCK_BOOTTIME).expect("Linux has it since 2.6.39").into()
}
