//! `reprieve resume`: a study, from where it stopped.

use std::path::PathBuf;

use crate::reporter::Stream;
use crate::runner::Runner;
use crate::supervisor::OWN_PROGRAM;

use super::Failed;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The study's directory.
    dir: PathBuf,
    /// Run the failed experiments again too.
    #[arg(long)]
    failed: bool,
}

pub(super) fn run(args: &Args, json: bool) -> Result<u8, Failed> {
    let reporter = super::reporter(&args.dir, json, Stream::Stdout);
    let cache = super::cache_dir();
    super::carry_on(|| {
        Ok(Runner::resume(&args.dir, args.failed, cache.as_deref(), OWN_PROGRAM.into(), reporter)?)
    })
}
