//! `reprieve resume`: a study, from where it stopped.

use std::path::PathBuf;

use crate::runner::Runner;

use super::Failed;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The study's directory.
    dir: PathBuf,
}

pub(super) fn run(args: &Args, json: bool) -> Result<u8, Failed> {
    let engine = super::engine()?;
    let reporter = super::reporter(&args.dir, json);
    super::carry_on(|| Ok(Runner::resume(&args.dir, &engine, super::program(), reporter)?))
}
