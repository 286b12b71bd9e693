//! `reprieve policy push`: a policy, into a registry.

use std::path::PathBuf;

use crate::exit_code;
use crate::policy::{self, Engine, Limits, LoadError, Policy, PolicySource, Problem, SpecError};
use crate::registry;
use crate::runner::OpenError;
use crate::study::Reference;

use super::super::Failed;
use super::pull::tell;

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// The component, binary or as text.
    file: PathBuf,
    /// Where it goes, as `oci://HOST/NAME:TAG`.
    reference: Reference,
}

pub(super) fn run(args: &Args, json: bool) -> Result<u8, Failed> {
    if args.reference.tag().is_none() || args.reference.digest().is_some() {
        return Err(Failed::Usage(format!(
            "`{}` has a digest, and what it is pushed to has a tag only\nhint: `oci://HOST/NAME:TAG`",
            args.reference
        )));
    }
    let component = checked(args).map_err(|error| Failed::Open(OpenError::Policy(error)))?;
    let pin = registry::push(&args.reference, &component)?;
    tell(&pin, component.len() as u64, None, json)?;
    Ok(exit_code::SUCCESS)
}

/// The component as binary. One that only wants other settings is a policy all the same.
fn checked(args: &Args) -> Result<Vec<u8>, SpecError> {
    let name = args.file.display().to_string();
    let wrong = |problem| LoadError { policy: name.clone(), problem };
    let read = policy::read_file(&args.file).map_err(wrong)?;
    if read.is_empty() {
        return Err(wrong(Problem::Empty).into());
    }
    let component = policy::binary(&read).map_err(wrong)?.into_owned();
    let engine = Engine::new(super::super::cache_dir())?;
    let source = PolicySource::Bytes { name: name.clone(), bytes: component.clone() };
    match Policy::load(&engine, &source, &serde_json::json!({}), Limits::DEFAULT) {
        Ok(_) | Err(LoadError { problem: Problem::Settings(_), .. }) => Ok(component),
        Err(error) => Err(error.into()),
    }
}
