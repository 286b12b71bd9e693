//! For people: one timed line for each thing worth knowing, and a summary.
//!
//! What passes is said shortly, what fails with its cause, what was decided
//! with its reason, and what comes next with its time.

use std::io::Write;
use std::path::PathBuf;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use console::Term;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::attempt::{Attempt, Stage};
use crate::cleanup::{HandOver, Quarantine};
use crate::decision::{Decision, PolicyFault};
use crate::event::{AttemptEnded, Decided, Event, PolicyIdentity, Stamped, StudyEnd};
use crate::shell;
use crate::state::StudyState;
use crate::study::ExperimentId;

use super::live::Live;
use super::tally::Tally;
use super::{Reporter, fit, words};

/// Where a timed line's text begins, the experiment's name not counted.
const TEXT_COLUMN: usize = "00:00:00    measure  ".len();

/// The same of an experiment's line in the summary.
const SUMMARY_COLUMN: usize = "  failed    ".len();

/// How many experiments of a kind the summary names.
const NAMED_MAX: usize = 20;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const NEXT: Style = AnsiColor::Yellow.on_default();
const FAINT: Style = Style::new().dimmed();

/// Where people read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error, where standard output is another's.
    Stderr,
}

/// Writes for people.
pub struct Human {
    dir: PathBuf,
    stream: Stream,
    zone: TimeZone,
    /// `None` where the stream goes elsewhere: no line is broken there.
    terminal: Option<Term>,
    live: Option<Live>,
    colour: bool,
    name_width: usize,
    tally: Tally,
    interrupted: bool,
}

impl Human {
    /// A reporter of the study in this directory; a terminal gets a view of what runs too.
    pub fn new(dir: PathBuf, stream: Stream) -> Self {
        let terminal = match stream {
            Stream::Stdout => Term::stdout(),
            Stream::Stderr => Term::stderr(),
        };
        // A dumb one, such as an editor's, knows no cursor (terminfo's `dumb`).
        let is_dumb = std::env::var_os("TERM").is_some_and(|name| name == "dumb");
        let terminal = Some(terminal).filter(|terminal| terminal.is_term() && !is_dumb);
        Self {
            dir,
            stream,
            zone: TimeZone::system(),
            live: terminal.clone().map(Live::new),
            colour: match stream {
                Stream::Stdout => AutoStream::choice(&std::io::stdout()),
                Stream::Stderr => AutoStream::choice(&std::io::stderr()),
            } != ColorChoice::Never,
            terminal,
            name_width: 0,
            tally: Tally::default(),
            interrupted: false,
        }
    }

    /// A line of its own.
    fn line(&self, text: &str) {
        self.indented(text, 2);
    }

    /// A line that goes on below itself, this far in, where a terminal is too narrow for it.
    fn indented(&self, text: &str, indent: usize) {
        match self.columns() {
            Some(columns) => fit::wrap(text, columns, indent).iter().for_each(|line| self.whole(line)),
            None => self.whole(text),
        }
    }

    /// A line with something to copy, such as a path.
    fn whole(&self, text: &str) {
        match &self.live {
            Some(live) if self.colour => live.print(text),
            Some(live) => live.print(&anstream::adapter::strip_str(text).to_string()),
            // A closed pipe is the reader's choice; the study goes on.
            None => {
                let _ = match self.stream {
                    Stream::Stdout => writeln!(anstream::stdout(), "{text}"),
                    Stream::Stderr => writeln!(anstream::stderr(), "{text}"),
                };
            }
        }
    }

    /// How long a line may be.
    fn columns(&self) -> Option<usize> {
        self.terminal.as_ref().map(|terminal| terminal.size().1.into())
    }

    fn name(&self, state: &StudyState, id: ExperimentId) -> String {
        let name = state.study().name_of(id);
        // Only a terminal has too little room for the whole of it.
        let shown =
            if self.terminal.is_some() { fit::shorten(&name, self.name_width) } else { (&*name).into() };
        fit::pad(&shown, self.name_width)
    }

    fn clock(&self, at: Timestamp, now: Timestamp) -> String {
        words::clock(at, now, &self.zone)
    }

