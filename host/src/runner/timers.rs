//! Delays that are being waited out: one heap, one timer.
//!
//! An entry is 24 bytes; a task for each delay would cost twenty times that.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use crate::clock;
use crate::study::ExperimentId;

/// While the machine is suspended, timers stand still and delays go on: how
/// late one may be after that. Nothing is early, and nothing is waited out twice.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(super) struct Timers {
    /// When they are due, since boot.
    heap: BinaryHeap<Reverse<(Duration, ExperimentId)>>,
}

impl Timers {
    /// Starts a delay; one that has passed already is due at once.
    pub(super) fn add(&mut self, delay: Duration, experiment: ExperimentId) {
        self.heap.push(Reverse((clock::since_boot().saturating_add(delay), experiment)));
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.heap.clear();
    }

    /// Waits for the first, or until it is worth looking again; for ever where there is none.
    pub(super) async fn elapsed(&self) {
        match self.heap.peek() {
            Some(Reverse((at, _))) => {
                let left = at.saturating_sub(clock::since_boot());
                tokio::time::sleep(left.min(LOOK_AGAIN)).await;
            }
            None => std::future::pending().await,
        }
    }

    /// Takes one that has passed; none ever early.
    pub(super) fn take_due(&mut self) -> Option<ExperimentId> {
        let Reverse((at, experiment)) = *self.heap.peek()?;
        if at > clock::since_boot() {
            return None;
        }
        self.heap.pop();
        Some(experiment)
    }
}
