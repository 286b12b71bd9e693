//! Delays that are being waited out: one heap, one timer.
//!
//! An entry is 24 bytes; a task for each delay would cost twenty times that.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use crate::clock;
use crate::study::ExperimentId;

#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, ExperimentId)>>,
}

impl Timers {
    /// Starts a delay; one that has passed already is due at once.
    pub(super) fn add(&mut self, delay: Duration, experiment: ExperimentId) {
        let now = clock::monotonic();
        // A delay beyond what the clock can say is as good as for ever.
        let at = now.checked_add(delay).unwrap_or(now + Duration::from_secs(u32::MAX.into()));
        self.heap.push(Reverse((at, experiment)));
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.heap.clear();
    }

    /// Waits for the first; for ever where there is none.
    pub(super) async fn elapsed(&self) {
        match self.heap.peek() {
            Some(Reverse((at, _))) => tokio::time::sleep_until((*at).into()).await,
            None => std::future::pending().await,
        }
    }

    /// Takes one that has passed; none ever early.
    pub(super) fn take_due(&mut self) -> Option<ExperimentId> {
        let Reverse((at, experiment)) = *self.heap.peek()?;
        if at > clock::monotonic() {
            return None;
        }
        self.heap.pop();
        Some(experiment)
    }
}
