//! What this version's policies import, answered from the sandbox.

use super::bindings::reprieve::policy::{gpu_cleanup, nvml_status, types};
use super::convert;
use crate::policy::sandbox::Sandbox;

impl types::Host for Sandbox {}

impl nvml_status::Host for Sandbox {
    fn device_count(&mut self) -> u32 {
        self.moment.devices
    }

    fn read(&mut self, device: u32) -> Result<nvml_status::Status, nvml_status::StatusError> {
        if device >= self.moment.devices {
            return Err(nvml_status::StatusError::NoSuchDevice);
        }
        self.outside(|devices| devices.read(device))
            .map(|(reading, baseline_bytes)| convert::status(reading, baseline_bytes))
            .map_err(convert::status_error)
    }
}

impl gpu_cleanup::Host for Sandbox {
    fn perform(&mut self, action: gpu_cleanup::Action) -> Result<gpu_cleanup::Report, String> {
        let most = self.limits.plan_steps;
        if self.performed >= most {
            return Err(format!("the plan's bound of {most} steps is reached"));
        }
        self.performed += 1;
        self.outside(|devices| devices.perform(convert::action(action))).map(convert::report)
    }
}
