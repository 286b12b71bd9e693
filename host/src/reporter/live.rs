//! The part of a terminal that shows what runs now; lines for keeps go above it.

use std::collections::BTreeMap;
use std::time::Duration;

use console::Term;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::event::{AttemptStarted, Event, Stamped};
use crate::state::StudyState;
use crate::study::ExperimentId;

use super::human::Stream;

/// How many running attempts are shown; a machine has few devices.
const SHOWN_MAX: usize = 16;

pub(super) struct Live {
    terminal: Term,
    screen: MultiProgress,
    total: ProgressBar,
    running: BTreeMap<ExperimentId, ProgressBar>,
    waiting: BTreeMap<ExperimentId, jiff::Timestamp>,
}

impl Live {
    pub(super) fn new(stream: Stream) -> Self {
        let (target, terminal) = match stream {
            Stream::Stdout => (ProgressDrawTarget::stdout(), Term::stdout()),
            Stream::Stderr => (ProgressDrawTarget::stderr(), Term::stderr()),
        };
        let screen = MultiProgress::with_draw_target(target);
        let total = screen.add(ProgressBar::new(0));
        total.set_style(style("{bar:30} {pos}/{len}  {msg}"));
        Self { terminal, screen, total, running: BTreeMap::new(), waiting: BTreeMap::new() }
    }

    /// Columns of the terminal.
    pub(super) fn width(&self) -> usize {
        self.terminal.size().1.into()
    }

    pub(super) fn print(&self, text: &str) {
        // Fails only where the terminal has gone; the study goes on.
        let _ = self.screen.println(text);
    }

    pub(super) fn update(&mut self, stamped: &Stamped, state: &StudyState) {
        match &stamped.event {
            Event::StudyStarted(_) | Event::StudyResumed { .. } => {
                self.total.set_length(state.study().len() as u64);
            }
            Event::AttemptStarted(started) => {
                let name = state.study().name_of(started.experiment);
                self.begin(&name, started);
            }
            Event::AttemptEnded(ended) => {
                if let Some(bar) = self.running.remove(&ended.experiment) {
                    bar.finish_and_clear();
                }
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

    fn begin(&mut self, name: &str, started: &AttemptStarted) {
        if self.running.len() >= SHOWN_MAX {
            return;
        }
        let bar = self.screen.insert_before(&self.total, ProgressBar::new_spinner());
        bar.set_style(style("{spinner} {msg}  {elapsed}"));
        let (stage, with) = (started.stage.name(), super::words::overrides(&started.overrides));
        bar.set_message(format!("{name}  {stage}  attempt {}{with}", started.attempt));
        self.running.insert(started.experiment, bar);
    }

    pub(super) fn tick(&self, state: &StudyState) {
        let now = crate::clock::wall();
        let progress = state.progress(now);
        let mut message = format!("{} failed, {} running", progress.failed, self.running.len());
        if let Some(next) = self.waiting.values().min() {
            let left = Duration::try_from(next.duration_since(now)).unwrap_or_default();
            let left = super::words::span(Duration::from_secs(left.as_secs_f64().ceil() as u64));
            message.push_str(&format!(", {} waiting, the next for {left}", self.waiting.len()));
        }
        self.total.set_message(message);
        self.total.set_position(u64::from(progress.succeeded + progress.failed));
        for bar in self.running.values() {
            bar.tick();
        }
    }

    pub(super) fn close(&self) {
        self.total.finish_and_clear();
        // Fails only where the terminal has gone.
        let _ = self.screen.clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates are ours")
}
