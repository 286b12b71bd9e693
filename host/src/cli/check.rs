//! `reprieve check`: what `run` would do, without starting anything.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;

use crate::attempt::{Parameter, Stage};
use crate::process;
use crate::reporter::{Versioned, words};
use crate::runner::Runner;
use crate::shell;
use crate::study::{Experiment, Planned, PolicyComponent, StageCommand, Study};

use super::{Failed, pins};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The study file, in TOML or YAML.
    study: PathBuf,
    /// A policy to use instead of the study's own, with its default settings: a file, `oci://…` or `standard`.
    #[arg(long, value_name = "POLICY", value_parser = super::component)]
    policy: Option<PolicyComponent>,
}

/// One experiment of the plan, as `--json` prints it.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    planned: Planned<'a>,
    stages: Vec<PlannedStage>,
}

#[derive(Serialize)]
struct PlannedStage {
    stage: Stage,
    #[serde(flatten)]
    command: StageCommand,
}

pub(super) fn run(args: &Args, json: bool) -> Result<u8, Failed> {
    let (study, source) = Study::load(&args.study)?;
    let policy = args.policy.as_ref();
    let devices = super::devices(&study)?;
    let pins = pins::of(&study, &source, policy)?;
    let policies =
        Runner::check(&study, &source, &devices, policy, &pins.all, super::cache_dir().as_deref())?;
    pins.lock(&source)?;
    let mut out = anstream::stdout().lock();
    if !json {
        let kind = devices.first().map_or("device", |device| &device.name);
        let judges: Vec<String> = policies.iter().map(|p| format!("{} {}", p.name, p.version)).collect();
        writeln!(
            out,
            "study `{}`: {} on {}, judged by {}\n",
            study.name,
            words::count(study.len() as u64, "experiment"),
            words::count(devices.len() as u64, kind),
            judges.join(", "),
        )?;
    }
    let (mut commands, mut not_found) = (0_u64, BTreeSet::new());
    for id in study.ids() {
        let planned = study.planned(id);
        let experiment = &planned.experiment;
        let stages: Vec<PlannedStage> = Stage::ALL
            .into_iter()
            .filter_map(|stage| Some(PlannedStage { stage, command: experiment.command(stage, &[])? }))
            .collect();
        commands += stages.len() as u64;
        not_found.extend(stages.iter().filter_map(|stage| not_found_here(&stage.command)));
        if json {
            Versioned::new(Told { planned, stages }).print()?;
        } else {
            print(&mut out, experiment, &stages)?;
        }
    }
    if !json {
        let experiments = words::count(study.len() as u64, "experiment");
        writeln!(out, "\n{experiments}, {}; nothing was started", words::count(commands, "command"))?;
        // No error: the study may be meant for another machine, or make it itself.
        if !not_found.is_empty() {
            let names: Vec<_> = not_found.into_iter().map(|program| format!("`{program}`")).collect();
            writeln!(out, "not in PATH here: {}", names.join(", "))?;
        }
    }
    Ok(crate::exit_code::SUCCESS)
}

/// The command's program, where it is a name that nothing in `PATH` has.
fn not_found_here(command: &StageCommand) -> Option<String> {
    let own = command.environment.iter().rev().find(|(name, _)| name == "PATH");
    let path = own.map(|(_, value)| value.into()).or_else(|| std::env::var_os("PATH"));
    let program = command.command.first()?;
    process::find(program, path.as_deref()).is_none().then(|| program.clone())
}

fn print(out: &mut impl Write, experiment: &Experiment<'_>, stages: &[PlannedStage]) -> std::io::Result<()> {
    let devices = words::count(experiment.devices, "device");
    writeln!(out, "{}  ({devices}{})", experiment.name, listed(&experiment.parameters))?;
    for PlannedStage { stage, command } in stages {
        let limit = |name: &str, limit| match limit {
            Some(limit) => format!(", {name} {}", words::span(limit)),
            None => String::new(),
        };
        let limits = limit("timeout", command.timeout) + &limit("silence", command.silence);
        // A script is easier read as it was written.
        let (typed, script) = match &command.command[..] {
            [before @ .., last] if last.trim().contains('\n') => (before, last.trim_matches('\n')),
            all => (all, ""),
        };
        writeln!(out, "  {:7}  {}{limits}", stage.name(), shell::command(typed))?;
        for line in script.lines() {
            writeln!(out, "           | {line}")?;
        }
    }
    Ok(())
}

fn listed(parameters: &[Parameter]) -> String {
    parameters.iter().map(|parameter| format!(", {} = {}", parameter.name, parameter.value)).collect()
}
