//! A policy that says again all that it is told, and has done all that can be
//! done: what the standard policy leaves aside crosses the border whole, too.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reprieve::attempt::Attempt;
use reprieve::cleanup::{
    CleanupAction, Consequence, HandOver, Occasion, PlanQuestion, Step, StepOutcome, StepReport,
};
use reprieve::decision::{Decision, Progress, Question};
use reprieve::policy::{Devices, Limits, Policy, PolicySource};
use reprieve::reading::{Reading, ReadingError};
use serde_json::json;

use super::engine;
use crate::question;

/// Holds a policy to say this of what it is told, in words that its source has too.
pub(super) fn tells_all(component: &[u8]) {
    let source = PolicySource::Bytes { name: "mirror".to_owned(), bytes: component.to_owned() };
    let policy = Policy::load(&engine(), &source, &json!({}), Limits::DEFAULT).expect("it loads");
    let Ok(Decision::Retry(retry)) = policy.decide(&everything()).result else { panic!("it retries") };
    let told: Vec<&str> = retry.reason.split(" / ").collect();
    assert_eq!(
        told,
        [
            "ünï batch=8 depth=2 can batch by me=me on 2, 18446744073709551615",
            "1 of 1: 4 no such file, failed -, waited 0 ran 0, `` ``, said -, faults, memory, 0 others, 0 slow, knows",
            "2 of 1: 1 9, failed 6 killed, waited 18446744073709551 ran 60000, `err` `out`, said 1 Oops `told`, \
         faults 0:79 1:48, memory 1:1:2:3, 4 others, 5 slow, knows node=a rack=b",
            "1 2 3 4 5 6000",
            "2 devices: GPU-0 H200 150 50 7, 41 - 0 1 9 1, 2; error 3",
        ]
    );
    assert_eq!(serde_json::to_value(retry).expect("it is data")["delay_ms"], 18_446_744_073_709_551_u64);
    plans_all(&policy);
}

fn everything() -> Question {
    let read = "what the test writes reads";
    let attempts: Vec<Attempt> = serde_json::from_value(json!([
        {
            "number": 1, "stage": "measure", "ending": { "not-started": "no such file" }, "failure": null,
            "waited_for_ms": 0, "ran_for_ms": 0, "stderr_tail": "", "stdout_tail": "", "self_report": null
        },
        {
            "number": 2, "stage": "measure", "ending": { "signalled": 9 },
            "failure": { "class": "host-memory", "evidence": "killed" },
            "waited_for_ms": 18_446_744_073_709_551_u64, "ran_for_ms": 60_000, "stderr_tail": "err", "stdout_tail": "out",
            "self_report": { "retryable": true, "kind": "Oops", "message": "told" },
            "faults": [{ "device": 0, "xid": 79 }, { "device": 1, "xid": 48 }],
            "memory": [{ "device": 1, "baseline_bytes": 1, "peak_bytes": 2, "residual_bytes": 3 }],
            "foreign_processes": 4, "throttled_for_ms": 5,
            "facts": [{ "name": "node", "value": "a" }, { "name": "rack", "value": "b" }]
        }
    ]))
    .expect(read);
    let devices: Vec<HandOver> = serde_json::from_value(json!([
        { "baseline_bytes": 7, "reading": { "Ok": reading() } },
        { "baseline_bytes": 0, "reading": { "Err": { "device-lost": "gone" } } }
    ]))
    .expect(read);
    let mut experiment = question(1).experiment;
    experiment.name = "ünï".to_owned();
    experiment.parameters.push(serde_json::from_value(json!({ "name": "depth", "value": "2" })).expect(read));
    experiment.labels.push(serde_json::from_value(json!({ "name": "me", "value": "me" })).expect(read));
    experiment.devices = 2;
    experiment.seed = u64::MAX;
    Question {
        experiment,
        attempts,
        progress: Progress {
            succeeded: 1,
            failed: 2,
            remaining: 3,
            retries: 4,
            failed_in_a_row: 5,
            elapsed: Duration::from_secs(6),
        },
        devices,
        ..question(1)
    }
}

