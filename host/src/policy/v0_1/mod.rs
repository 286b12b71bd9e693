//! Version 0.1 of the contract.

mod bindings;
mod convert;
mod imports;

use wasmtime::Store;
use wasmtime::component::{HasSelf, Instance, InstancePre, Linker};

use super::load::Roles;
use super::sandbox::Sandbox;
use super::versions::{Exports, Info, Version};
use crate::cleanup::{PlanQuestion, Step};
use crate::decision::{Decision, Question};
use bindings::exports::reprieve::policy::{cleanup_policy, guest, retry_policy};

pub(super) static VERSION: Version = Version {
    minor: "0.1.",
    wit: &[
        ("types.wit", include_str!("../../../../wit/types.wit")),
        ("nvml-status.wit", include_str!("../../../../wit/nvml-status.wit")),
        ("gpu-cleanup.wit", include_str!("../../../../wit/gpu-cleanup.wit")),
        ("retry-policy.wit", include_str!("../../../../wit/retry-policy.wit")),
        ("cleanup-policy.wit", include_str!("../../../../wit/cleanup-policy.wit")),
        ("world.wit", include_str!("../../../../wit/world.wit")),
    ],
    link,
    exports,
};

/// The exports of a policy.
struct Found {
    guest: guest::GuestIndices,
    retry: Option<retry_policy::GuestIndices>,
    cleanup: Option<cleanup_policy::GuestIndices>,
}

fn link(linker: &mut Linker<Sandbox>) -> wasmtime::Result<()> {
    bindings::Policy::add_to_linker::<_, HasSelf<Sandbox>>(linker, |sandbox| sandbox)
}

fn exports(pre: &InstancePre<Sandbox>, roles: Roles) -> wasmtime::Result<Box<dyn Exports>> {
    Ok(Box::new(Found {
        guest: guest::GuestIndices::new(pre)?,
        retry: roles.retry.then(|| retry_policy::GuestIndices::new(pre)).transpose()?,
        cleanup: roles.cleanup.then(|| cleanup_policy::GuestIndices::new(pre)).transpose()?,
    }))
}

impl Exports for Found {
    fn check(
        &self,
        store: &mut Store<Sandbox>,
        instance: &Instance,
    ) -> Result<(), (&'static str, wasmtime::Error)> {
        if let Some(retry) = &self.retry {
            retry.load(&mut *store, instance).map_err(|error| ("retry-policy", error))?;
        }
        if let Some(cleanup) = &self.cleanup {
            cleanup.load(&mut *store, instance).map_err(|error| ("cleanup-policy", error))?;
        }
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
        answer_bytes: u64,
    ) -> wasmtime::Result<Result<Decision, String>> {
        let retry = self.retry.as_ref().expect("it has this role").load(&mut *store, instance)?;
        let lists = convert::Lists::of(&question.experiment, &question.attempts);
        let progress = convert::progress(&question.progress);
        let answer = retry.call_decide(store, lists.experiment(), &lists.attempts(), progress)?;
        Ok(convert::decision(answer, question, answer_bytes))
    }

    fn plan(
        &self,
        store: &mut Store<Sandbox>,
        instance: &Instance,
        question: &PlanQuestion,
    ) -> wasmtime::Result<Vec<Step>> {
        let cleanup = self.cleanup.as_ref().expect("it has this role").load(&mut *store, instance)?;
        let lists = convert::Lists::of(&question.experiment, question.occasion.attempts());
        let answer = cleanup.call_plan(store, lists.experiment(), lists.occasion())?;
        Ok(answer.into_iter().map(convert::step).collect())
    }
}
