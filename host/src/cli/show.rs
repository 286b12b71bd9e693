//! `reprieve show`: what happened in a study, from its journal.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::attempt::{Attempt, Parameter, Stage};
use crate::cleanup::Quarantine;
use crate::decision::Decision;
use crate::event::{AttemptStarted, Event, Stamped, StudyStarted};
use crate::exit_code;
use crate::journal::{self, ReadError};
use crate::reporter::{Versioned, words};
use crate::runner::{attempt_directory, is_running};
use crate::shell;
use crate::state::{Outcome, StudyState};
use crate::study::{ExperimentId, Planned, Study};
use crate::text;

use super::Failed;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The study's directory.
    dir: PathBuf,
    /// Only this experiment.
    experiment: Option<String>,
}

/// An experiment's events so far, in order.
#[derive(Default)]
struct Story {
    events: Vec<Stamped>,
}

/// One experiment, as `--json` prints it.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    planned: Planned<'a>,
    /// `null` while it has not ended.
    outcome: Option<Outcome>,
    /// Values that decisions have put in place of parameters.
    overrides: &'a [Parameter],
    events: &'a [Stamped],
}

pub(super) fn run(args: &Args, json: bool) -> Result<u8, Failed> {
    let (started, state, stories, torn_bytes) = read(&args.dir)?;
    let study = state.study();
    let wanted = |id: ExperimentId| args.experiment.as_deref().is_none_or(|name| study.name_of(id) == name);
    if let Some(name) = &args.experiment
        && !study.ids().any(wanted)
    {
        return Err(Failed::Usage(format!(
            "the study has no experiment `{name}`\nhint: `reprieve show {}` names all of them",
            shell::path(&args.dir)
        )));
    }
    if json {
        for id in study.ids().filter(|id| wanted(*id)) {
            let (planned, outcome, overrides) = (study.planned(id), state.outcome(id), state.overrides(id));
            let events = stories.get(&id).map_or(&[][..], |story| &story.events);
            Versioned::new(Told { planned, outcome, overrides, events }).print()?;
        }
        return Ok(exit_code::SUCCESS);
    }
    let mut out = anstream::stdout().lock();
    let began = started.id;
    writeln!(out, "study `{}` ({began}): {}", study.name, words::count(study.len() as u64, "experiment"))?;
    let nothing = Story::default();
    // Of a large study, those that have not begun would drown the others.
    let told =
        study.ids().filter(|id| wanted(*id) && (args.experiment.is_some() || stories.contains_key(id)));
    for id in told {
        let story = stories.get(&id).unwrap_or(&nothing);
        let with = words::overrides(state.overrides(id));
        writeln!(out, "\n{}: {}{with}", study.name_of(id), outcome(&state, id, story))?;
        let mut before = Before { began: None, evidence: "" };
        for stamped in &story.events {
            tell(&mut out, &args.dir, &state, stamped, &before)?;
            match &stamped.event {
                Event::AttemptStarted(_) => before.began = Some(stamped.at),
                Event::AttemptEnded(ended) => {
                    before.evidence = ended.attempt.failure.as_ref().map_or("", |failure| &failure.evidence);
                    before.began = None;
                }
                _ => {}
            }
        }
        if let Some((at, started)) = story.unfinished() {
            tell_unfinished(&mut out, &args.dir, &state, at, started)?;
        }
    }
    let unfinished = stories.values().filter(|story| story.finish_failed()).count();
    tell_end(&mut out, &args.dir, &state, unfinished, torn_bytes)?;
    Ok(exit_code::SUCCESS)
}

type Read = (StudyStarted, StudyState, BTreeMap<ExperimentId, Story>, u64);

