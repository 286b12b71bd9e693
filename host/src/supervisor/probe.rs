//! Has each leased device probed by a process of its own, all side by side, so
//! that one that hangs costs the others nothing.
//!
//! What a probe does is `gpu`'s business.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::WaitStatus;

use crate::cleanup::StepOutcome;
use crate::exit_code;
use crate::gpu::cuda::{LIBRARY_VARIABLE, Probed, loader_path};
use crate::process::Spawn;
use crate::size::size;

use super::OWN_PROGRAM;
use super::leased::Leased;
use super::steps::{AT_ONCE, NO_GPU, Outcome};
use super::tree::{Tree, Wish};

/// More than a probe prints; a driver may print beside it.
const PRINTED_BYTES_MAX: u64 = 64 * 1024;

/// Variables of a probe's that are not the supervisor's.
const VISIBLE_DEVICES: &str = "CUDA_VISIBLE_DEVICES";
const LOADER_PATH: &str = "LD_LIBRARY_PATH";

/// Probes them all within this time.
pub(super) fn probe(tree: &mut Tree, leased: &Leased, allocate_bytes: u64, timeout: Duration) -> Outcome {
    let devices: Vec<u32> = leased.positions().collect();
    if devices.is_empty() {
        return (StepOutcome::Skipped(NO_GPU.to_owned()), Vec::new());
    }
    let library = std::env::var_os(LIBRARY_VARIABLE).filter(|library| !library.is_empty());
    if let Some(missing) = library.as_ref().filter(|library| !Path::new(library).is_file()) {
        // One that was named is meant to be there.
        let why = format!("`{}`, which `{LIBRARY_VARIABLE}` names, is no file", missing.display());
        return (StepOutcome::Failed(why), devices);
    }
    let results = match run(tree, leased, &devices, library, allocate_bytes, timeout) {
        Ok(results) => results,
        Err(error) => return (StepOutcome::Failed(format!("no probe could be run: {error}")), devices),
    };
    let (mut why, mut failed_on, mut skipped) = (Vec::new(), Vec::new(), None);
    for (device, result) in devices.into_iter().zip(results) {
        match result {
            StepOutcome::Done(_) => {}
            StepOutcome::Skipped(reason) => skipped = Some(reason),
            StepOutcome::Failed(reason) => {
                why.push(format!("{}: {reason}", leased.name(device)));
                failed_on.push(device);
            }
        }
    }
    let outcome = match (why.is_empty(), skipped) {
        (false, _) => StepOutcome::Failed(why.join("; ")),
        (true, Some(reason)) => StepOutcome::Skipped(reason),
        (true, None) if allocate_bytes == 0 => StepOutcome::Done("a context on each device".to_owned()),
        (true, None) => StepOutcome::Done(format!("{} on each device", size(allocate_bytes))),
    };
    (outcome, failed_on)
}

fn run(
    tree: &mut Tree,
    leased: &Leased,
    devices: &[u32],
    library: Option<OsString>,
    allocate_bytes: u64,
    timeout: Duration,
) -> io::Result<Vec<StepOutcome>> {
    let args = ["probe".to_owned(), allocate_bytes.to_string()];
    let environment = |device: &u32| {
        let mut environment: Vec<(OsString, OsString)> = std::env::vars_os()
            .filter(|(name, _)| name != VISIBLE_DEVICES && (library.is_none() || name != LOADER_PATH))
            .collect();
        environment.push((VISIBLE_DEVICES.into(), leased.name(*device).into()));
        if let Some(library) = &library {
            let path = loader_path(library, std::env::var_os(LOADER_PATH).as_deref());
            environment.push((LOADER_PATH.into(), path));
        }
        environment
    };
    let environments: Vec<_> = devices.iter().map(environment).collect();
    let printed = devices
        .iter()
        .map(|_| Ok(File::from(memfd_create("probe", MemfdFlags::CLOEXEC)?)))
        .collect::<io::Result<Vec<File>>>()?;
    let log = io::stderr();
    let spawns: Vec<Spawn<'_>> = environments
        .iter()
        .zip(&printed)
        .map(|(environment, printed)| Spawn {
            program: OWN_PROGRAM,
            args: &args,
            environment,
            stdout: Some(printed.as_fd()),
            stderr: Some(log.as_fd()),
            blocked: &[],
        })
        .collect();
    let ends = tree.run_all(&spawns, timeout)?;
    let at_once = tree.wish == Wish::EndAtOnce;
    Ok(ends
        .into_iter()
        .zip(&printed)
        .map(|(end, printed)| match end {
            Some(status) => outcome(status, printed),
            None if at_once => StepOutcome::Failed(AT_ONCE.to_owned()),
            None => StepOutcome::Failed(format!("the probe took longer than {timeout:?} and was ended")),
        })
        .collect())
}

/// What a probe's end and its last line say.
fn outcome(status: WaitStatus, mut printed: &File) -> StepOutcome {
    let mut text = Vec::new();
    let read = printed.rewind().and_then(|()| printed.take(PRINTED_BYTES_MAX).read_to_end(&mut text));
    let last = text.trim_ascii_end().rsplit(|byte| *byte == b'\n').next();
    let probed = last.filter(|_| read.is_ok()).and_then(|line| serde_json::from_slice::<Probed>(line).ok());
    let ended = match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => format!("the probe ended with exit code {code}"),
        (None, signal) => format!("CUDA ended the probe with signal {}", signal.unwrap_or_default()),
    };
    let code = status.exit_status().and_then(|code| u8::try_from(code).ok());
    match (code, probed) {
        (Some(exit_code::SUCCESS), Some(Probed { ok: true, .. })) => StepOutcome::Done(String::new()),
        (Some(exit_code::NO_CUDA), Some(probed)) => StepOutcome::Skipped(probed.message),
        (Some(_), Some(probed)) if !probed.message.is_empty() => StepOutcome::Failed(probed.message),
        _ => StepOutcome::Failed(ended),
    }
}
