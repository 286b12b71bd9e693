//! `reprieve policy`: a policy before a study depends on it.

mod componentize;
mod inspect;
mod new;
mod pull;
mod push;
mod replay;
mod test;
mod update;

use crate::policy::{Engine, Policy, SpecError};
use crate::runner::OpenError;
use crate::study::{PolicyComponent, PolicySpec};

use super::Failed;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Write a project for a policy of your own, which builds and tests itself.
    New(new::Args),
    /// Make a component of what a compiler for C, Go or Zig writes, a core module.
    Componentize(componentize::Args),
    /// Tell what a policy is, what it needs, and what a call of it costs.
    Inspect(Which),
    /// Run a policy through a catalogue of situations; exits with 1 where it breaks the contract.
    Test(test::Args),
    /// Ask a policy what it would have decided in studies that have been run.
    Replay(replay::Args),
    /// Put a policy into a registry, and tell by what a study can name it.
    Push(push::Args),
    /// Get a policy from a registry, and tell by what a study can pin it.
    Pull(pull::Args),
    /// Look at the tags in a lock anew, and lock what they stand for now.
    Update(update::Args),
}

/// The policy that is meant.
#[derive(clap::Args)]
pub(super) struct Which {
    /// The component, binary or as text; or `standard`; or a reference, `oci://…`.
    #[arg(value_parser = super::component)]
    policy: PolicyComponent,
    /// Settings for it, a JSON object.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    settings: String,
}

pub(super) fn run(command: &Command, json: bool) -> Result<u8, Failed> {
    match command {
        Command::New(args) => new::run(args, json),
        Command::Componentize(args) => componentize::run(args, json),
        Command::Inspect(which) => inspect::run(which, json),
        Command::Test(args) => test::run(args, json),
        Command::Replay(args) => replay::run(args, json),
        Command::Push(args) => push::run(args, json),
        Command::Pull(args) => pull::run(args, json),
        Command::Update(args) => update::run(args, json),
    }
}

impl Which {
    fn load(&self) -> Result<Policy, Failed> {
        let cache = super::cache_dir();
        let pins = match self.policy.reference() {
            Some(reference) => vec![super::pins::obtain(reference, None)?.pin],
            None => Vec::new(),
        };
        let component = self.policy.pinned(&pins, cache.as_deref());
        let spec =
            PolicySpec { component, settings: super::settings(&self.settings)?, ..PolicySpec::default() };
        let failed = |error: SpecError| Failed::Open(OpenError::Policy(error));
        let engine = Engine::new(cache).map_err(|error| failed(error.into()))?;
        Policy::named(&engine, &spec).map_err(failed)
    }
}