fn reading() -> serde_json::Value {
    json!({
        "uuid": "GPU-0", "name": "H200", "memory_total_bytes": 150, "memory_used_bytes": 50,
        "processes": [{ "pid": 1, "memory_bytes": null }, { "pid": 2, "memory_bytes": 3 }],
        "temperature_celsius": 41, "slowdown_celsius": 87, "power_milliwatts": null, "energy_millijoules": null,
        "utilization_percent": 0, "sm_clock_mhz": null, "clock_reasons": ["hw-slowdown"], "uncorrected_errors": 9,
        "remapped_rows": null, "recovery": "reset-device"
    })
}

/// Devices that note what is done to them: the first three times it ends in
/// one way each, then it is refused.
#[derive(Clone, Default)]
struct Noted(Arc<Mutex<Vec<CleanupAction>>>);

impl Devices for Noted {
    fn read(&mut self, _: u32) -> Result<(Reading, u64), ReadingError> {
        Err(ReadingError::NotSupported)
    }

    fn perform(&mut self, action: CleanupAction) -> Result<StepReport, String> {
        let mut noted = self.0.lock().expect("no test panics with it");
        noted.push(action.clone());
        let outcome = match noted.len() {
            1 => StepOutcome::Done("it helped".to_owned()),
            2 => StepOutcome::Skipped("nothing there".to_owned()),
            3 => StepOutcome::Failed("too slow".to_owned()),
            _ => return Err("not here".to_owned()),
        };
        Ok(StepReport {
            step: Step { action, if_it_fails: Consequence::CarryOn },
            outcome,
            took: Duration::from_millis(3),
            released_bytes: 4,
            failed_on: Vec::new(),
            while_planning: true,
        })
    }
}

/// Every action is performed, and every action is planned.
fn plans_all(policy: &Policy) {
    let Question { experiment, mut attempts, asked_at, .. } = everything();
    let occasion = Occasion::AfterAttempt(Box::new(attempts.remove(1)));
    let devices = Noted::default();
    let asked = PlanQuestion { experiment, occasion, asked_at };
    let mut plan = policy.plan(&asked, Box::new(devices.clone())).result.expect("it plans");
    let said = plan.pop().expect("its last step says what came of it").action;
    let CleanupAction::RunHook(said) = said else { panic!("{said:?}") };
    let refused = " refused not here".repeat(8);
    assert_eq!(said, format!("after 2: 0 3 4 1 nothing there 3 4 2 too slow 3 4{refused}"));
    let planned: Vec<CleanupAction> = plan.iter().map(|step| step.action.clone()).collect();
    let all: Vec<CleanupAction> = serde_json::from_value(json!([
        { "end-leftovers": 1 }, "remove-shared-memory", "synchronize", "release-cached-memory", "reset-contexts",
        { "await-memory": { "tolerance_bytes": 5_000_000_000_u64, "timeout_ms": 6 } },
        { "await-temperature": { "at_most_celsius": 45, "timeout_ms": 7 } },
        { "await-idle": { "at_most_percent": 8, "timeout_ms": 9 } },
        { "probe": { "allocate_bytes": 10, "timeout_ms": 11 } },
        { "pause": 12 }, { "run-hook": "haken ü" }
    ]))
    .expect("what the test writes reads");
    assert_eq!(planned, all);
    assert_eq!(*devices.0.lock().expect("no test panics with it"), all);
    let consequences: Vec<Consequence> = plan.iter().take(3).map(|step| step.if_it_fails).collect();
    assert_eq!(consequences, [Consequence::CarryOn, Consequence::QuarantineDevice, Consequence::StopStudy]);
    let before = PlanQuestion { occasion: Occasion::BeforeAttempt, ..asked };
    let plan = policy.plan(&before, Box::new(Noted::default())).result.expect("it plans");
    assert_eq!(plan.len(), 0);
}
