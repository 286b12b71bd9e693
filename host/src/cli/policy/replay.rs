//! `reprieve policy replay`: what a policy would have decided.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::attempt::{FailureClass, Stage};
use crate::decision::Decision;
use crate::exit_code;
use crate::policy::{LoadError, Policy, Problem, SpecError};
use crate::reporter::{Page, Versioned, words};
use crate::state::Outcome;
use crate::trial::{Difference, Past};

use super::super::Failed;
use super::{Found, Which, failed};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    which: Which,
    /// The directories of studies that have been run.
    #[arg(long, value_name = "DIR", required = true, num_args = 1..)]
    study: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Told<'a> {
    study: &'a str,
    experiment: &'a str,
    stage: Stage,
    attempt: u32,
    /// Of the attempt that was judged; `null` where it succeeded.
    failure: Option<FailureClass>,
    was: &'a Decision,
    /// `null` where the policy fails to answer.
    now: Option<&'a Decision>,
    fault: Option<&'a str>,
    attempts_after: u32,
    device_ms_after: u128,
    decisions_not_asked: u32,
    outcome: Option<Outcome>,
}

/// How many differences of a kind are shown.
const EXAMPLES: usize = 2;

/// The differences, counted.
#[derive(Default)]
struct Sum {
    decisions: u64,
    differences: u64,
    saved: u32,
    saved_time: Duration,
    tried_again: u32,
    given_up: u32,
    retried_otherwise: u32,
}

pub(super) fn run(args: &Args, json: bool) -> Result<u8, Failed> {
    let found = args.which.find()?;
    let mut asked = Asked { given: args.which.settings()?, found, loaded: Vec::new() };
    let mut page = Page::stdout();
    let mut sum = Sum::default();
    for dir in &args.study {
        let past = Past::open(dir)?;
        let study = past.name().to_owned();
        let by_stage = asked.policies(&past, dir)?;
        let policy = |stage: Stage| &asked.loaded[by_stage[stage as usize]].policy;
        let replay = past.replay(policy)?;
        sum.decisions += replay.decisions;
        replay.differences.iter().for_each(|difference| sum.add(difference));
        if json {
            replay.differences.iter().try_for_each(|difference| told(&study, difference).print())?;
            continue;
        }
        let differences = words::count(replay.differences.len() as u64, "difference");
        let decisions = words::count(replay.decisions, "decision");
        page.line(&format!("study `{study}` in {}: {decisions}, {differences}", dir.display()), 2)?;
        for kind in kinds(&replay.differences) {
            tell(&mut page, &kind)?;
        }
    }
    if !json {
        let name = asked.loaded.first().map_or("", |loaded| &loaded.policy.info().name);
        page.line("", 0)?;
        page.line(&sum.words(name), 2)?;
    }
    Ok(exit_code::SUCCESS)
}

/// The policy, under each settings that it has been asked with.
struct Asked {
    /// By the command line, for all studies.
    given: Option<Map<String, Value>>,
    found: Found,
    loaded: Vec<Loaded>,
}

struct Loaded {
    settings: Map<String, Value>,
    policy: Policy,
    /// Why it has its own defaults instead.
    refusal: Option<String>,
}

impl Asked {
    /// Which of those that are loaded stands for each stage of a study.
    fn policies(&mut self, past: &Past, dir: &Path) -> Result<[usize; 3], Failed> {
        let mut by_stage = [0; 3];
        let mut told: Vec<usize> = Vec::new();
        for stage in Stage::ALL {
            let settings = self.given.clone().unwrap_or_else(|| past.settings(stage));
            let place = match self.loaded.iter().position(|loaded| loaded.settings == settings) {
                Some(place) => place,
                None => {
                    self.loaded.push(self.load(settings)?);
                    self.loaded.len() - 1
                }
            };
            by_stage[stage as usize] = place;
            let Loaded { settings, policy, refusal } = &self.loaded[place];
            if let Some(refusal) = refusal.as_ref().filter(|_| !told.contains(&place)) {
                told.push(place);
                let (name, study, dir) = (&policy.info().name, past.name(), dir.display());
                anstream::eprintln!(
                    "{name} refuses the settings of study `{study}` in {dir}, `{}`, and is asked with its defaults: \
                     {refusal}\nhint: `--settings` gives it others",
                    Value::from(settings.clone())
                );
            }
        }
        Ok(by_stage)
    }

    /// A study's settings were written for its own policy: what another one
    /// refuses of them is no reason not to ask it.
    fn load(&self, settings: Map<String, Value>) -> Result<Loaded, Failed> {
        let (policy, refusal) = match self.found.with(settings.clone()) {
            Ok(policy) => (policy, None),
            Err(SpecError::Load(LoadError { problem: Problem::Settings(refusal), .. }))
                if self.given.is_none() && !settings.is_empty() =>
            {
                (self.found.with(Map::new()).map_err(failed)?, Some(refusal))
            }
            Err(error) => return Err(failed(error)),
        };
        Ok(Loaded { settings, policy, refusal })
    }
}

