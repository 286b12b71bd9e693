//! The part of a terminal that shows what runs now; lines for keeps go above it.
//!
//! The cursor always rests at the start of the line below it: what the terminal
//! itself prints there, such as `^C`, is wiped with the rest.

use std::collections::BTreeMap;
use std::time::Duration;

use console::{Term, measure_text_width};
use jiff::Timestamp;

use crate::event::{AttemptStarted, Event, Stamped};
use crate::state::StudyState;
use crate::study::ExperimentId;

use super::{fit, words};

/// How many running attempts are shown; a machine has few devices.
const SHOWN_MAX: usize = 16;

const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

pub(super) struct Live {
    terminal: Term,
    running: BTreeMap<ExperimentId, Running>,
    waiting: BTreeMap<ExperimentId, Timestamp>,
    /// What is on the screen now, each line with its end.
    shown: String,
}

struct Running {
    name: String,
    /// Stage, number and overrides.
    attempt: String,
    since: Timestamp,
}

impl Live {
    pub(super) fn new(terminal: Term) -> Self {
        Self { terminal, running: BTreeMap::new(), waiting: BTreeMap::new(), shown: String::new() }
    }

    /// Prints a line above what is shown.
    pub(super) fn print(&self, text: &str) {
        self.write(&format!("{text}\n{}", self.shown));
    }

    pub(super) fn update(&mut self, stamped: &Stamped, state: &StudyState) {
        match &stamped.event {
            Event::StudyStarted(_) | Event::StudyResumed { .. } => {
                let ids = state.study().ids();
                self.waiting = ids.filter_map(|id| Some((id, state.due(id)?))).collect();
            }
            Event::AttemptStarted(started) => self.begin(started, stamped.at, state),
            Event::AttemptEnded(ended) => {
                self.running.remove(&ended.experiment);
            }
            Event::Decided(decided) => {
                if let Some(due) = state.due(decided.experiment) {
                    self.waiting.insert(decided.experiment, due);
                }
            }
            Event::BackoffElapsed { experiment } => {
                self.waiting.remove(experiment);
            }
            Event::Interrupted { .. } => self.waiting.clear(),
            Event::GraceElapsed | Event::TimeLimitReached | Event::StudyEnded { .. } => {}
        }
        self.tick(state);
    }

    fn begin(&mut self, started: &AttemptStarted, since: Timestamp, state: &StudyState) {
        let (stage, with) = (started.stage.name(), words::overrides(&started.overrides));
        let attempt = format!("  {stage}  attempt {}{with}", started.attempt);
        let name = state.study().name_of(started.experiment);
        self.running.insert(started.experiment, Running { name, attempt, since });
    }

    /// Shows the present.
    pub(super) fn tick(&mut self, state: &StudyState) {
        let now = crate::clock::wall();
        let (rows, columns) = self.terminal.size();
        // A terminal may break a line that is exactly full.
        let columns = usize::from(columns).saturating_sub(1);
        let most = usize::from(rows).saturating_sub(4).min(SHOWN_MAX);
        let shown = || self.running.values().take(most);
        let widest = shown().map(|running| measure_text_width(&running.name)).max().unwrap_or_default();
        let mut lines: Vec<String> = shown().map(|running| running.line(now, columns, widest)).collect();
        let more = self.running.len().saturating_sub(most);
        if more > 0 {
            lines.push(format!("  and {more} more"));
        }
        lines.push(self.total(now, columns, state));
        let shown = lines.join("\n") + "\n";
        if shown != self.shown {
            self.write(&shown);
            self.shown = shown;
        }
    }

    fn total(&self, now: Timestamp, columns: usize, state: &StudyState) -> String {
        let progress = state.progress(now);
        let (done, all) = ((progress.succeeded + progress.failed) as usize, state.study().len());
        let mut text = format!("{done}/{all}  {} failed, {} running", progress.failed, self.running.len());
        if let Some(next) = self.waiting.values().min() {
            let left = Duration::try_from(next.duration_since(now)).unwrap_or_default();
            let left = words::span(Duration::from_secs(left.as_secs_f64().ceil() as u64));
            text.push_str(&format!(", {} waiting, the next for {left}", self.waiting.len()));
        }
        let width = (columns / 5).clamp(8, 30);
        let full = width * done / all;
        let bar = "█".repeat(full) + &"░".repeat(width - full);
        fit::cut(&format!("{bar} {text}"), columns).into_owned()
    }

    /// Puts this in the place of what is shown, at once so that nothing flickers.
    fn write(&self, text: &str) {
        // ECMA-48: CUU moves the cursor up, ED erases from there to the end.
        let up = match self.shown.matches('\n').count() {
            0 => String::new(),
            lines => format!("\x1b[{lines}A"),
        };
        // Fails only where the terminal has gone; the study goes on.
        let _ = self.terminal.write_str(&format!("\r{up}\x1b[J{text}"));
    }
}

impl Drop for Live {
    /// Wipes what is shown: it has no place after the end, whatever the end is.
    fn drop(&mut self) {
        self.write("");
    }
}

impl Running {
    fn line(&self, now: Timestamp, columns: usize, widest: usize) -> String {
        let ran_for = Duration::try_from(now.duration_since(self.since)).unwrap_or_default();
        let spinner = SPINNER[(ran_for.as_millis() / 100 % 10) as usize];
        let seconds = words::span(Duration::from_secs(ran_for.as_secs()));
        let rest = format!("{}  {seconds}", self.attempt);
        // An experiment is told from its neighbours by its name: that has half of the line at least.
        let room = columns.saturating_sub(2 + measure_text_width(&rest)).max(columns / 2);
        let name = fit::pad(&fit::shorten(&self.name, room), widest.min(room));
        fit::cut(&format!("{spinner} {name}{rest}"), columns).into_owned()
    }
}
