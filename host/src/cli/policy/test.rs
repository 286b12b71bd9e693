//! `reprieve policy test`: a policy in one situation after the other.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cleanup::{Consequence, Step};
use crate::decision::{Decision, Placement, Turn};
use crate::exit_code;
use crate::reporter::{Page, Versioned, words};
use crate::trial::{self, Breach, Situation, SituationError};

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
    #[serde(skip_serializing_if = "Option::is_none")]
    decisions: Option<&'a [Decision]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<&'a [Step]>,
    breaches: Vec<String>,
}

/// What a policy did in one situation.
enum Did<'a> {
    Decided(&'a [Decision]),
    Planned(&'a [Step]),
}

/// How much of the last decision's reason a row shows.
const REASON_COLUMNS: usize = 60;

/// How many situations a breach of several names.
const NAMES_SHOWN: usize = 3;

/// The largest file of situations that is read.
const SITUATIONS_BYTES: u64 = 1 << 20;

/// The way out of a file that does not read as situations.
const NO_SITUATIONS: &str = "\nhint: each begins with `[[situations]]` and has a `name`; `reprieve policy new` writes some to begin with";

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
    let mut page = Page::stdout();
    let mut breaches: Vec<(String, Breach)> = Vec::new();
    let mut tell = |name: &str, did: Did<'_>, broken: Vec<Breach>| {
        let told = if json {
            told(name, &did, &broken).print()?;
            Ok(())
        } else {
            row(&mut page, &format!("{name:width$}  "), &did, !broken.is_empty())
        };
        breaches.extend(broken.into_iter().map(|breach| (name.to_owned(), breach)));
        told
    };
    for situation in situations.iter().filter(|_| roles.retry) {
        let trial = trial::decide(&policy, situation);
        tell(&situation.name, Did::Decided(&trial.decisions), trial.breaches)?;
    }
    if let Some(situation) = situations.first().filter(|_| roles.cleanup) {
        for (name, before) in [("plan before an attempt", true), ("plan after an attempt", false)] {
            let planned = trial::plan(&policy, situation, before);
            tell(name, Did::Planned(&planned.steps), planned.breaches)?;
        }
    }
    if !json {
        let name = &policy.info().name;
        let situations = words::count(situations.len() as u64, "situation");
        let sum = match breaches.len() {
            0 => "no breach of the contract".to_owned(),
            1 => "1 breach of the contract:".to_owned(),
            many => format!("{many} breaches of the contract:"),
        };
        page.line("", 0)?;
        page.line(&format!("{name}: {situations}, {sum}"), 2)?;
        causes(&mut page, &breaches)?;
    }
    Ok(if breaches.is_empty() { exit_code::SUCCESS } else { exit_code::INTERNAL })
}

fn told<'a>(situation: &'a str, did: &Did<'a>, breaches: &[Breach]) -> Versioned<Told<'a>> {
    let (decisions, steps) = match did {
        Did::Decided(decisions) => (Some(*decisions), None),
        Did::Planned(steps) => (None, Some(*steps)),
    };
    let breaches = breaches.iter().map(ToString::to_string).collect();
    Versioned::new(Told { situation, decisions, steps, breaches })
}

/// Each cause once, where it was first met and in how many situations more.
fn causes(page: &mut Page, breaches: &[(String, Breach)]) -> io::Result<()> {
    let mut causes: Vec<Vec<&(String, Breach)>> = Vec::new();
    for breach in breaches {
        match causes.iter_mut().find(|cause| cause[0].1.what == breach.1.what) {
            Some(cause) => cause.push(breach),
            None => causes.push(vec![breach]),
        }
    }
    for cause in causes {
        let (first, breach) = cause[0];
        page.line(&format!("  {first}: {breach}"), 4)?;
        let mut names: Vec<&str> = cause.iter().map(|(name, _)| &**name).collect();
        names.dedup();
        let times = format!("{} times", cause.len());
        let (shown, more) =
            (names[..names.len().min(NAMES_SHOWN)].join(", "), names.len().saturating_sub(NAMES_SHOWN));
        let shown = if more > 0 { format!("{shown}, and {more} more") } else { shown };
        match (cause.len(), names.len()) {
            (1, _) => {}
            (_, 1) => page.line(&format!("      {times}"), 6)?,
            (times, situations) if times == situations => {
                page.line(&format!("      in {situations} situations: {shown}"), 8)?;
            }
            (_, situations) => {
                page.line(&format!("      {times}, in {situations} situations: {shown}"), 8)?
            }
        }
    }
    Ok(())
}

fn own(path: &Path) -> Result<Vec<Situation>, Failed> {
    let wrong = |what: String| {
        let path = path.display();
        let hint = if what.contains("\nhint: ") { "" } else { NO_SITUATIONS };
        Failed::Usage(format!("`{path}` {what}{hint}"))
    };
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(SITUATIONS_BYTES + 1).read_to_string(&mut text));
    read.map_err(|error| {
        wrong(format!("cannot be read: {error}\nhint: it has to be a text that you may read"))
    })?;
    if text.len() as u64 > SITUATIONS_BYTES {
        return Err(wrong(format!("is larger than `{SITUATIONS_BYTES}` bytes")));
    }
    trial::parse(&text).map_err(|error| match error {
        SituationError::Toml(_) => Failed::Usage(format!("`{}` {error}", path.display())),
        SituationError::Situations(_) => wrong(error.to_string()),
    })
}

/// A situation's decisions or plan, whole, and as much of the last reason as there is room for.
fn row(page: &mut Page, head: &str, did: &Did<'_>, broken: bool) -> io::Result<()> {
    let (text, why) = match did {
        Did::Decided(all) => (decisions(all), all.last().and_then(words::reason).unwrap_or_default()),
        Did::Planned(steps) => (plan(steps), ""),
    };
    let mark = if broken { "  BREACH" } else { "" };
    let why = page.beside(&format!("{head}{text}: {mark}"), why, REASON_COLUMNS);
    let why = if why.is_empty() { String::new() } else { format!(": {why}") };
    page.line(&format!("{head}{text}{why}{mark}"), head.chars().count())
}

/// Decisions in a row: plain retries by their waits alone.
fn decisions(decisions: &[Decision]) -> String {
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
    parts.join(", ")
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
