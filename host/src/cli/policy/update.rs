//! `reprieve policy update`: locked tags, looked at anew.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::exit_code;
use crate::registry::Lock;
use crate::reporter::Versioned;
use crate::study::{Digest, Pin, Reference};

use super::super::{Failed, pins};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// The folder of the lock, which is that of its studies.
    #[arg(default_value = ".")]
    folder: PathBuf,
}

#[derive(Serialize)]
struct Told<'a> {
    reference: &'a Reference,
    was: &'a Digest,
    now: &'a Digest,
}

pub(super) fn run(args: &Args, json: bool) -> Result<u8, Failed> {
    if !args.folder.is_dir() {
        return Err(Failed::Usage(format!(
            "`{}` is no folder\nhint: {}",
            args.folder.display(),
            there_is()?
        )));
    }
    let lock = Lock::read(&args.folder)?;
    // All of them before any is written: a lock is of one moment.
    let now: Vec<Pin> =
        lock.pins().map(|pin| Ok(pins::obtain(&pin.reference, None)?.pin)).collect::<Result<_, Failed>>()?;
    let mut out = anstream::stdout().lock();
    if now.is_empty() && !json {
        writeln!(out, "`{}` locks nothing", lock.path().display())?;
    }
    for (was, now) in lock.pins().zip(&now) {
        let (reference, was, now) = (&was.reference, &was.manifest, &now.manifest);
        if json {
            Versioned::new(Told { reference, was, now }).print()?;
        } else if was == now {
            writeln!(out, "`{reference}` is still `{now}`")?;
        } else {
            writeln!(out, "`{reference}` was `{was}` and is `{now}` from now on")?;
        }
    }
    if !now.is_empty() {
        lock.write(now)?;
    }
    Ok(exit_code::SUCCESS)
}

/// What can be looked at anew, for whoever named something else.
fn there_is() -> Result<String, Failed> {
    let lock = Lock::read(Path::new("."))?;
    let locked: Vec<String> = lock.pins().map(|pin| format!("`{}`", pin.reference)).collect();
    Ok(if locked.is_empty() {
        "name the folder that has the `reprieve.lock`, and all of its tags are looked at".to_owned()
    } else {
        format!("without a name all is looked at that `reprieve.lock` here has: {}", locked.join(", "))
    })
}
