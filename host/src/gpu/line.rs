//! Asks what may never answer: each question on a thread of its own, and only
//! one at a time on a line.
//!
//! NVML's calls have been seen to block for 45 s behind a driver's timeout
//! (NVIDIA/open-gpu-kernel-modules#446), and for good (#1333). It does not know
//! what is asked.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sys::signal::SigSet;

use crate::clock::monotonic as now;

/// When what failed in a way that passes is asked again: after each of these.
pub(super) const ASK_AGAIN_AFTER: [Duration; 3] =
    [Duration::from_millis(50), Duration::from_millis(200), Duration::from_secs(1)];

/// A way to one device, or to the driver. While a question is out, nothing
/// else is asked on it.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Whether a question is out.
    out: Mutex<bool>,
    back: Condvar,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error("no answer within {} s", .0.as_secs_f64())]
    Late(Duration),
    #[error("no answer to an earlier question, which is still out")]
    Busy,
    #[error("cannot ask: {0}")]
    NotAsked(String),
}

/// Frees the line when the answer has come back, whatever it was.
struct Out(Arc<Line>);

impl Drop for Out {
    fn drop(&mut self) {
        *self.0.lock() = false;
        self.0.back.notify_one();
    }
}

impl Line {
    /// Asks, and waits this long at most for an earlier question and this one together.
    pub(super) fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        within: Duration,
        question: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NoAnswer> {
        let began = now();
        let (mut out, _) = self
            .back
            .wait_timeout_while(self.lock(), within, |out| *out)
            .unwrap_or_else(PoisonError::into_inner);
        if *out {
            return Err(NoAnswer::Busy);
        }
        *out = true;
        drop(out);
        let held = Out(Arc::clone(self));
        let (answer, answered) = mpsc::channel();
        start("question", move || {
            let given = question();
            // The line is free before the answer is known: who has it may ask again.
            drop(held);
            let _ = answer.send(given);
        })
        .map_err(|error| NoAnswer::NotAsked(error.to_string()))?;
        answered.recv_timeout(within.saturating_sub(began.elapsed())).map_err(|error| match error {
            RecvTimeoutError::Timeout => NoAnswer::Late(within),
            RecvTimeoutError::Disconnected => NoAnswer::NotAsked("the question ended its thread".to_owned()),
        })
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a thread that nobody has to wait for and that takes no signals: those
/// are for the threads that wait for them.
pub(super) fn start(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let body = move || {
        let _ = SigSet::all().thread_block();
        work();
    };
    thread::Builder::new().name(name.to_owned()).spawn(body).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stuck_is_not_asked_again_until_it_has_answered() {
        let line = Arc::new(Line::default());
        let (go, gone) = mpsc::channel::<()>();
        let stuck = line.ask(Duration::from_millis(1), move || gone.recv().is_ok());
        assert!(matches!(stuck, Err(NoAnswer::Late(_))));
        let asked = line.ask(Duration::from_millis(1), || panic!("it must not be asked"));
        assert!(matches!(asked, Err(NoAnswer::Busy)));
        go.send(()).expect("the question is still out");
        assert_eq!(line.ask(Duration::from_secs(60), || 7).expect("the line is free again"), 7);
    }

    #[test]
    fn a_question_that_panics_frees_its_line() {
        let line = Arc::new(Line::default());
        let asked = line.ask(Duration::from_secs(60), || panic!("on purpose"));
        assert!(matches!(asked, Err::<(), _>(NoAnswer::NotAsked(_))));
        assert_eq!(line.ask(Duration::from_secs(60), || 7).expect("the line is free"), 7);
    }
}
