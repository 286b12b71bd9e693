//! Cleans up in a program's own process: for one that runs its GPU work itself
//! and uses Reprieve as a library.
//!
//! A process can only clean up after itself: it waits for its queued work,
//! gives back memory that the CUDA driver keeps for it, and measures whether its
//! devices' memory is back. What it still uses stays. It removes no shared
//! memory, which it cannot tell from that of others, and ends no process: which of a program's children are leftovers only
//! the program can know. More is done for an experiment that runs in a process
//! of its own, by [`crate::supervisor`].
//!
//! Everything here also runs on a machine without a GPU, where there is less to do:
//!
//! ```
//! use reprieve::clean::Devices;
//! use reprieve::cleanup::StepOutcome;
//!
//! fn measure() -> Result<f64, String> {
//!     Err("CUDA out of memory".to_owned())
//! }
//!
//! let devices = Devices::open(&[])?;
//! let result = {
//!     // Cleans up at the end of the block, however it is left.
//!     let _guard = devices.guard();
//!     measure()
//! };
//! assert_eq!(result, Err("CUDA out of memory".to_owned()), "the error is the work's own");
//!
//! for report in devices.clean_now().steps {
//!     if let StepOutcome::Failed(why) = report.outcome {
//!         eprintln!("{} failed: {why}", report.step.action.name());
//!     }
//! }
//! # Ok::<(), reprieve::clean::OpenError>(())
//! ```
//!
//! Calls block, for as long as the plan's steps may wait: in an asynchronous
//! program, make them where blocking is allowed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::cleanup::{Cleanup, CleanupAction, Consequence, Step, StepOutcome};
use crate::gpu::cuda::{OwnWork, in_own_contexts};
use crate::gpu::{Gpus, Unavailable};
use crate::reading::ReadingError;
use crate::runner::{VISIBLE_DEVICES, VisibleError, visible};
use crate::supervisor::LeasedDevice;
use crate::supervisor::leased::Leased;
use crate::supervisor::steps::{self, Outcome};

/// Above the baseline, what still counts as clean: contexts of monitors come
/// and go with less.
const TOLERANCE_BYTES: u64 = 64 << 20;

/// How long [`standard_plan`] waits for memory. Nobody has to die for it to
/// come back, so it does at once, or it is still in use.
const MEMORY_TIMEOUT: Duration = Duration::from_secs(2);

/// The devices that a program uses, with what was in use when they were opened.
#[derive(Clone, Debug)]
pub struct Devices {
    leased: Leased,
    /// UUIDs as they were given; none is all.
    named: Vec<String>,
}

/// Why devices could not be opened. That there are none is no error.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// NVML is there and fails, or stays silent.
    #[error("{0}")]
    Unavailable(Unavailable),
    /// A device that was named is not on this machine.
    #[error("no device `{uuid}`\nhint: there are {there}")]
    NoSuchDevice {
        /// The name that was given.
        uuid: String,
        /// The devices that NVML knows.
        there: String,
    },
    /// `CUDA_VISIBLE_DEVICES` cannot be understood.
    #[error("{0}")]
    Visible(#[from] VisibleError),
    /// A device does not tell what is in use, so that nothing can be compared with it later.
    #[error("device `{uuid}` cannot be read: {source}")]
    Unreadable {
        /// The device.
        uuid: String,
        /// Why not.
        source: ReadingError,
    },
}

/// What [`Devices::clean_now`] does: the standard policy's plan, as far as a
/// process can carry it out on itself. No step's failure has a consequence
/// beyond its report.
pub fn standard_plan() -> Vec<Step> {
    let memory = CleanupAction::AwaitMemory { tolerance_bytes: TOLERANCE_BYTES, timeout: MEMORY_TIMEOUT };
    [CleanupAction::Synchronize, CleanupAction::ReleaseCachedMemory, memory]
        .map(|action| Step { action, if_it_fails: Consequence::CarryOn })
        .into()
}

impl Devices {
    /// The devices of these UUIDs; all that `CUDA_VISIBLE_DEVICES` leaves to
    /// this process where none is named. What is in use on them now is the
    /// baseline that later cleanups compare with: open them when the program
    /// holds what it means to keep, its CUDA context for example.
    ///
    /// # Errors
    ///
    /// Where NVML fails, or does not know a device that was named. Where there
    /// is no NVML, there are no devices to be read, and no error.
    pub fn open(uuids: &[&str]) -> Result<Self, OpenError> {
        let named = uuids.iter().map(|uuid| (*uuid).to_owned()).collect();
        let leased = match Gpus::open(None) {
            Ok(gpus) => leased(gpus, uuids)?,
            Err(Unavailable::NoNvml(_)) => Leased::new(&[], None),
            Err(error) => return Err(OpenError::Unavailable(error)),
        };
        Ok(Self { leased, named })
    }

    /// Carries out [`standard_plan`]. Says what came of it, and never fails.
    pub fn clean_now(&self) -> Cleanup {
        self.clean(standard_plan())
    }

    /// Carries out a plan. Steps that need a supervisor are skipped.
    pub fn clean(&self, plan: Vec<Step>) -> Cleanup {
        let mut cleanup = Cleanup { by: "the program".to_owned(), ..Cleanup::default() };
        for mut step in plan {
            cleanup.bounded.extend(steps::bound(&mut step.action));
            cleanup.steps.push(steps::report(&self.leased, step, false, |action| self.outcome(action)));
        }
        cleanup
    }

