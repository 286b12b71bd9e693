//! Whether a device may go to another experiment: proven, not hoped for.
//!
//! The host's own rule, whatever a plan did: a device's memory is back at its
//! baseline and the driver asks for nothing. Where that cannot be shown, the
//! device is quarantined.

use std::time::Duration;

use crate::attempt::Attempt;
use crate::cleanup::{CleanupAction, Consequence, HandOver, Quarantine, Step, StepOutcome, StepReport};
use crate::health;

use super::cleaner::Cleaner;
use super::leased::Leased;

/// Above a device's baseline, what still counts as clean where no plan said
/// otherwise: contexts of monitors come and go with less.
const TOLERANCE_BYTES: u64 = 64 << 20;

/// How long memory may take to come back where no plan waited for it: vLLM's
/// own tests allow as much (tests/utils.py).
const MEMORY_TIMEOUT: Duration = Duration::from_secs(120);

/// Reads every device a last time, and says which are not to be used again:
/// none where something of the attempt's is `alive`.
pub(super) fn hand_over(
    cleaner: &mut Cleaner,
    attempt: &Attempt,
    steps: &[StepReport],
    use_unclean: bool,
    alive: Option<String>,
) -> Vec<HandOver> {
    let goal = steps.iter().rev().find_map(|report| match report.step.action {
        CleanupAction::AwaitMemory { tolerance_bytes, .. } => Some(tolerance_bytes),
        _ => None,
    });
    let tolerance_bytes = goal.unwrap_or(TOLERANCE_BYTES);
    let positions: Vec<u32> = cleaner.leased.positions().collect();
    let clean = |device: &u32| cleaner.leased.memory_above(*device, tolerance_bytes).is_ok();
    let wait = goal.is_none() || (!waited_in_vain(steps) && !positions.iter().all(clean));
    if wait && alive.is_none() && !positions.is_empty() {
        // Nobody has waited for the memory, or not since it was last used: the host does.
        let goal = CleanupAction::AwaitMemory { tolerance_bytes, timeout: MEMORY_TIMEOUT };
        cleaner.perform(Step { action: goal, if_it_fails: Consequence::QuarantineDevice }, false);
    }
    positions
        .into_iter()
        .map(|device| {
            let read = cleaner.leased.read(device).map(|(reading, _)| reading);
            let alive = alive.clone().map(|reason| Quarantine {
                reason,
                remedy: "end what is left; restart the machine where it does not end".to_owned(),
            });
            let quarantine = alive.or_else(|| match &read {
                Err(error) => Some(health::unreadable(error)),
                Ok(reading) => health::quarantine(reading)
                    .or_else(|| {
                        let here = attempt.faults.iter().filter(|fault| fault.device == device);
                        here.filter_map(|fault| health::after_fault(fault.xid, reading)).next()
                    })
                    .or_else(|| {
                        let unclean = cleaner.leased.memory_above(device, tolerance_bytes).err();
                        let unclean = unclean.filter(|_| !use_unclean)?;
                        Some(Quarantine {
                            reason: format!("{unclean}; on it: {}", Leased::holders(reading)),
                            remedy: "end what holds the memory, or reset the device".to_owned(),
                        })
                    }),
            });
            let quarantine = quarantine.or_else(|| failed_step(steps, device));
            HandOver { baseline_bytes: cleaner.leased.baseline_bytes(device), reading: read, quarantine }
        })
        .collect()
}

/// Whether memory did not come back while a plan waited for it, with nothing
/// after that which may have held some: a driver may give back what a process
/// had only after its end.
fn waited_in_vain(steps: &[StepReport]) -> bool {
    use CleanupAction::{AwaitMemory, EndLeftovers, Probe, RunHook};
    let held =
        |report: &&StepReport| matches!(report.step.action, EndLeftovers(_) | Probe { .. } | RunHook(_));
    let failed = |report: &StepReport| {
        matches!((&report.step.action, &report.outcome), (AwaitMemory { .. }, StepOutcome::Failed(_)))
    };
    steps.iter().rev().take_while(|report| !held(report)).any(failed)
}

/// What a plan declared a device unfit without.
fn failed_step(steps: &[StepReport], device: u32) -> Option<Quarantine> {
    steps.iter().find_map(|report| {
        let StepOutcome::Failed(why) = &report.outcome else { return None };
        let name = report.step.action.name();
        let memory = matches!(report.step.action, CleanupAction::AwaitMemory { .. });
        // A step that names no device failed for all of them. Memory has just
        // been looked at again.
        let here = report.failed_on.is_empty() || report.failed_on.contains(&device);
        (report.step.if_it_fails == Consequence::QuarantineDevice && here && !memory).then(|| Quarantine {
            reason: format!("{name} failed: {why}"),
            remedy: "look at the device; `reprieve gpu` shows it".to_owned(),
        })
    })
}
