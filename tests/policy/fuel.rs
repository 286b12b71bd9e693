//! What a decision costs in fuel, which is the same on every machine.
//!
//! Times belong to the benchmarks. Fuel catches what they would: a policy, or a
//! toolchain, that takes more work for the same answer.

use reprieve::policy::{Limits, Policy, PolicySource};
use serde_json::json;

use super::{ENGINE, question};

/// Fuel of the standard policy's answer to `question(5)`. Where less is used
/// from now on, write that down here.
const RECORDED: u64 = 12_847;

#[test]
fn a_decision_of_the_standard_policy_takes_no_more_fuel_than_was_recorded() {
    let settings = json!({ "max_retries": 9, "jitter": "full" });
    let policy =
        Policy::load(&ENGINE, &PolicySource::Standard, &settings, Limits::DEFAULT).expect("it loads");
    let answer = policy.decide(&question(5));
    assert!(answer.result.is_ok(), "{answer:?}");
    assert_eq!(policy.decide(&question(5)).fuel, answer.fuel, "two calls of one question differ");
    let (used, most) = (answer.fuel, RECORDED + RECORDED / 50);
    assert!(used <= most, "it used {used} units of fuel, at most {most} were expected");
}
