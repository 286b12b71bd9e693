//! `reprieve policy pull`: a policy, out of a registry.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::exit_code;
use crate::reporter::Versioned;
use crate::size::size;
use crate::study::{Digest, Pin, Reference};

use super::super::{Failed, pins};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// What it is called, as `oci://HOST/NAME:TAG` or `oci://HOST/NAME@sha256:…`.
    reference: Reference,
    /// Where the component goes; it is kept in the cache in any case.
    #[arg(short, long, value_name = "FILE", value_parser = super::file())]
    output: Option<PathBuf>,
}

#[derive(Serialize)]
struct Told<'a> {
    /// With the digest.
    reference: Reference,
    manifest: &'a Digest,
    component: &'a Digest,
    size_bytes: u64,
    output: Option<&'a Path>,
}

pub(super) fn run(args: &Args, json: bool) -> Result<u8, Failed> {
    let obtained = pins::obtain(&args.reference, None)?;
    if let Some(output) = &args.output {
        super::write(output, &obtained.component)?;
    }
    tell(&obtained.pin, obtained.component.len() as u64, args.output.as_deref(), json)?;
    Ok(exit_code::SUCCESS)
}

/// What a study can name it by, and what it is.
pub(super) fn tell(pin: &Pin, size_bytes: u64, output: Option<&Path>, json: bool) -> std::io::Result<()> {
    let Pin { reference, manifest, component } = pin;
    let reference = reference.at(manifest);
    if json {
        Versioned::new(Told { reference, manifest, component, size_bytes, output }).print()?;
        return Ok(());
    }
    let mut out = anstream::stdout().lock();
    writeln!(out, "{reference}")?;
    let output = output.map_or_else(String::new, |output| format!("{}: ", output.display()));
    writeln!(out, "{output}{}, sha256 {}", size(size_bytes), component.digits())
}
