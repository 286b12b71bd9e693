//! `reprieve policy`: a policy before a study depends on it.

mod componentize;
mod inspect;
mod new;
mod pull;
mod push;
mod replay;
mod test;
mod update;

use std::path::Path;

use clap::builder::{PathBufValueParser, TypedValueParser, ValueParser};
use serde_json::{Map, Value};

use crate::policy::{self, Engine, Policy, Problem, SpecError};
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
    /// Settings for it, a JSON object. [default: {}; of `replay`, those of the study]
    #[arg(long, value_name = "JSON")]
    settings: Option<String>,
}

/// The policy that is meant, found, and yet to be told its settings.
struct Found {
    engine: Engine,
    component: PolicyComponent,
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
        let settings = self.settings()?.unwrap_or_default();
        self.find()?.with(settings).map_err(failed)
    }

    /// What the command line says.
    fn settings(&self) -> Result<Option<Map<String, Value>>, Failed> {
        self.settings.as_deref().map(super::settings).transpose()
    }

    fn find(&self) -> Result<Found, Failed> {
        let cache = super::cache_dir();
        let pins = match self.policy.reference() {
            Some(reference) => vec![super::pins::obtain(reference, None)?.pin],
            None => Vec::new(),
        };
        let component = self.policy.pinned(&pins, cache.as_deref());
        let engine = Engine::new(cache).map_err(|error| failed(error.into()))?;
        Ok(Found { engine, component })
    }
}

impl Found {
    fn with(&self, settings: Map<String, Value>) -> Result<Policy, SpecError> {
        let component = self.component.clone();
        Policy::named(&self.engine, &PolicySpec { component, settings, ..PolicySpec::default() })
    }
}

fn failed(error: SpecError) -> Failed {
    Failed::Open(OpenError::Policy(error))
}

/// Where a component goes: standard output is for what is told of it.
fn file() -> ValueParser {
    ValueParser::new(PathBufValueParser::new().try_map(|path| {
        if path == Path::new("-") {
            Err("a component goes to a file; `./-` is one of that name")
        } else {
            Ok(path)
        }
    }))
}

/// All of a file that is to be a component, or to become one.
fn read(path: &Path) -> Result<Vec<u8>, Failed> {
    policy::read_file(path).map_err(|problem| {
        let path = path.display();
        Failed::Usage(match problem {
            // Only a file will do here: what else names a policy is not the way out.
            Problem::Missing => format!("`{path}` does not exist\nhint: look at the path"),
            problem => format!("`{path}` {problem}"),
        })
    })
}

fn write(path: &Path, component: &[u8]) -> Result<(), Failed> {
    std::fs::write(path, component).map_err(|error| {
        let path = path.display();
        Failed::Usage(format!("`{path}` cannot be written: {error}\nhint: name another file with `-o`"))
    })
}