    fn timed(&self, at: Timestamp, name: &str, stage: &str, text: &str) {
        let time = at.to_zoned_datetime(self.zone.clone()).strftime("%H:%M:%S");
        self.indented(
            &format!("{FAINT}{time}{FAINT:#}  {name}  {stage:7}  {text}"),
            TEXT_COLUMN + self.name_width,
        );
    }

    /// More on the line above, without colour.
    fn below(&self, text: &str) {
        let indent = TEXT_COLUMN + self.name_width;
        self.indented(&format!("{:indent$}{text}", ""), indent);
    }

    /// One experiment, in the summary.
    fn named(&self, state: &StudyState, style: Style, what: &str, id: ExperimentId, why: &str) {
        let text = format!("  {style}{what}{style:#}  {}  {why}", self.name(state, id));
        self.indented(&text, SUMMARY_COLUMN + self.name_width);
    }

    fn head(&mut self, state: &StudyState, verb: &str, policies: &[PolicyIdentity]) {
        let study = state.study();
        let longest = study.ids().take(10_000).map(|id| study.name_of(id).chars().count()).max();
        // In a terminal a name leaves room for what there is to say of it.
        let most = self.columns().map_or(40, |columns| (columns / 4).clamp(8, 40));
        self.name_width = longest.unwrap_or_default().min(most);
        let policies: Vec<String> = policies.iter().map(|p| format!("{} {}", p.name, p.version)).collect();
        self.line(&format!(
            "{verb} `{}`: {} on {}, judged by {}",
            state.study().name,
            words::count(state.study().len() as u64, "experiment"),
            words::machine(state.devices()),
            policies.join(", "),
        ));
        self.whole(&format!("{FAINT}recorded in {}{FAINT:#}", self.dir.display()));
    }

    /// A policy's file is not kept with the study: who goes on with another one is told.
    fn changed_policies(&self, now: &[PolicyIdentity]) {
        for policy in now.iter().filter(|policy| !self.tally.policies.contains(policy)) {
            let PolicyIdentity { name, version, digest } = policy;
            let digest = &digest[..digest.len().min(12)];
            self.line(&format!(
                "{NEXT}changed{NEXT:#}: {name} {version} (sha256 {digest}…) is not what judged this study until now"
            ));
        }
    }

    /// What an earlier host began and this one goes on with.
    fn taken_over(&self, at: Timestamp, state: &StudyState) {
        for (id, (since, started)) in &self.tally.running {
            let devices = words::devices(state.devices(), &started.devices);
            let text = format!(
                "attempt {} on {devices}, begun at {}, is taken over",
                started.attempt,
                self.clock(*since, at)
            );
            self.timed(at, &self.name(state, *id), started.stage.name(), &text);
        }
        for (id, due) in state.study().ids().filter_map(|id| Some((id, state.due(id)?))) {
            let (stage, _) = state.newest_attempt(id);
            let text = format!("its next attempt is due at {}", self.clock(due, at));
            self.timed(at, &self.name(state, id), stage.name(), &text);
        }
    }

    fn attempt_ended(&mut self, at: Timestamp, id: ExperimentId, attempt: &Attempt, state: &StudyState) {
        let name = self.name(state, id);
        let stage = attempt.stage.name();
        let number = attempt.number;
        match &attempt.failure {
            None => {
                let took = words::span(attempt.ran_for);
                let with = words::overrides(state.overrides(id));
                self.timed(at, &name, stage, &format!("{GOOD}ok{GOOD:#} in {took} (attempt {number}){with}"));
            }
            Some(failure) => {
                let (class, ending) = (failure.class.name(), words::ending(attempt));
                self.timed(at, &name, stage, &format!("{BAD}failed{BAD:#}: {ending} (attempt {number})"));
                self.below(&format!("{class}: {}", failure.evidence));
            }
        }
    }

    /// What else is worth knowing of an attempt, whatever became of it.
    fn facts(&self, attempt: &Attempt) {
        for fact in &attempt.facts {
            match &*fact.name {
                "leftovers-ended" => {
                    let count = fact.value.parse::<u64>().unwrap_or_default();
                    let processes = if count == 1 { "process" } else { "processes" };
                    self.below(&format!("{count} leftover {processes} ended"));
                }
                "self-report-error" => self.below(&format!("its report cannot be read: {}", fact.value)),
                _ => {}
            }
        }
    }