fn read(dir: &Path) -> Result<Read, Failed> {
    let mut replay = journal::read(dir)?;
    let first = replay.event()?;
    let Some((_, first @ Stamped { event: Event::StudyStarted(_), .. })) = first else {
        return Err(ReadError::Empty { path: dir.join(journal::FILE) }.into());
    };
    let Event::StudyStarted(started) = first.event.clone() else { unreachable!("matched above") };
    let study = Study::parse(&started.source)?;
    let mut state = StudyState::new(Arc::new(study), started.devices.clone());
    state.apply(&first);
    let mut stories: BTreeMap<ExperimentId, Story> = BTreeMap::new();
    while let Some((_, stamped)) = replay.event()? {
        state.apply(&stamped);
        if let Some(id) = stamped.event.experiment() {
            stories.entry(id).or_default().events.push(stamped);
        }
    }
    Ok((started, state, stories, replay.torn_bytes()))
}

impl Story {
    /// Whether its newest attempt at `finish` failed: that hides no outcome, and is told beside it.
    fn finish_failed(&self) -> bool {
        let newest = self.events.iter().rev().find_map(|stamped| match &stamped.event {
            Event::AttemptEnded(ended) if ended.attempt.stage == Stage::Finish && !ended.interrupted => {
                Some(ended)
            }
            _ => None,
        });
        newest.is_some_and(|ended| ended.attempt.failure.is_some())
    }

    /// The attempt that has begun and not ended, as the journal knows, and when it began.
    fn unfinished(&self) -> Option<(Timestamp, &AttemptStarted)> {
        match self.events.last() {
            Some(Stamped { at, event: Event::AttemptStarted(started) }) => Some((*at, started)),
            _ => None,
        }
    }
}

/// How far the study has come, and how to go on.
fn tell_end(
    out: &mut impl Write,
    dir: &Path,
    state: &StudyState,
    unfinished: usize,
    torn_bytes: u64,
) -> std::io::Result<()> {
    let progress = state.progress(crate::clock::wall());
    let end = state.ended().map_or_else(|| "not ended".to_owned(), words::study_end);
    writeln!(
        out,
        "\n{end}: {} succeeded{}, {} failed{}, {} not done, {} retried",
        progress.succeeded,
        words::changed(state),
        progress.failed,
        if unfinished == 0 { String::new() } else { format!(", {unfinished} with a failed finish") },
        progress.remaining,
        progress.retries
    )?;
    if let Some(why) = state.ended().and_then(words::stop_reason) {
        writeln!(out, "  because  {why}")?;
    }
    if state.ended().is_none() {
        let typed = shell::path(dir);
        let next = match journal::host(dir) {
            Ok(Some(journal::Host { pid: Some(pid) })) => format!("a host is at work on it, PID {pid}"),
            Ok(Some(journal::Host { pid: None })) => "a host is at work on it".to_owned(),
            Ok(None) => format!("no host is at work on it\nhint: `reprieve resume {typed}` goes on"),
            Err(_) => format!("hint: where no host is at work, `reprieve resume {typed}` goes on"),
        };
        writeln!(out, "{next}")?;
    }
    if torn_bytes > 0 {
        writeln!(out, "the journal's last line is torn: {torn_bytes} bytes were passed over")?;
    }
    Ok(())
}

fn outcome(state: &StudyState, id: ExperimentId, story: &Story) -> &'static str {
    match state.outcome(id) {
        Some(Outcome::Succeeded) if story.finish_failed() => "succeeded, with a failed finish",
        Some(Outcome::Succeeded) => "succeeded",
        Some(Outcome::Failed) => "failed",
        None if story.unfinished().is_some_and(|(_, started)| is_running(started)) => "running",
        None if state.due(id).is_some() => "waits for its next attempt",
        None => "not done",
    }
}

/// What the events before one said.
struct Before<'a> {
    /// When the attempt that now ends began.
    began: Option<Timestamp>,
    /// The evidence of the newest failure.
    evidence: &'a str,
}

