//! What the steps of a cleanup have in common, whoever carries them out: a
//! supervisor, or a program that cleans up after itself (`clean`).
//!
//! Waits on devices and reports. Ends no process: see `cleaner`.

use std::time::Duration;

use crate::cleanup::{CleanupAction, Step, StepOutcome, StepReport};
use crate::clock::monotonic as now;
use crate::reading::{Reading, ReadingError};

use super::leased::Leased;

/// No single step waits longer, whatever a plan says.
const LONGEST_STEP: Duration = Duration::from_secs(60 * 60);

/// Memory is asked for at first every 2 ms, then every fiftieth of the time
/// that the wait has taken, and no less often than every 16 ms: what comes back
/// is known 8 ms later in the median, for well below a percent of a core.
const POLL_MEMORY: (Duration, u32, Duration) = (Duration::from_millis(2), 50, Duration::from_millis(16));

/// Temperature and utilization change slowly: NVML samples the latter over up to a second.
const POLL_SLOWLY: Duration = Duration::from_millis(250);

pub(crate) const NO_GPU: &str = "there is no device that can be read";
pub(super) const AT_ONCE: &str = "the host asked to end at once";

/// How a step went, and the devices that it failed on.
pub(crate) type Outcome = (StepOutcome, Vec<u32>);

/// Lets time pass; `false` where the step is to end at once.
pub(crate) type Pause<'a> = &'a mut dyn FnMut(Duration) -> bool;

/// Cuts a step's time to the host's bound, and says where it did.
pub(crate) fn bound(action: &mut CleanupAction) -> Option<String> {
    let name = action.name();
    let (CleanupAction::EndLeftovers(span)
    | CleanupAction::Pause(span)
    | CleanupAction::AwaitMemory { timeout: span, .. }
    | CleanupAction::AwaitTemperature { timeout: span, .. }
    | CleanupAction::AwaitIdle { timeout: span, .. }
    | CleanupAction::Probe { timeout: span, .. }) = action
    else {
        return None;
    };
    (*span > LONGEST_STEP).then(|| {
        let asked = std::mem::replace(span, LONGEST_STEP);
        format!("{name}: {asked:?} is cut to {LONGEST_STEP:?}")
    })
}

/// Carries out a step, and reports what it brought.
pub(crate) fn report(
    leased: &Leased,
    step: Step,
    while_planning: bool,
    work: impl FnOnce(&CleanupAction) -> Outcome,
) -> StepReport {
    let began = now();
    let used = leased.memory_used_bytes();
    let (outcome, failed_on) = work(&step.action);
    let left = leased.memory_used_bytes();
    StepReport {
        step,
        outcome,
        took: began.elapsed(),
        released_bytes: used.zip(left).map_or(0, |(used, left)| used.saturating_sub(left)),
        failed_on,
        while_planning,
    }
}

pub(crate) fn pause(span: Duration, pause: Pause<'_>) -> StepOutcome {
    if pause(span) { StepOutcome::Done(String::new()) } else { StepOutcome::Failed(AT_ONCE.to_owned()) }
}

pub(crate) fn await_memory(
    leased: &Leased,
    tolerance_bytes: u64,
    timeout: Duration,
    pause: Pause<'_>,
) -> Outcome {
    let (shortest, share, longest) = POLL_MEMORY;
    let every = |waited: Duration| (waited / share).clamp(shortest, longest);
    await_all(leased, timeout, every, pause, |device| leased.memory_above(device, tolerance_bytes))
}

pub(crate) fn await_temperature(
    leased: &Leased,
    at_most_celsius: u32,
    timeout: Duration,
    pause: Pause<'_>,
) -> Outcome {
    await_reading(leased, timeout, pause, |reading| match reading.temperature_celsius {
        Some(at) if at > at_most_celsius => Err(format!("{at} °C")),
        Some(_) => Ok(true),
        None => Ok(false),
    })
}

pub(crate) fn await_idle(
    leased: &Leased,
    at_most_percent: u32,
    timeout: Duration,
    pause: Pause<'_>,
) -> Outcome {
    await_reading(leased, timeout, pause, |reading| match reading.utilization_percent {
        Some(busy) if busy > at_most_percent => Err(format!("{busy} % busy")),
        Some(_) => Ok(true),
        None => Ok(false),
    })
}

fn await_reading(
    leased: &Leased,
    timeout: Duration,
    pause: Pause<'_>,
    check: impl Fn(&Reading) -> Result<bool, String>,
) -> Outcome {
    await_all(
        leased,
        timeout,
        |_| POLL_SLOWLY,
        pause,
        |device| match leased.read(device) {
            Ok((reading, _)) => check(&reading),
            Err(ReadingError::NotSupported) => Ok(false),
            Err(error) => Err(error.to_string()),
        },
    )
}

/// Waits until a check holds for every device. It says why it does not hold
/// yet, or that it cannot tell (`false`).
fn await_all(
    leased: &Leased,
    timeout: Duration,
    every: impl Fn(Duration) -> Duration,
    pause: Pause<'_>,
    check: impl Fn(u32) -> Result<bool, String>,
) -> Outcome {
    let mut left: Vec<u32> = leased.positions().collect();
    if left.is_empty() {
        return (StepOutcome::Skipped(NO_GPU.to_owned()), left);
    }
    let began = now();
    let mut untold = 0;
    loop {
        let mut why = Vec::new();
        left.retain(|device| match check(*device) {
            Ok(told) => {
                untold += usize::from(!told);
                false
            }
            Err(reason) => {
                why.push(format!("{}: {reason}", leased.name(*device)));
                true
            }
        });
        let waited = began.elapsed();
        if left.is_empty() {
            return match untold {
                0 => (StepOutcome::Done(String::new()), left),
                _ => (StepOutcome::Skipped("the device does not tell".to_owned()), left),
            };
        }
        if waited >= timeout {
            return (StepOutcome::Failed(why.join("; ")), left);
        }
        if !pause(every(waited).min(timeout - waited)) {
            return (StepOutcome::Failed(format!("{AT_ONCE}; {}", why.join("; "))), left);
        }
    }
}