    /// What of the cleanup a person should know: what failed, and what became of devices.
    fn cleanup(&self, ended: &AttemptEnded, state: &StudyState) {
        let foreign = ended.attempt.foreign_processes;
        if foreign > 0 {
            let processes = if foreign == 1 { "process" } else { "processes" };
            self.below(&format!("{foreign} {processes} of others on its devices meanwhile"));
        }
        for line in words::cleanup(ended.cleanup.as_ref()) {
            self.below(&line);
        }
        let leased = state.leased(ended.experiment);
        for (position, left) in leased.iter().zip(&ended.devices) {
            if let Some(quarantine) = &left.quarantine {
                self.quarantined(&state.devices()[usize::from(*position)].id, quarantine);
            }
        }
    }

    fn quarantined(&self, device: &str, quarantine: &Quarantine) {
        self.line(&format!("{BAD}quarantined{BAD:#} {device}: {}", quarantine.reason));
        self.line(&format!("  to do: {}", quarantine.remedy));
    }

    fn found(&self, readings: &[HandOver], state: &StudyState) {
        for (device, found) in state.devices().iter().zip(readings) {
            if let Some(quarantine) = &found.quarantine {
                self.quarantined(&device.id, quarantine);
            }
        }
    }

    fn decided(&mut self, at: Timestamp, decided: &Decided, state: &StudyState) {
        let id = decided.experiment;
        if let Some(fault) = &decided.fault {
            self.fault(fault, &decided.by);
        }
        for bounded in &decided.bounded {
            self.below(&format!("bounded: {bounded}"));
        }
        if decided.decision != Decision::Accept {
            let name = self.name(state, id);
            self.timed(at, &name, decided.stage.name(), &self.judged(at, decided, state));
        }
    }

    /// What was decided, when it takes effect, by whom and why.
    fn judged(&self, at: Timestamp, decided: &Decided, state: &StudyState) -> String {
        let id = decided.experiment;
        let (style, due) = match state.due(id) {
            Some(due) => (NEXT, format!(" at {}", self.clock(due, at))),
            None => (BAD, String::new()),
        };
        let what = words::decision(&decided.decision);
        let reason = words::reason_beside(&decided.decision, self.tally.evidence(id));
        format!("{style}{what}{due}{style:#} ({}): {reason}", decided.by)
    }

    fn interrupted(&mut self, signal: i32, state: &StudyState) {
        let what = if std::mem::replace(&mut self.interrupted, true) {
            "ending what runs at once".to_owned()
        } else {
            let grace = words::span(state.study().interrupt_grace);
            match state.in_flight() {
                0 => "nothing new starts".to_owned(),
                1 => format!("nothing new starts; 1 attempt may go on for {grace}, a second one ends it"),
                many => {
                    format!(
                        "nothing new starts; {many} attempts may go on for {grace}, a second one ends them"
                    )
                }
            }
        };
        self.line(&format!("{NEXT}{}{NEXT:#}: {what}", words::signal(signal)));
    }

    fn fault(&self, fault: &PolicyFault, by: &str) {
        self.below(&format!("policy fault: {}; `{by}` decides", words::fault(fault)));
        for function in fault.functions().take(5) {
            self.below(&format!("  at {function}"));
        }
    }

    fn more(&self, unnamed: usize) {
        if unnamed > 0 {
            self.line(&format!("  and {unnamed} more"));
        }
    }

