//! `reprieve exec`: one command under a policy, without a study file.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::attempt::{Attempt, Ending};
use crate::event::{AttemptEnded, Event};
use crate::exit_code;
use crate::journal;
use crate::reporter::Stream;
use crate::runner::{OpenError, attempt_directory};
use crate::study::{PolicyComponent, Source, Study, StudyError};
use crate::supervisor::{STDERR_FILE, STDOUT_FILE, output};

use super::Failed;

#[derive(clap::Args)]
pub(super) struct Args {
    /// A policy to use instead of the standard one: a file, or `oci://…`.
    #[arg(long, value_name = "POLICY", value_parser = super::component)]
    policy: Option<PolicyComponent>,
    /// Settings for the policy, a JSON object.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    settings: String,
    /// How long each attempt may run, for example `10m`.
    #[arg(long, value_name = "TIME")]
    timeout: Option<String>,
    /// How long each attempt may print nothing, for example `2m`.
    #[arg(long, value_name = "TIME")]
    silence: Option<String>,
    /// Where the journal and the attempts go; must not hold a study yet.
    /// [default: reprieve-studies/exec-TIME-PID]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Wait for devices that another study has, rather than fail at once.
    #[arg(long)]
    wait: bool,
    /// The command and its arguments, after `--`.
    #[arg(required = true, last = true)]
    command: Vec<String>,
}

pub(super) fn run(args: &Args, json: bool) -> Result<u8, Failed> {
    let source = source(args)?;
    let study = Study::parse(&source).map_err(|error| Failed::Usage(in_options(&error)))?;
    let dir = args.dir.clone().unwrap_or_else(|| super::run::default_dir(&study));
    // Standard output is the command's own.
    let reporter = super::reporter(&dir, json, Stream::Stderr);
    let begun = super::run::begin(study, source, args.policy.clone(), dir.clone(), args.wait, reporter);
    let code = begun.map_err(|failed| match failed {
        Failed::Open(OpenError::Study(error)) => Failed::Usage(in_options(&error)),
        other => other,
    })?;
    let Some((attempt, files)) = last_attempt(&dir)? else { return Ok(code) };
    if !json {
        // Where no supervisor ever began, there is nothing to print.
        for mut printed in output::files(&files.join(STDOUT_FILE)).into_iter().flat_map(File::open) {
            io::copy(&mut printed, &mut io::stdout().lock())?;
        }
        for mut printed in output::files(&files.join(STDERR_FILE)).into_iter().flat_map(File::open) {
            io::copy(&mut printed, &mut io::stderr().lock())?;
        }
    }
    Ok(if code == exit_code::EXPERIMENTS_FAILED { own_code(&attempt.ending) } else { code })
}

/// The command's last attempt, and where its files are.
fn last_attempt(dir: &Path) -> Result<Option<(Attempt, PathBuf)>, Failed> {
    let mut replay = journal::read(dir)?;
    let mut last = None;
    let mut study = None;
    while let Some((_, stamped)) = replay.event()? {
        match stamped.event {
            Event::StudyStarted(started) => study = Some(Study::parse(&started.source)?),
            Event::AttemptEnded(ended) => last = Some(ended),
            _ => {}
        }
    }
    Ok(study.zip(last).map(|(study, AttemptEnded { experiment, attempt, .. })| {
        let files = attempt_directory(dir, &study, experiment, attempt.stage, attempt.number);
        (attempt, files)
    }))
}

/// How a shell would tell the end of a command that has failed for good.
fn own_code(ending: &Ending) -> u8 {
    let code = match ending {
        Ending::Exited(code) => u8::try_from(*code).unwrap_or(exit_code::EXPERIMENTS_FAILED),
        Ending::Signalled(signal) => {
            exit_code::SIGNALLED.saturating_add(u8::try_from(*signal).unwrap_or_default())
        }
        Ending::TimedOut | Ending::FellSilent => exit_code::TIMED_OUT,
        Ending::NotStarted(_) => exit_code::NOT_STARTED,
        Ending::Lost => exit_code::EXPERIMENTS_FAILED,
    };
    // A command that exits with 0 and reports a failure has failed all the same.
    if code == exit_code::SUCCESS { exit_code::EXPERIMENTS_FAILED } else { code }
}

/// What is wrong with the study, in the words of the command line.
fn in_options(error: &StudyError) -> String {
    error.without_places().replace("`timeout`", "`--timeout`").replace("`silence`", "`--silence`")
}

/// The study file that says the same, so that `resume` and `show` need nothing else.
fn source(args: &Args) -> Result<Source, Failed> {
    let settings = super::settings(&args.settings)?;
    let mut measure = serde_json::Map::new();
    for (key, limit) in [("timeout", &args.timeout), ("silence", &args.silence)] {
        if let Some(limit) = limit {
            measure.insert(key.to_owned(), limit.clone().into());
        }
    }
    Ok(Source::of_command(&std::env::current_dir()?, &args.command, settings.into(), measure))
}
