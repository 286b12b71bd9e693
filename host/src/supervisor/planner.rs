//! Who plans the cleanup: the study's policy, and the standard one where that fails to.
//!
//! Carries out no step: see `cleaner`.

use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use crate::cleanup::{PlanQuestion, Step};
use crate::decision::{PolicyFault, PolicyFaultKind};
use crate::policy::{Answer, Devices, Engine, Limits, Policy, SpecError};
use crate::study::PolicySpec;

/// The policy that plans, being loaded while the supervisor does other things.
pub(super) struct Planner {
    cache: Option<PathBuf>,
    loading: Option<JoinHandle<Result<Policy, SpecError>>>,
    loaded: Option<Result<Policy, String>>,
}

/// A plan, and from whom it came.
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    pub(super) by: String,
    pub(super) fault: Option<PolicyFault>,
}

impl Planner {
    pub(super) fn new(spec: PolicySpec, cache: Option<PathBuf>) -> Self {
        let its_cache = cache.clone();
        let loading = thread::spawn(move || load(&spec, its_cache));
        Self { cache, loading: Some(loading), loaded: None }
    }

    /// Plans. Whatever the policy does, there is a plan: the standard one with
    /// default settings stands in.
    pub(super) fn plan(&mut self, question: &PlanQuestion, devices: impl Fn() -> Box<dyn Devices>) -> Plan {
        let loading = &mut self.loading;
        let policy = self.loaded.get_or_insert_with(|| {
            let loading = loading.take().expect("it is taken once").join();
            loading.map_err(|_| "its load panicked".to_owned())?.map_err(|error| error.to_string())
        });
        let fault = match policy {
            Ok(policy) => {
                let Answer { result, .. } = policy.plan(question, devices());
                match result {
                    Ok(steps) => return Plan { steps, by: policy.info().name.clone(), fault: None },
                    Err(fault) => fault,
                }
            }
            Err(message) => PolicyFault {
                kind: PolicyFaultKind::Load,
                message: message.clone(),
                backtrace: Vec::new(),
                output_tail: String::new(),
            },
        };
        let standard = load(&PolicySpec::default(), self.cache.clone())
            .map_err(|error| error.to_string())
            .and_then(|standard| standard.plan(question, devices()).result.map_err(|fault| fault.message));
        let steps = standard.unwrap_or_else(|error| {
            tracing::error!("the standard policy does not plan either: {error}");
            Vec::new()
        });
        Plan { steps, by: "standard".to_owned(), fault: Some(fault) }
    }
}

fn load(spec: &PolicySpec, cache: Option<PathBuf>) -> Result<Policy, SpecError> {
    let engine = Engine::with_stack(cache, spec.limits.stack_bytes.unwrap_or(Limits::STACK_BYTES))?;
    Policy::named(&engine, spec)
}
