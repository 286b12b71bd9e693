//! `reprieve policy componentize`: a component, of what a compiler without component support writes.

use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;

use crate::exit_code;
use crate::policy::componentize;
use crate::reporter::Versioned;
use crate::shell;
use crate::size::size;

use super::super::Failed;

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// The core module, binary or as text.
    module: PathBuf,
    /// Where the component goes.
    #[arg(short, long, value_name = "FILE", value_parser = super::file())]
    output: PathBuf,
}

#[derive(Serialize)]
struct Told {
    output: PathBuf,
    size_bytes: u64,
}

pub(super) fn run(args: &Args, json: bool) -> Result<u8, Failed> {
    let (module, output) = (args.module.display(), args.output.display());
    let component = componentize(&super::read(&args.module)?)
        .map_err(|error| Failed::Usage(format!("`{module}` {error}")))?;
    super::write(&args.output, &component)?;
    let size_bytes = component.len() as u64;
    if json {
        Versioned::new(Told { output: args.output.clone(), size_bytes }).print()?;
    } else {
        let named = shell::path(&args.output);
        let told =
            format!("{output}: {}\nhint: `reprieve policy test {named}` tries it out\n", size(size_bytes));
        anstream::stdout().write_all(told.as_bytes())?;
    }
    Ok(exit_code::SUCCESS)
}
