//! `reprieve policy push`: a policy, into a registry.

use std::path::PathBuf;

use crate::exit_code;
use crate::policy::{self, Engine, Limits, LoadError, Policy, PolicySource, Problem, SpecError};
use crate::registry;
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
    let named = args.file.to_string_lossy();
    if named == "standard" && !args.file.exists() {
        return Err(Failed::Usage(
            "`standard` is built in, so there is nothing to push\nhint: name the file of a component"
                .to_owned(),
        ));
    }
    if named.contains("://") {
        let named = Reference::without_credentials(&named);
        return Err(Failed::Usage(format!(
            "`{named}` is no file\nhint: `reprieve policy pull REFERENCE -o FILE` makes one of what a registry has"
        )));
    }
    if args.reference.tag().is_none() || args.reference.digest().is_some() {
        return Err(Failed::Usage(format!(
            "`{}` has a digest, and what it is pushed to has a tag only\nhint: `oci://HOST/NAME:TAG`",
            args.reference
        )));
    }
    let read = super::read(&args.file)?;
    let component = checked(args, &read).map_err(super::failed)?;
    let pin = registry::push(&args.reference, &component)?;
    tell(&pin, component.len() as u64, None, json)?;
    Ok(exit_code::SUCCESS)
}

/// The component as binary. One that only wants other settings is a policy all the same.
fn checked(args: &Args, read: &[u8]) -> Result<Vec<u8>, SpecError> {
    let name = args.file.display().to_string();
    let wrong = |problem| LoadError { policy: name.clone(), problem };
    let component = policy::binary(read).map_err(wrong)?.into_owned();
    let engine = Engine::new(super::super::cache_dir())?;
    let source = PolicySource::Bytes { name: name.clone(), bytes: component.clone() };
    match Policy::load(&engine, &source, &serde_json::json!({}), Limits::DEFAULT) {
        Ok(_) | Err(LoadError { problem: Problem::Settings(_), .. }) => Ok(component),
        Err(error) => Err(error.into()),
    }
}
