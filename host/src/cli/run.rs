//! `reprieve run`: a study file, to its end.

use std::path::PathBuf;

use crate::clock;
use crate::reporter::{Reporter, Stream};
use crate::runner::{Begin, Runner};
use crate::study::{PolicyComponent, Source, Study};
use crate::supervisor::OWN_PROGRAM;

use super::{Failed, pins};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The study file, in TOML or YAML.
    study: PathBuf,
    /// A policy to use instead of the study's own, with its default settings: a file, `oci://…` or `standard`.
    #[arg(long, value_name = "POLICY", value_parser = super::component)]
    policy: Option<PolicyComponent>,
    /// Where the journal and the attempts go; must not hold a study yet.
    /// [default: reprieve-studies/NAME-TIME-PID]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Wait for devices that another study has, rather than fail at once.
    #[arg(long)]
    wait: bool,
}

pub(super) fn run(args: &Args, json: bool) -> Result<u8, Failed> {
    let (study, source) = Study::load(&args.study)?;
    let dir = args.dir.clone().unwrap_or_else(|| default_dir(&study));
    let reporter = super::reporter(&dir, json, Stream::Stdout);
    begin(study, source, args.policy.clone(), dir, args.wait, reporter)
}

/// Runs a study that has been read, from its beginning.
pub(super) fn begin(
    study: Study,
    source: Source,
    policy: Option<PolicyComponent>,
    dir: PathBuf,
    wait: bool,
    reporter: Box<dyn Reporter>,
) -> Result<u8, Failed> {
    let devices = super::devices(&study)?;
    let pins = pins::of(&study, &source, policy.as_ref())?;
    super::carry_on(|| {
        let all = pins.all.clone();
        let begin = Begin { dir, study, source: source.clone(), policy, pins: all, devices, wait };
        let runner = Runner::begin(begin, super::cache_dir().as_deref(), OWN_PROGRAM.into(), reporter)?;
        pins.lock(&source)?;
        Ok(runner)
    })
}

/// Where a study goes that was given no directory.
pub(super) fn default_dir(study: &Study) -> PathBuf {
    let time =
        clock::wall().to_zoned_datetime(jiff::tz::TimeZone::system()).strftime("%Y%m%d-%H%M%S").to_string();
    // Two that start within one second are two studies.
    PathBuf::from("reprieve-studies").join(format!("{}-{time}-{}", study.name, std::process::id()))
}