fn tell(
    out: &mut impl Write,
    dir: &Path,
    state: &StudyState,
    stamped: &Stamped,
    before: &Before<'_>,
) -> std::io::Result<()> {
    let local = |at| words::clock(at, state.started_at(), &TimeZone::system());
    match &stamped.event {
        Event::AttemptEnded(ended) => {
            let attempt = &ended.attempt;
            let (stage, number) = (attempt.stage.name(), attempt.number);
            let how = if ended.interrupted { ", interrupted" } else { "" };
            let began = before.began.map_or_else(String::new, |at| format!(" at {}", local(at)));
            writeln!(out, "  {stage} {number}{began}: {}{how}", words::ending(attempt))?;
            tell_failure(out, attempt)?;
            for line in words::samples(ended.samples.as_ref()) {
                writeln!(out, "    {line}")?;
            }
            for line in words::steps(ended.cleanup.as_ref()) {
                writeln!(out, "    {line}")?;
            }
            for (device, left) in ended.devices.iter().enumerate() {
                if let Some(quarantine) = &left.quarantine {
                    let Quarantine { reason, remedy } = quarantine;
                    writeln!(out, "    device {device} quarantined: {reason}; to do: {remedy}")?;
                }
            }
            let files = attempt_directory(dir, state.study(), ended.experiment, attempt.stage, number);
            writeln!(out, "    output: {}", files.display())?;
        }
        Event::Decided(decided) => {
            if let Some(fault) = &decided.fault {
                writeln!(out, "    policy fault: {}", words::fault(fault))?;
                for function in fault.functions() {
                    writeln!(out, "      at {function}")?;
                }
                for line in fault.output_tail.lines() {
                    writeln!(out, "      it said: {line}")?;
                }
            }
            for bounded in &decided.bounded {
                writeln!(out, "    bounded: {bounded}")?;
            }
            let why = words::reason_beside(&decided.decision, before.evidence);
            let why = if why.is_empty() { why } else { format!(": {why}") };
            // Its delay counts from the decision on.
            let due = match &decided.decision {
                Decision::Retry(retry) => {
                    let due = stamped.at.checked_add(retry.delay).unwrap_or(Timestamp::MAX);
                    format!(" at {}", local(due))
                }
                _ => String::new(),
            };
            writeln!(out, "    {}{due} ({}){why}", words::decision(&decided.decision), decided.by)?;
        }
        _ => {}
    }
    Ok(())
}

fn tell_unfinished(
    out: &mut impl Write,
    dir: &Path,
    state: &StudyState,
    at: Timestamp,
    started: &AttemptStarted,
) -> std::io::Result<()> {
    let so_far = Duration::try_from(crate::clock::wall().duration_since(at)).unwrap_or_default();
    let began = words::clock(at, state.started_at(), &TimeZone::system());
    let how = if is_running(started) {
        let devices = words::devices(state.devices(), &started.devices);
        format!("running for {} on {devices}", words::span(so_far))
    } else {
        "no longer running; `reprieve resume` takes in how it ended".to_owned()
    };
    writeln!(out, "  {} {} at {began}: {how}", started.stage.name(), started.attempt)?;
    let files = attempt_directory(dir, state.study(), started.experiment, started.stage, started.attempt);
    writeln!(out, "    output: {}", files.display())
}

fn tell_failure(out: &mut impl Write, attempt: &Attempt) -> std::io::Result<()> {
    // Where a class is all that is known, the words would only repeat it.
    if let Some(failure) = attempt.failure.as_ref().filter(|failure| failure.evidence != failure.class.name())
    {
        writeln!(out, "    {}: {}", failure.class.name(), failure.evidence)?;
    }
    if let Some(report) = &attempt.self_report {
        let retryable = match report.retryable {
            Some(true) => "worth a retry",
            Some(false) => "not worth a retry",
            None => "no word on a retry",
        };
        let said = [&report.kind, &report.message].map(|part| text::line(part));
        let said =
            said.iter().filter(|part| !part.is_empty()).map(|part| format!(" {part}")).collect::<String>();
        writeln!(out, "    it said itself:{said} ({retryable})")?;
    }
    // How many leftovers there were, the cleanup's steps say.
    for fact in attempt.facts.iter().filter(|fact| fact.name != "leftovers-ended") {
        let name = if fact.name == "self-report-error" { "its report cannot be read" } else { &fact.name };
        writeln!(out, "    {name}: {}", fact.value)?;
    }
    Ok(())
}
