//! `reprieve probe`: one device, proven usable, in a process that may die of it.

use std::process::ExitCode;

use crate::clock::monotonic;
use crate::exit_code;
use crate::gpu::cuda::{ProbeError, Probed, probe};

#[derive(clap::Args)]
pub(super) struct Args {
    /// What to allocate beside a context, in bytes.
    bytes: u64,
}

/// Prints one line of JSON, and exits with what it came to, or as CUDA has it exit.
pub(super) fn run(args: &Args) -> ExitCode {
    let began = monotonic();
    let result = probe(args.bytes);
    let probed = Probed {
        ok: result.is_ok(),
        message: result.as_ref().err().map(ToString::to_string).unwrap_or_default(),
        allocated_bytes: if result.is_ok() { args.bytes } else { 0 },
        took: began.elapsed(),
    };
    anstream::println!("{}", serde_json::to_string(&probed).expect("it is JSON"));
    ExitCode::from(match result {
        Ok(()) => exit_code::SUCCESS,
        Err(ProbeError::NoCuda) => exit_code::NO_CUDA,
        Err(_) => exit_code::PROBE_FAILED,
    })
}
