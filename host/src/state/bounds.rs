//! The host's last word on a decision: what a policy may not have, it does not get.
//!
//! Does not judge a decision; it bounds it and says where it did.

use crate::decision::{Decision, Placement};
use crate::study::ExperimentId;

use super::StudyState;

impl StudyState {
    /// The decision within the study's bounds, and a line for each bound it met.
    pub fn bound(&self, id: ExperimentId, decision: Decision) -> (Decision, Vec<String>) {
        let Decision::Retry(mut retry) = decision else { return (decision, Vec::new()) };
        let limits = &self.study.limits;
        let (stage, _) = self.newest_attempt(id);
        if self.experiment(id).attempts_made() >= limits.max_attempts {
            let reason = format!(
                "the study allows {} attempts at `{}`; the policy wanted another: {}",
                limits.max_attempts,
                stage.name(),
                retry.reason
            );
            return (Decision::GiveUp(reason), vec![format!("max_attempts = {}", limits.max_attempts)]);
        }
        let mut bounded = Vec::new();
        if retry.delay > limits.max_delay {
            bounded
                .push(format!("a delay of {:?} is cut to max_delay = {:?}", retry.delay, limits.max_delay));
            retry.delay = limits.max_delay;
        }
        if retry.placement == Placement::OtherDevices && !self.has_other_devices(id) {
            bounded.push("the study has no other devices to move to".to_owned());
            retry.placement = Placement::AnyDevices;
        }
        (Decision::Retry(retry), bounded)
    }
}
