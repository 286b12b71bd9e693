//! The versions of the contract that this host speaks, behind one trait.
//!
//! Each has a folder with its bindings, made of its own WIT, and the way from
//! and to the vocabulary, which is what the newest version can say. A version
//! that is no longer the newest keeps its folder: what it lacks is left out on
//! the way to its policies, and what they answer is said in the vocabulary.

use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre, Linker};

use super::contract::patch_of;
use super::load::Roles;
use super::sandbox::Sandbox;
use super::v0_1;
use crate::cleanup::{PlanQuestion, Step};
use crate::decision::{Decision, Question};

/// All of them, the newest first.
pub(super) static VERSIONS: &[&Version] = &[
    &v0_1::VERSION,
    // Kept as an exercise, so that there is a way for the next one.
    #[cfg(test)]
    &super::tests::v0_2::VERSION,
];

/// A minor version: below 1.0 its patches only add functions and interfaces.
pub(super) struct Version {
    /// The beginning that its patches share, such as `0.1.`.
    pub(super) minor: &'static str,
    /// Its text, a file an interface.
    pub(super) wit: &'static [(&'static str, &'static str)],
    /// Gives its policies what they import.
    pub(super) link: fn(&mut Linker<Sandbox>) -> wasmtime::Result<()>,
    /// Finds the exports of one of its policies, which has these roles.
    pub(super) exports: Find,
}

type Find = fn(&InstancePre<Sandbox>, Roles) -> wasmtime::Result<Box<dyn Exports>>;

/// Who a policy says that it is.
pub(super) struct Info {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) summary: String,
    pub(super) settings_schema: Option<String>,
}

/// What a policy can be asked, in the vocabulary.
pub(super) trait Exports: Send + Sync {
    /// Checks the types of all exports; an error has the interface beside it.
    fn check(
        &self,
        store: &mut Store<Sandbox>,
        instance: &Instance,
    ) -> Result<(), (&'static str, wasmtime::Error)>;

    /// Who the policy is.
    fn describe(&self, store: &mut Store<Sandbox>, instance: &Instance) -> wasmtime::Result<Info>;

    /// Shows the policy its settings, which it may refuse.
    fn configure(
        &self,
        store: &mut Store<Sandbox>,
        instance: &Instance,
        settings: &str,
    ) -> wasmtime::Result<Result<(), String>>;

    /// What follows an attempt, or what is wrong with the answer, which may
    /// hold so many bytes of text. Asked only of a policy with this role.
    fn decide(
        &self,
        store: &mut Store<Sandbox>,
        instance: &Instance,
        question: &Question,
        answer_bytes: u64,
    ) -> wasmtime::Result<Result<Decision, String>>;

    /// Which cleanup is to be done. Asked only of a policy with this role.
    fn plan(
        &self,
        store: &mut Store<Sandbox>,
        instance: &Instance,
        question: &PlanQuestion,
    ) -> wasmtime::Result<Vec<Step>>;
}

/// The version of which this is a patch.
pub(super) fn of(version: &str) -> Option<&'static Version> {
    VERSIONS.iter().copied().find(|known| patch_of(version, known.minor))
}
