//! What is done to the devices after an attempt.
//!
//! The order matters: memory comes back only once nobody holds it.

use reprieve_guest::Step;
use reprieve_guest::gpu_cleanup::{Action, MemoryGoal, TemperatureGoal};

use crate::{Standard, seconds};

impl Standard {
    /// What an attempt may have left, in the order in which it can go away.
    pub(crate) fn cleanup(&self) -> Vec<Step> {
        let mut steps = vec![Step::new(Action::EndLeftovers(ms(self.leftovers_grace_seconds)))];
        if self.remove_shared_memory {
            steps.push(Step::new(Action::RemoveSharedMemory));
        }
        steps.push(Step::new(Action::ReleaseCachedMemory));
        steps.push(Step::or_quarantine(Action::AwaitMemory(MemoryGoal {
            tolerance: u64::from(self.memory_tolerance_mib) << 20,
            timeout: ms(self.memory_timeout_seconds),
        })));
        if let Some(at_most) = self.cool_down_to_celsius {
            let timeout = ms(self.cool_down_timeout_seconds);
            steps.push(Step::new(Action::AwaitTemperature(TemperatureGoal { at_most, timeout })));
        }
        steps
    }
}

fn ms(setting: f64) -> u64 {
    u64::try_from(seconds(setting).as_millis()).unwrap_or(u64::MAX)
}
