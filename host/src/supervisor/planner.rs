//! Who plans the cleanup: the study's policy, and the standard one where that fails to.
//!
//! Carries out no step: see `cleaner`.

use std::path::PathBuf;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::cleanup::{CleanupAction, Consequence, Occasion, PlanQuestion, Step};
use crate::decision::{PolicyFault, PolicyFaultKind};
use crate::policy::{Answer, Devices, Engine, Limits, Policy, SpecError};
use crate::study::PolicySpec;

/// As the standard policy has it.
const LEFTOVERS_GRACE: Duration = Duration::from_secs(10);

/// The policy that plans, being loaded while the supervisor does other things.
pub(super) struct Planner {
    /// Whether there is a policy to be asked.
    asks: bool,
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
    pub(super) fn new(spec: Option<PolicySpec>, cache: Option<PathBuf>) -> Self {
        let its_cache = cache.clone();
        let asks = spec.is_some();
        let loading = spec.map(|spec| thread::spawn(move || load(&spec, its_cache)));
        Self { asks, cache, loading, loaded: None }
    }

    /// Plans. Whatever the policy does, there is a plan: the standard one with
    /// default settings stands in.
    pub(super) fn plan(&mut self, question: &PlanQuestion, devices: impl Fn() -> Box<dyn Devices>) -> Plan {
        if !self.asks {
            return Plan { steps: without_devices(&question.occasion), by: "host".to_owned(), fault: None };
        }
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

/// What of the standard plan is left to do where there is no device. To load a
/// policy for it would take as long as all else that a supervisor does (a third
/// of a no-op attempt, see the benches).
fn without_devices(occasion: &Occasion) -> Vec<Step> {
    let actions = match occasion {
        Occasion::BeforeAttempt => Vec::new(),
        // The stage's own grace is the bound.
        Occasion::AfterAttempt(_) => {
            vec![CleanupAction::EndLeftovers(LEFTOVERS_GRACE), CleanupAction::RemoveSharedMemory]
        }
    };
    actions.into_iter().map(|action| Step { action, if_it_fails: Consequence::CarryOn }).collect()
}

fn load(spec: &PolicySpec, cache: Option<PathBuf>) -> Result<Policy, SpecError> {
    let engine = Engine::with_stack(cache, spec.limits.stack_bytes.unwrap_or(Limits::STACK_BYTES))?;
    Policy::named(&engine, spec)
}
