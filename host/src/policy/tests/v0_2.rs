//! A next version of the contract, as it would stand beside `v0_1`: its bindings, and the way from and to the vocabulary.
//!
//! Only what the test asks: one role, and a part of what is known of an attempt.

use std::time::Duration;

use wasmtime::Store;
use wasmtime::component::{HasSelf, Instance, InstancePre, Linker};

use self::bindings::exports::reprieve::policy::{guest, retry_policy};
use self::bindings::reprieve::policy::types;
use crate::attempt::{Attempt, DeviceMemoryUse};
use crate::cleanup::{PlanQuestion, Step};
use crate::decision::{Decision, Placement, Question, Retry, Turn};
use crate::policy::load::Roles;
use crate::policy::sandbox::Sandbox;
use crate::policy::versions::{Exports, Info, Version};

mod bindings {
    //! Generated.

    wasmtime::component::bindgen!({
        path: "../tests/contract/0.2.0-trial.wit",
        world: "retry-only",
    });
}

pub(in crate::policy) static VERSION: Version = Version {
    minor: "0.2.",
    wit: &[("0.2.0-trial.wit", include_str!("../../../../tests/contract/0.2.0-trial.wit"))],
    link,
    exports,
};

struct Found {
    guest: guest::GuestIndices,
    retry: retry_policy::GuestIndices,
}

impl types::Host for Sandbox {}

fn link(linker: &mut Linker<Sandbox>) -> wasmtime::Result<()> {
    bindings::RetryOnly::add_to_linker::<_, HasSelf<Sandbox>>(linker, |sandbox| sandbox)
}

fn exports(pre: &InstancePre<Sandbox>, _: Roles) -> wasmtime::Result<Box<dyn Exports>> {
    let guest = guest::GuestIndices::new(pre)?;
    Ok(Box::new(Found { guest, retry: retry_policy::GuestIndices::new(pre)? }))
}

/// What an attempt used of a device.
pub(super) fn peak(peak_bytes: u64) -> DeviceMemoryUse {
    DeviceMemoryUse { device: 0, baseline_bytes: 0, peak_bytes, residual_bytes: 0 }
}

fn attempt(attempt: &Attempt) -> types::Attempt {
    types::Attempt {
        number: attempt.number,
        evidence: attempt.failure.as_ref().map(|failure| failure.evidence.clone()),
        peak: attempt.memory.iter().map(|memory| memory.peak_bytes).max().unwrap_or_default(),
    }
}

impl Exports for Found {
    fn check(
        &self,
        store: &mut Store<Sandbox>,
        instance: &Instance,
    ) -> Result<(), (&'static str, wasmtime::Error)> {
        self.retry.load(&mut *store, instance).map_err(|error| ("retry-policy", error))?;
        self.guest.load(&mut *store, instance).map_err(|error| ("guest", error))?;
        Ok(())
    }

    fn describe(&self, store: &mut Store<Sandbox>, instance: &Instance) -> wasmtime::Result<Info> {
        let guest::Info { name, version, summary, settings_schema } =
            self.guest.load(&mut *store, instance)?.call_describe(store)?;
        Ok(Info { name, version, summary, settings_schema })
    }

    fn configure(
        &self,
        store: &mut Store<Sandbox>,
        instance: &Instance,
        settings: &str,
    ) -> wasmtime::Result<Result<(), String>> {
        self.guest.load(&mut *store, instance)?.call_configure(store, settings)
    }

    fn decide(
        &self,
        store: &mut Store<Sandbox>,
        instance: &Instance,
        question: &Question,
        _: u64,
    ) -> wasmtime::Result<Result<Decision, String>> {
        let attempts: Vec<_> = question.attempts.iter().map(attempt).collect();
        let answer = self.retry.load(&mut *store, instance)?.call_decide(store, &attempts)?;
        Ok(Ok(match answer {
            retry_policy::Decision::Accept => Decision::Accept,
            retry_policy::Decision::GiveUp(reason) => Decision::GiveUp(reason),
            retry_policy::Decision::RetryElsewhere(delay) => Decision::Retry(Retry {
                delay: Duration::from_millis(delay),
                placement: Placement::OtherDevices,
                turn: Turn::WhenDue,
                overrides: Vec::new(),
                reason: "elsewhere".to_owned(),
            }),
        }))
    }

    fn plan(&self, _: &mut Store<Sandbox>, _: &Instance, _: &PlanQuestion) -> wasmtime::Result<Vec<Step>> {
        unreachable!("it has no policies with this role")
    }
}
