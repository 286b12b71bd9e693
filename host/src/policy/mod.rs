//! Room: policies, which are WebAssembly components that wasmtime runs.
//!
//! Loads, checks, bounds and calls them. The contract's types (`wit/`) end
//! here: what goes in and out is the vocabulary of [`decision`](crate::decision).
//! Does not carry out what a policy decides, and keeps nothing between calls:
//! each has an instance of its own.
//!
//! ```
//! use reprieve::policy::{Engine, Limits, Policy, PolicySource};
//!
//! let engine = Engine::new(None)?;
//! let policy =
//!     Policy::load(&engine, &PolicySource::Standard, &serde_json::json!({}), Limits::DEFAULT)?;
//! assert_eq!(policy.info().name, "standard");
//! assert!(policy.info().roles.retry);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cache;
mod call;
mod complexity;
mod componentize;
mod contract;
mod devices;
mod engine;
mod limits;
mod load;
mod mismatch;
mod problem;
mod retry;
mod sandbox;
mod schema;
mod spec;
#[cfg(test)]
mod tests;
mod thrown;
mod unreachable;
mod v0_1;
mod versions;
mod wasi;

use std::sync::Arc;

use wasmtime::component::Instance;

pub use call::Answer;
pub use componentize::{NoComponent, componentize};
pub use contract::CONTRACT;
pub use devices::Devices;
pub use engine::{Engine, EngineError};
pub use limits::{LimitError, LimitOverrides, Limits};
pub use load::{FILE_BYTES, PolicyInfo, PolicySource, Roles, binary, read_file};
pub use problem::{LoadError, Problem};
pub use retry::{Failing, LONGEST_DELAY, MOST_ATTEMPTS, retry};
pub use spec::SpecError;

use crate::cleanup::{PlanQuestion, Step};
use crate::decision::{Decision, PolicyFault, PolicyFaultKind, Question};
use crate::text::line;
use call::Call;
use devices::Recorded;
use sandbox::Moment;

/// A policy that has been loaded and has accepted its settings. Cheap to clone.
#[derive(Clone)]
pub struct Policy(Arc<Inner>);

struct Inner {
    engine: Engine,
    limits: Limits,
    loaded: load::Loaded,
}

impl Policy {
    /// Loads a policy: compiles it or finds it in the engine's cache, checks
    /// what it imports and exports, asks who it is, and shows it its settings.
    ///
    /// # Errors
    /// [`LoadError`] with what is wrong and what helps.
    pub fn load(
        engine: &Engine,
        source: &PolicySource,
        settings: &serde_json::Value,
        limits: Limits,
    ) -> Result<Self, LoadError> {
        let loaded = load::load(engine, source, settings, limits)?;
        Ok(Self(Arc::new(Inner { engine: engine.clone(), limits, loaded })))
    }

    /// Who the policy is.
    pub fn info(&self) -> &PolicyInfo {
        &self.0.loaded.info
    }

    /// Asks the policy what follows an attempt. The same question gets the
    /// same answer for the same fuel, on any machine and at any time.
    ///
    /// Blocks until it has answered or gone over a limit. Never panics, and
    /// whatever the policy does, the next call finds it as new.
    pub fn decide(&self, question: &Question) -> Answer<Decision> {
        let Inner { engine, limits, loaded } = &*self.0;
        let recorded = Box::new(Recorded(question.devices.clone()));
        let moment = Moment::of(&question.experiment, question.asked_at);
        let mut call = Call::new(engine, *limits, moment, recorded);
        let result = self.decision(&mut call, question);
        call.end(&loaded.info.name, result)
    }

    /// Asks the policy which cleanup is to be done, in order. What it reads of
    /// the devices, and what it has done to them while it plans, goes through
    /// `devices`; the time that takes is not counted as the policy's.
    ///
    /// Blocks, never panics, and leaves nothing behind, as [`Self::decide`].
    pub fn plan(&self, question: &PlanQuestion, devices: Box<dyn Devices>) -> Answer<Vec<Step>> {
        let Inner { engine, limits, loaded } = &*self.0;
        let moment = Moment::of(&question.experiment, question.asked_at);
        let mut call = Call::new(engine, *limits, moment, devices);
        let result = self.steps(&mut call, question);
        call.end(&loaded.info.name, result)
    }

    fn decision(&self, call: &mut Call<'_>, question: &Question) -> Result<Decision, PolicyFault> {
        let Inner { limits, loaded, .. } = &*self.0;
        if !loaded.info.roles.retry {
            let message = "it plans cleanup only, and decides on no retry".to_owned();
            return Err(call.refusal(PolicyFaultKind::Answer, message));
        }
        let answer = self.ask(call, |call, instance| {
            loaded.exports.decide(&mut call.store, instance, question, limits.answer_bytes)
        })?;
        answer.map_err(|message| call.refusal(PolicyFaultKind::Answer, message))
    }

    fn steps(&self, call: &mut Call<'_>, question: &PlanQuestion) -> Result<Vec<Step>, PolicyFault> {
        let Inner { limits, loaded, .. } = &*self.0;
        if !loaded.info.roles.cleanup {
            let message = "it decides on retries only, and plans no cleanup".to_owned();
            return Err(call.refusal(PolicyFaultKind::Answer, message));
        }
        let steps =
            self.ask(call, |call, instance| loaded.exports.plan(&mut call.store, instance, question))?;
        let most = limits.plan_steps.saturating_sub(call.store.data().performed);
        if steps.len() as u64 > most {
            let message = format!("its plan has `{}` steps, the bound is `{most}`", steps.len());
            return Err(call.refusal(PolicyFaultKind::Answer, message));
        }
        Ok(steps)
    }

    /// A fresh instance, shown its settings, then asked.
    fn ask<'a, T>(
        &self,
        call: &mut Call<'a>,
        ask: impl FnOnce(&mut Call<'a>, &Instance) -> wasmtime::Result<T>,
    ) -> Result<T, PolicyFault> {
        let loaded = &self.0.loaded;
        let answer = (|| {
            let instance = call.instantiate(&loaded.pre)?;
            match loaded.exports.configure(&mut call.store, &instance, &loaded.settings)? {
                Ok(()) => ask(call, &instance).map(Ok),
                Err(reason) => Ok(Err(reason)),
            }
        })();
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(reason)) => {
                let message = format!("it refuses settings that it had accepted: {}", line(&reason));
                Err(call.refusal(PolicyFaultKind::Refused, message))
            }
            Err(error) => Err(call.fault(&error)),
        }
    }
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Policy").field(self.info()).finish()
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}
