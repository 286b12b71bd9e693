//! `reprieve exec`: one command under a policy, without a study file.

use std::path::PathBuf;

use crate::study::{Source, Study};

use super::Failed;

#[derive(clap::Args)]
pub(super) struct Args {
    /// A policy component to use instead of the standard one.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
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
    /// The command and its arguments, after `--`.
    #[arg(required = true, last = true)]
    command: Vec<String>,
}

pub(super) fn run(args: &Args, json: bool) -> Result<u8, Failed> {
    let source = source(args)?;
    let study = Study::parse(&source)?;
    super::run::begin(study, source, args.policy.as_deref(), args.dir.as_deref(), json)
}

/// The study file that says the same, so that `resume` and `show` need nothing else.
fn source(args: &Args) -> Result<Source, Failed> {
    let settings: serde_json::Value =
        serde_json::from_str(&args.settings).ok().filter(serde_json::Value::is_object).ok_or_else(|| {
            let given = &args.settings;
            Failed::Usage(format!(
                "`--settings` is not a JSON object: `{given}`\nhint: for example `{{\"max_retries\": 5}}`"
            ))
        })?;
    let mut measure = serde_json::Map::new();
    for (key, limit) in [("timeout", &args.timeout), ("silence", &args.silence)] {
        if let Some(limit) = limit {
            measure.insert(key.to_owned(), limit.clone().into());
        }
    }
    Ok(Source::of_command(&std::env::current_dir()?, &args.command, settings, measure))
}
