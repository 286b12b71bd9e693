//! `reprieve policy test`: a policy in one situation after the other.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;

use crate::cleanup::{Consequence, Step};
use crate::decision::{Decision, Placement, Turn};
use crate::exit_code;
use crate::reporter::{Versioned, words};
use crate::trial::{self, Situation};

use super::super::Failed;
use super::Which;

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    which: Which,
    /// Situations of your own, in TOML, after those of the catalogue.
    #[arg(long, value_name = "FILE")]
    situations: Option<PathBuf>,
}

#[derive(Serialize)]
struct Told<'a> {
    situation: &'a str,
    decisions: &'a [Decision],
    breaches: &'a [String],
}

/// How much of the last decision's reason a row shows.
const REASON_COLUMNS: usize = 60;

/// After how many waits a row is cut.
const WAITS_SHOWN: usize = 6;

pub(super) fn run(args: &Args, json: bool) -> Result<u8, Failed> {
    let own = match &args.situations {
        Some(path) => own(path)?,
        None => Vec::new(),
    };
    let policy = args.which.load()?;
    let roles = policy.info().roles;
    let situations: Vec<Situation> = trial::catalogue().into_iter().chain(own).collect();
    let width = situations.iter().map(|situation| situation.name.chars().count()).max().unwrap_or_default();
    let mut out = anstream::stdout().lock();
    let mut breaches = Vec::new();
    let mut tell = |out: &mut dyn Write, name: &str, text: String, broken: &[String]| {
        breaches.extend(broken.iter().map(|breach| format!("{name}: {breach}")));
        let mark = if broken.is_empty() { "" } else { "  BREACH" };
        if json { Ok(()) } else { writeln!(out, "{name:width$}  {text}{mark}") }
    };
    for situation in situations.iter().filter(|_| roles.retry) {
        let trial = trial::decide(&policy, situation);
        if json {
            let (decisions, breaches) = (&trial.decisions, &trial.breaches);
            Versioned::new(Told { situation: &situation.name, decisions, breaches }).print();
        }
        tell(&mut out, &situation.name, row(&trial.decisions), &trial.breaches)?;
    }
    if let Some(situation) = situations.first().filter(|_| roles.cleanup) {
        for (name, before) in [("plan before an attempt", true), ("plan after an attempt", false)] {
            let planned = trial::plan(&policy, situation, before);
            tell(&mut out, name, plan(&planned.steps), &planned.breaches)?;
        }
    }
    if !json {
        let name = &policy.info().name;
        writeln!(
            out,
            "\n{name}: {}, {}",
            words::count(situations.len() as u64, "situation"),
            match breaches.len() {
                0 => "no breach of the contract".to_owned(),
                1 => "1 breach of the contract:".to_owned(),
                many => format!("{many} breaches of the contract:"),
            }
        )?;
        for breach in &breaches {
            writeln!(out, "  {breach}")?;
        }
    }
    Ok(if breaches.is_empty() { exit_code::SUCCESS } else { exit_code::INTERNAL })
}

fn own(path: &std::path::Path) -> Result<Vec<Situation>, Failed> {
    let text = fs::read_to_string(path)
        .map_err(|error| Failed::Usage(format!("cannot read `{}`: {error}", path.display())))?;
    trial::parse(&text)
        .map_err(|error| Failed::Usage(format!("`{}` holds no situations: {error}", path.display())))
}

/// Decisions in a row: plain retries by their waits alone.
fn row(decisions: &[Decision]) -> String {
    let mut parts: Vec<String> = Vec::new();
    let retries = decisions.iter().filter(|decision| matches!(decision, Decision::Retry(_))).count();
    for (place, decision) in decisions.iter().enumerate() {
        if place == WAITS_SHOWN && retries > WAITS_SHOWN + 1 {
            parts.push(format!("… {retries} retries in all"));
        }
        if (WAITS_SHOWN..retries).contains(&place) && retries > WAITS_SHOWN + 1 {
            continue;
        }
        let plain = |decision: &Decision| match decision {
            Decision::Retry(retry) => {
                retry.placement == Placement::AnyDevices
                    && retry.turn == Turn::WhenDue
                    && retry.overrides.is_empty()
            }
            _ => false,
        };
        parts.push(match decision {
            Decision::Retry(retry) if place > 0 && plain(decision) && plain(&decisions[place - 1]) => {
                words::span(retry.delay)
            }
            _ => words::decision(decision),
        });
    }
    let why = decisions.last().and_then(words::reason).filter(|why| !why.is_empty());
    let why =
        why.map_or_else(String::new, |why| format!(": {}", console::truncate_str(why, REASON_COLUMNS, "…")));
    parts.join(", ") + &why
}

fn plan(steps: &[Step]) -> String {
    let step = |step: &Step| {
        let consequence = match step.if_it_fails {
            Consequence::CarryOn => "",
            Consequence::QuarantineDevice => " or quarantine",
            Consequence::StopStudy => " or stop",
        };
        format!("{}{consequence}", step.action.name())
    };
    if steps.is_empty() {
        "nothing".to_owned()
    } else {
        steps.iter().map(step).collect::<Vec<_>>().join(", ")
    }
}