fn told<'a>(study: &'a str, difference: &'a Difference) -> Versioned<Told<'a>> {
    Versioned::new(Told {
        study,
        experiment: &difference.experiment,
        stage: difference.stage,
        attempt: difference.attempt,
        failure: difference.failure,
        was: &difference.was,
        now: difference.now.as_ref().ok(),
        fault: difference.now.as_ref().err().map(String::as_str),
        attempts_after: difference.attempts_after,
        device_ms_after: difference.device_time_after.as_millis(),
        decisions_not_asked: difference.decisions_not_asked,
        outcome: difference.outcome,
    })
}

/// Differences that are alike.
struct Kind<'a> {
    failure: Option<FailureClass>,
    change: String,
    all: Vec<&'a Difference>,
}

/// The kinds there are, that of the most differences first.
fn kinds(differences: &[Difference]) -> Vec<Kind<'_>> {
    let mut kinds: Vec<Kind<'_>> = Vec::new();
    for difference in differences {
        let (failure, change) = (difference.failure, change(difference));
        match kinds.iter_mut().find(|kind| kind.failure == failure && kind.change == change) {
            Some(kind) => kind.all.push(difference),
            None => kinds.push(Kind { failure, change, all: vec![difference] }),
        }
    }
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.all.len()));
    kinds
}

/// From what to what.
fn change(difference: &Difference) -> String {
    let what = |decision: &Decision| match decision {
        Decision::Accept => "accepted",
        Decision::Retry(_) => "retried",
        Decision::GiveUp(_) => "given up",
        Decision::StopStudy(_) => "study stopped",
    };
    let was = what(&difference.was);
    match (&difference.was, &difference.now) {
        (Decision::Retry(was), Ok(Decision::Retry(now))) => {
            let differs = [
                (was.delay != now.delay, "another wait"),
                (was.placement != now.placement, "another choice of devices"),
                (was.turn != now.turn, "another turn"),
                (was.overrides != now.overrides, "other parameters"),
            ];
            let differs: Vec<&str> = differs.iter().filter(|(so, _)| *so).map(|(_, what)| *what).collect();
            format!("retried, now with {}", differs.join(" and "))
        }
        (_, Ok(now)) => format!("{was}, now {}", what(now)),
        (_, Err(_)) => format!("{was}, now no answer"),
    }
}

fn tell(page: &mut Page, kind: &Kind<'_>) -> io::Result<()> {
    let count = kind.all.len();
    let what = match (kind.failure, count) {
        (Some(class), 1) => format!("{} failure", class.name()),
        (Some(class), _) => format!("{} failures", class.name()),
        (None, 1) => "success".to_owned(),
        (None, _) => "successes".to_owned(),
    };
    // What follows where the study would have gone another way is not known.
    let not_asked = match kind.all.iter().map(|difference| u64::from(difference.decisions_not_asked)).sum() {
        0 => String::new(),
        more => format!("; {} not asked about", words::count(more, "later decision")),
    };
    page.line(&format!("  {count} {what}: {}{not_asked}", kind.change), 4)?;
    for difference in kind.all.iter().take(EXAMPLES) {
        let Difference { experiment, stage, attempt, was, now, .. } = difference;
        let now = match now {
            Ok(decision) => {
                let why = words::reason(decision).map_or_else(String::new, |why| format!(": {why}"));
                format!("{}{why}", words::decision(decision))
            }
            Err(fault) => format!("no answer: {fault}"),
        };
        let was = words::decision(was);
        page.line(&format!("    {experiment}  {} {attempt}  was: {was}", stage.name()), 8)?;
        page.line(&format!("        now: {now}"), 13)?;
    }
    match count.saturating_sub(EXAMPLES) {
        0 => Ok(()),
        more => page.line(&format!("    and {more} more"), 4),
    }
}

impl Sum {
    fn add(&mut self, difference: &Difference) {
        self.differences += 1;
        let retried = matches!(difference.was, Decision::Retry(_));
        let retries = matches!(difference.now, Ok(Decision::Retry(_)));
        if retried && !retries {
            self.saved += difference.attempts_after;
            self.saved_time += difference.device_time_after;
            self.given_up += u32::from(difference.outcome == Some(Outcome::Succeeded));
        } else if retries && !retried {
            self.tried_again += 1;
        } else if retries {
            self.retried_otherwise += 1;
        }
    }

    fn words(&self, policy: &str) -> String {
        if self.differences == 0 {
            return format!("{policy} decides all {} as they were decided", self.decisions);
        }
        let mut parts = Vec::new();
        if self.saved > 0 {
            let (fewer, time) = (words::count(self.saved, "attempt"), words::span(self.saved_time));
            parts.push(format!("{fewer} fewer ({time} of device time)"));
        }
        if self.given_up > 0 {
            parts.push(format!("{} ended early that succeeded", words::count(self.given_up, "experiment")));
        }
        if self.tried_again > 0 {
            let were = if self.tried_again == 1 { "was" } else { "were" };
            let stages = words::count(self.tried_again, "stage");
            parts.push(format!("{stages} tried again that {were} not"));
        }
        if self.retried_otherwise > 0 {
            let attempts = words::count(self.retried_otherwise, "attempt");
            parts.push(format!("{attempts} with another wait, device or parameter"));
        }
        let sum = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
        format!("{policy} decides {} of {} otherwise{sum}", self.differences, self.decisions)
    }
}
