//! `reprieve supervise`: one attempt, as the host assigned it.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::exit_code;
use crate::supervisor;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The attempt's directory.
    dir: PathBuf,
}

pub(super) fn run(args: &Args) -> ExitCode {
    match supervisor::supervise(&args.dir) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Into the attempt's `supervisor.log`.
            anstream::eprintln!("error: {error}");
            ExitCode::from(exit_code::INTERNAL)
        }
    }
}
