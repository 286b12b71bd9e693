//! Time: the only file that reads a clock.
//!
//! Nothing that decides may call it; it is read where events are stamped and
//! limits are watched.

use std::time::Instant;

use jiff::Timestamp;

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
