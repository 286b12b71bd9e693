//! Policies as a study names them.
//!
//! What is wrong with the component itself is `load`'s to say.

use thiserror::Error;

use super::{
    Engine, EngineError, LimitError, LimitOverrides, Limits, LoadError, Policy, PolicySource, Problem,
};
use crate::study::{PolicyComponent, PolicySpec};

/// Why a study's policy cannot be used.
#[derive(Debug, Error)]
pub enum SpecError {
    /// It does not load, or refuses its settings.
    #[error("{0}")]
    Load(#[from] LoadError),
    /// The sandbox cannot be set up.
    #[error("{0}")]
    Engine(#[from] EngineError),
    /// The study asks for more than a bound's hard cap.
    #[error("{0}")]
    Limits(#[from] LimitError),
}

impl Policy {
    /// Loads the policy that a study names, with its settings and bounds. Its
    /// stack is the engine's.
    ///
    /// # Errors
    ///
    /// Why it cannot be used.
    pub fn named(engine: &Engine, spec: &PolicySpec) -> Result<Self, SpecError> {
        let source = match &spec.component {
            PolicyComponent::Standard => PolicySource::Standard,
            PolicyComponent::File(path) => PolicySource::File(path.clone()),
            PolicyComponent::Pinned { file, pin } => {
                PolicySource::Pinned { file: file.clone(), pin: pin.clone() }
            }
            PolicyComponent::Registry(reference) => {
                let policy = reference.to_string();
                return Err(LoadError { policy, problem: Problem::NotPulled }.into());
            }
        };
        let asked = &spec.limits;
        let limits = Limits::checked(LimitOverrides {
            fuel: asked.fuel,
            deadline: asked.deadline,
            memory_bytes: asked.memory_bytes,
            table_elements: asked.table_elements,
            instances: asked.instances,
            hostcall_bytes: asked.hostcall_bytes,
            answer_bytes: asked.answer_bytes,
            plan_steps: asked.plan_steps,
            log_bytes: asked.log_bytes,
        })?;
        Ok(Self::load(engine, &source, &spec.settings.clone().into(), limits)?)
    }
}
