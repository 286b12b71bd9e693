//! Plans: what a policy is let do to devices, and how long a plan may be.

use std::sync::{Arc, Mutex};

use reprieve::cleanup::{CleanupAction, Consequence, Occasion, PlanQuestion, StepReport};
use reprieve::decision::PolicyFaultKind;
use reprieve::policy::{Devices, LimitOverrides, Limits, Policy, PolicySource};
use reprieve::reading::{Reading, ReadingError};
use serde_json::{Value, json};

use super::{ENGINE, attempt, policy, question};

/// Devices that note what is asked of them.
#[derive(Clone, Default)]
struct Noted(Arc<Mutex<Vec<CleanupAction>>>);

impl Devices for Noted {
    fn read(&mut self, _: u32) -> Result<(Reading, u64), ReadingError> {
        Err(ReadingError::NotSupported)
    }

    fn perform(&mut self, action: CleanupAction) -> Result<StepReport, String> {
        self.0.lock().expect("no test panics with it").push(action);
        Err("not here".to_owned())
    }
}

fn after_attempt() -> PlanQuestion {
    let question = question(1);
    PlanQuestion {
        experiment: question.experiment,
        occasion: Occasion::AfterAttempt(Box::new(attempt(1))),
        asked_at: question.asked_at,
    }
}

fn standard(settings: &Value, limits: LimitOverrides) -> Policy {
    let limits = Limits::checked(limits).expect("within the caps");
    Policy::load(&ENGINE, &PolicySource::Standard, settings, limits).expect("the standard policy loads")
}

#[test]
fn the_standard_plan_ends_processes_before_it_waits_for_their_memory() {
    let plan = standard(&json!({}), LimitOverrides::default())
        .plan(&after_attempt(), Box::new(Noted::default()))
        .result
        .expect("it plans");
    let names: Vec<&str> = plan.iter().map(|step| step.action.name()).collect();
    assert_eq!(names, ["end-leftovers", "remove-shared-memory", "release-cached-memory", "await-memory"]);
    let last = plan.last().expect("it has steps");
    assert_eq!(last.if_it_fails, Consequence::QuarantineDevice);
    let CleanupAction::AwaitMemory { tolerance_bytes, timeout } = last.action else { panic!("{last:?}") };
    assert_eq!((tolerance_bytes, timeout.as_secs()), (64 << 20, 120));
}

#[test]
fn the_standard_plan_cools_devices_down_only_where_asked() {
    let plan = standard(&json!({ "cool_down_to_celsius": 45 }), LimitOverrides::default())
        .plan(&after_attempt(), Box::new(Noted::default()))
        .result
        .expect("it plans");
    let last = &plan.last().expect("it has steps").action;
    assert!(matches!(last, CleanupAction::AwaitTemperature { at_most_celsius: 45, .. }), "{last:?}");
}

#[test]
fn nothing_is_planned_before_an_attempt_by_the_standard_policy() {
    let before = PlanQuestion { occasion: Occasion::BeforeAttempt, ..after_attempt() };
    let answer = standard(&json!({}), LimitOverrides::default()).plan(&before, Box::new(Noted::default()));
    assert_eq!(answer.result, Ok(Vec::new()));
}

#[test]
fn a_plan_longer_than_its_bound_is_refused_whole() {
    let answer = standard(&json!({}), LimitOverrides { plan_steps: Some(3), ..<_>::default() })
        .plan(&after_attempt(), Box::new(Noted::default()));
    let fault = answer.result.expect_err("the plan has four steps");
    assert_eq!(fault.kind, PolicyFaultKind::Answer);
    assert_eq!(fault.message, "its plan has `4` steps, the bound is `3`");
}

#[test]
fn a_policy_that_only_decides_is_told_apart_when_asked_for_a_plan() {
    let fault = policy("accept").plan(&after_attempt(), Box::new(Noted::default())).result;
    assert!(fault.expect_err("it has no such role").message.contains("plans no cleanup"));
}