    /// Cleans up as [`Self::clean_now`] when it is dropped.
    pub fn guard(&self) -> CleanupGuard<'_> {
        CleanupGuard(self)
    }

    fn outcome(&self, action: &CleanupAction) -> Outcome {
        let skipped = |why: &str| (StepOutcome::Skipped(why.to_owned()), Vec::new());
        let mut pause = |span| {
            sleep(span);
            true
        };
        match action {
            CleanupAction::RemoveSharedMemory => {
                let why = "what one program left beside others cannot be told from theirs";
                (StepOutcome::Skipped(why.to_owned()), Vec::new())
            }
            CleanupAction::Synchronize => self.own(OwnWork::Synchronize),
            CleanupAction::ReleaseCachedMemory => self.own(OwnWork::ReleaseCachedMemory),
            CleanupAction::ResetContexts => self.own(OwnWork::ResetContexts),
            CleanupAction::AwaitMemory { tolerance_bytes, timeout } => {
                steps::await_memory(&self.leased, *tolerance_bytes, *timeout, &mut pause)
            }
            CleanupAction::AwaitTemperature { at_most_celsius, timeout } => {
                steps::await_temperature(&self.leased, *at_most_celsius, *timeout, &mut pause)
            }
            CleanupAction::AwaitIdle { at_most_percent, timeout } => {
                steps::await_idle(&self.leased, *at_most_percent, *timeout, &mut pause)
            }
            CleanupAction::Pause(span) => (steps::pause(*span, &mut pause), Vec::new()),
            CleanupAction::EndLeftovers(_) => {
                skipped("a program's children may be wanted: only a supervisor ends what is left")
            }
            CleanupAction::Probe { .. } => skipped("only a supervisor starts probes"),
            CleanupAction::RunHook(_) => skipped("only a study declares hooks"),
        }
    }

    fn own(&self, work: OwnWork) -> Outcome {
        let wanted = |uuid: &str| self.named.is_empty() || self.named.iter().any(|named| is(named, uuid));
        let on = in_own_contexts(work, wanted);
        if on.is_empty() {
            return (StepOutcome::Skipped("this process holds no CUDA context".to_owned()), Vec::new());
        }
        let (mut why, mut failed_on) = (Vec::new(), Vec::new());
        for device in on {
            if let Err(reason) = device.result {
                let mut positions = self.leased.positions();
                failed_on.extend(positions.find(|position| is(self.leased.name(*position), &device.uuid)));
                why.push(format!("{}: {reason}", device.uuid));
            }
        }
        let outcome = match why.is_empty() {
            true => StepOutcome::Done(String::new()),
            false => StepOutcome::Failed(why.join("; ")),
        };
        (outcome, failed_on)
    }
}

/// Whether NVML's name of a device has these digits.
fn is(name: &str, digits: &str) -> bool {
    name.split_once('-').is_some_and(|(_, named)| named.eq_ignore_ascii_case(digits))
}

fn leased(gpus: Gpus, uuids: &[&str]) -> Result<Leased, OpenError> {
    let all = gpus.devices();
    let chosen = match (uuids, std::env::var(VISIBLE_DEVICES)) {
        ([], Ok(variable)) => visible(&all, &variable)?,
        ([], Err(_)) => all,
        (named, _) => {
            let find = |uuid: &&str| {
                let found = all.iter().find(|device| device.id == *uuid).cloned();
                found.ok_or_else(|| {
                    let there = all.iter().map(|device| device.id.as_str()).collect::<Vec<_>>().join(", ");
                    OpenError::NoSuchDevice { uuid: (*uuid).to_owned(), there }
                })
            };
            named.iter().map(find).collect::<Result<_, _>>()?
        }
    };
    let devices = chosen.into_iter().map(|device| match gpus.memory(&device.id) {
        Ok(baseline_bytes) => Ok(LeasedDevice { uuid: device.id, baseline_bytes }),
        Err(source) => Err(OpenError::Unreadable { uuid: device.id, source }),
    });
    Ok(Leased::of(devices.collect::<Result<_, _>>()?, gpus))
}

#[expect(clippy::disallowed_methods, reason = "this is the caller's own thread, and the caller waits")]
fn sleep(span: Duration) {
    std::thread::sleep(span);
}

/// Cleans up when it is dropped: at the end of its block, at an early return,
/// and while a panic unwinds. It never panics and hides no error: what fails is
/// logged as a warning (`tracing`), and that is all.
#[derive(Debug)]
#[must_use = "it cleans up when it is dropped"]
pub struct CleanupGuard<'a>(&'a Devices);

impl Drop for CleanupGuard<'_> {
    fn drop(&mut self) {
        let Ok(cleanup) = catch_unwind(AssertUnwindSafe(|| self.0.clean_now())) else {
            tracing::warn!("the cleanup panicked");
            return;
        };
        for report in &cleanup.steps {
            if let StepOutcome::Failed(why) = &report.outcome {
                tracing::warn!("cleanup: {} failed: {why}", report.step.action.name());
            }
        }
    }
}