    fn summary(&self, at: Timestamp, how: &StudyEnd, state: &StudyState) {
        let progress = state.progress(at);
        let took = words::span(progress.elapsed);
        let (good, bad) = (progress.succeeded, progress.failed);
        let mut line = format!("{GOOD}{good} succeeded{GOOD:#}{}", words::changed(state));
        if bad > 0 {
            line.push_str(&format!(", {BAD}{bad} failed{BAD:#}"));
        }
        match self.tally.unfinished.len() {
            0 => {}
            count => line.push_str(&format!(", {BAD}{count} with a failed finish{BAD:#}")),
        }
        if progress.remaining > 0 {
            line.push_str(&format!(", {NEXT}{} not done{NEXT:#}", progress.remaining));
        }
        let retries = if progress.retries == 1 {
            "1 retry".to_owned()
        } else {
            format!("{} retries", progress.retries)
        };
        self.line("");
        let faults = match self.tally.faults {
            0 => String::new(),
            faults => format!(", {BAD}{}{BAD:#}", words::count(faults, "policy fault")),
        };
        self.line(&format!("{}: {line}; {retries}{faults}, {took}", words::study_end(how)));
        if let Some(why) = words::stop_reason(how) {
            self.whole(&format!("  {BAD}because{BAD:#}  {why}"));
        }
        for stage in Stage::ALL.into_iter().filter(|stage| state.set_aside(*stage)) {
            let stage = stage.name();
            self.line(&format!(
                "  {BAD}set aside{BAD:#}  the policy of `{stage}`: it failed to answer too often in a row"
            ));
        }
        for (id, why) in &self.tally.failed {
            self.named(state, BAD, "failed", *id, why);
        }
        self.more((bad as usize).saturating_sub(self.tally.failed.len()));
        for (id, why) in self.tally.unfinished.iter().take(NAMED_MAX) {
            self.named(state, BAD, "finish", *id, why);
        }
        self.more(self.tally.unfinished.len().saturating_sub(NAMED_MAX));
        for id in words::changed_ids(state).take(NAMED_MAX) {
            self.named(state, NEXT, "changed", id, words::overrides(state.overrides(id)).trim_start());
        }
        self.more(words::changed_ids(state).count().saturating_sub(NAMED_MAX));
        let dir = shell::path(&self.dir);
        if progress.remaining > 0 {
            self.whole(&format!("hint: `reprieve resume {dir}` goes on with the rest"));
        } else if bad > 0 || !self.tally.unfinished.is_empty() {
            self.whole(&format!("hint: `reprieve show {dir}` tells every attempt and where its output is"));
        }
    }
}

impl Reporter for Human {
    fn report(&mut self, stamped: &Stamped, state: &StudyState) {
        let at = stamped.at;
        if let Some(live) = &mut self.live {
            live.update(stamped, state);
        }
        match &stamped.event {
            Event::StudyStarted(started) => {
                self.head(state, "study", &started.policies);
                self.found(&started.readings, state);
            }
            Event::StudyResumed { policies, reopened, readings, .. } => {
                self.head(state, "resuming", policies);
                self.changed_policies(policies);
                self.found(readings, state);
                if !reopened.is_empty() {
                    let experiments = words::count(reopened.len() as u64, "experiment");
                    self.line(&format!("{experiments} that had failed will run again"));
                }
                self.taken_over(at, state);
            }
            Event::AttemptStarted(started) => {
                if self.live.is_none() {
                    let name = self.name(state, started.experiment);
                    let devices = words::devices(state.devices(), &started.devices);
                    let with = words::overrides(&started.overrides);
                    let text = format!("attempt {} on {devices}{with}", started.attempt);
                    self.timed(at, &name, started.stage.name(), &text);
                }
            }
            Event::AttemptEnded(ended) if ended.interrupted => {
                let name = self.name(state, ended.experiment);
                let text = format!("{NEXT}interrupted{NEXT:#}: runs again on resume");
                self.timed(at, &name, ended.attempt.stage.name(), &text);
            }
            Event::AttemptEnded(ended) => {
                self.attempt_ended(at, ended.experiment, &ended.attempt, state);
                self.facts(&ended.attempt);
                self.cleanup(ended, state);
            }
            Event::Decided(decided) => self.decided(at, decided, state),
            Event::BackoffElapsed { .. } => {}
            Event::Interrupted { signal } => self.interrupted(*signal, state),
            Event::GraceElapsed => self.line("the grace is over: ending what runs"),
            Event::TimeLimitReached => self.line("the study's time limit is reached: nothing new starts"),
            Event::StudyEnded { how } => {
                self.live = None;
                self.summary(at, how, state);
            }
        }
        self.tally.note(stamped, state);
    }

    fn replay(&mut self, stamped: &Stamped, state: &StudyState) {
        self.tally.note(stamped, state);
    }

    fn is_live(&self) -> bool {
        self.live.is_some()
    }

    fn tick(&mut self, state: &StudyState) {
        if let Some(live) = &mut self.live {
            live.tick(state);
        }
    }
}
