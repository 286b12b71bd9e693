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

mod bindings;
mod cache;
mod call;
mod contract;
mod convert;
mod engine;
mod limits;
mod load;
mod retry;
mod sandbox;
mod text;
mod wasi;

use std::sync::Arc;

pub use call::Answer;
pub use contract::CONTRACT;
pub use engine::{Engine, EngineError};
pub use limits::{LimitError, LimitOverrides, Limits};
pub use load::{FILE_BYTES, LoadError, PolicyInfo, PolicySource, Problem, Roles};
pub use retry::{Failing, LONGEST_DELAY, MOST_ATTEMPTS, retry};

use crate::decision::{Decision, PolicyFault, PolicyFaultKind, Question};
use call::Call;
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
    pub fn decide(&self, question: &Question) -> Answer {
        let Inner { engine, limits, loaded } = &*self.0;
        let mut call = Call::new(engine, *limits, Moment::of(question));
        let result = self.decision(&mut call, question);
        call.end(&loaded.info.name, result)
    }

    fn decision(&self, call: &mut Call<'_>, question: &Question) -> Result<Decision, PolicyFault> {
        let Inner { limits, loaded, .. } = &*self.0;
        let Some(retry) = &loaded.retry else {
            let message = "it plans cleanup only, and decides on no retry".to_owned();
            return Err(call.refusal(PolicyFaultKind::Answer, message));
        };
        let answer = (|| {
            let instance = call.instantiate(&loaded.pre)?;
            let guest = loaded.guest.load(&mut call.store, &instance)?;
            if let Err(reason) = guest.call_configure(&mut call.store, &loaded.settings)? {
                return Ok(Err(reason));
            }
            let retry = retry.load(&mut call.store, &instance)?;
            let lists = convert::Lists::of(question);
            let progress = convert::progress(&question.progress);
            let attempts = lists.attempts(question);
            retry.call_decide(&mut call.store, lists.experiment(question), &attempts, progress).map(Ok)
        })();
        match answer {
            Ok(Ok(answer)) => convert::decision(answer, question, limits.answer_bytes)
                .map_err(|message| call.refusal(PolicyFaultKind::Answer, message)),
            Ok(Err(reason)) => {
                let message = format!("it refuses settings that it had accepted: {}", convert::line(&reason));
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
