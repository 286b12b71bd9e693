//! `reprieve policy replay`: what a policy would have decided.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::attempt::Stage;
use crate::decision::Decision;
use crate::exit_code;
use crate::reporter::{Versioned, words};
use crate::state::Outcome;
use crate::trial::{self, Difference};

use super::super::Failed;
use super::Which;

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
    was: &'a Decision,
    /// `null` where the policy fails to answer.
    now: Option<&'a Decision>,
    fault: Option<&'a str>,
    attempts_after: u32,
    device_ms_after: u128,
    outcome: Option<Outcome>,
}

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
    let policy = args.which.load()?;
    let mut out = anstream::stdout().lock();
    let mut sum = Sum::default();
    for dir in &args.study {
        let replay = trial::replay(&policy, dir)?;
        sum.decisions += replay.decisions;
        if !json {
            let differences = words::count(replay.differences.len() as u64, "difference");
            let decisions = words::count(replay.decisions, "decision");
            writeln!(out, "study `{}` in {}: {decisions}, {differences}", replay.study, dir.display())?;
        }
        for difference in &replay.differences {
            sum.add(difference);
            if json {
                told(&replay.study, difference).print();
            } else {
                tell(&mut out, difference)?;
            }
        }
    }
    if !json {
        writeln!(out, "\n{}", sum.words(&policy.info().name))?;
    }
    Ok(exit_code::SUCCESS)
}

fn told<'a>(study: &'a str, difference: &'a Difference) -> Versioned<Told<'a>> {
    Versioned::new(Told {
        study,
        experiment: &difference.experiment,
        stage: difference.stage,
        attempt: difference.attempt,
        was: &difference.was,
        now: difference.now.as_ref().ok(),
        fault: difference.now.as_ref().err().map(String::as_str),
        attempts_after: difference.attempts_after,
        device_ms_after: difference.device_time_after.as_millis(),
        outcome: difference.outcome,
    })
}

fn tell(out: &mut impl Write, difference: &Difference) -> std::io::Result<()> {
    let Difference { experiment, stage, attempt, was, now, .. } = difference;
    let now = match now {
        Ok(decision) => {
            let why = words::reason(decision).map_or_else(String::new, |why| format!(": {why}"));
            format!("{}{why}", words::decision(decision))
        }
        Err(fault) => format!("no answer: {fault}"),
    };
    writeln!(out, "  {experiment}  {} {attempt}  was: {}", stage.name(), words::decision(was))?;
    writeln!(out, "      now: {now}")
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
        format!(
            "{policy} decides {} of {} otherwise: {} fewer ({} of device time), {} ended early that succeeded, \
             {} tried again that were not, {} with another wait, device or parameter",
            self.differences,
            self.decisions,
            words::count(self.saved, "attempt"),
            words::span(self.saved_time),
            words::count(self.given_up, "experiment"),
            words::count(self.tried_again, "stage"),
            words::count(self.retried_otherwise, "attempt"),
        )
    }
}
