//! For machines: every event as one line of JSON on standard output, as the journal has it.
//!
//! The first line of a run or a resume also names the experiments, which events number.

use std::io::{self, Write};

use serde::Serialize;

use crate::event::{Event, Stamped};
use crate::state::StudyState;
use crate::study::Planned;

use super::Reporter;

/// The version of what `--json` prints, in every line of every command. A
/// member may be added without a new version; none changes its meaning.
pub const VERSION: u32 = 1;

/// Writes every event to standard output.
pub struct Json;

/// An event, and with a host's first one what the numbers of experiments stand for.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    stamped: &'a Stamped,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    planned: Vec<Planned<'a>>,
}

/// What a command prints, with the version in front.
#[derive(Serialize)]
pub struct Versioned<T> {
    version: u32,
    #[serde(flatten)]
    value: T,
}

impl<T: Serialize> Versioned<T> {
    /// This value in the present version.
    pub fn new(value: T) -> Self {
        Self { version: VERSION, value }
    }

    /// Prints it as one line.
    ///
    /// # Errors
    ///
    /// Where standard output cannot be written.
    pub fn print(&self) -> io::Result<()> {
        let line = serde_json::to_string(self).expect("what is printed has string keys");
        writeln!(io::stdout().lock(), "{line}")
    }
}

impl Reporter for Json {
    fn report(&mut self, stamped: &Stamped, state: &StudyState) {
        let planned = match stamped.event {
            Event::StudyStarted(_) | Event::StudyResumed { .. } => {
                let study = state.study();
                study.ids().map(|id| study.planned(id)).collect()
            }
            _ => Vec::new(),
        };
        match Versioned::new(Told { stamped, planned }).print() {
            // A closed pipe is the reader's choice, and the study goes on in any case.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                tracing::error!("an event cannot be printed: {error}");
            }
            _ => {}
        }
    }
}
