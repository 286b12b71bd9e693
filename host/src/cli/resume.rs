//! `reprieve resume`: a study, from where it stopped.

use std::path::PathBuf;

use crate::reporter::Stream;
use crate::runner::{Resume, Runner};
use crate::supervisor::OWN_PROGRAM;

use super::Failed;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The study's directory.
    dir: PathBuf,
    /// Run the failed experiments again too.
    #[arg(long)]
    failed: bool,
    /// Wait for devices that another study has, rather than fail at once.
    #[arg(long)]
    wait: bool,
    /// Go on by the study as it was started, although its file has changed since.
    #[arg(long)]
    as_started: bool,
}

pub(super) fn run(args: &Args, json: bool) -> Result<u8, Failed> {
    let reporter = super::reporter(&args.dir, json, Stream::Stdout);
    let cache = super::cache_dir();
    super::pins::restore(&args.dir)?;
    let how = Resume { failed: args.failed, wait: args.wait, as_started: args.as_started };
    super::carry_on(|| Ok(Runner::resume(&args.dir, how, cache.as_deref(), OWN_PROGRAM.into(), reporter)?))
}
