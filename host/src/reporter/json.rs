//! For machines: every event as one line of JSON on standard output, as the journal has it.

use std::io::Write;

use serde::Serialize;

use crate::event::Stamped;
use crate::state::StudyState;

use super::Reporter;

/// The version of what `--json` prints, in every line of every command. A
/// member may be added without a new version; none changes its meaning.
pub const VERSION: u32 = 1;

/// Writes every event to standard output.
pub struct Json;

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

    /// Prints it as one line. A closed pipe is the reader's choice.
    pub fn print(&self) {
        let line = serde_json::to_string(self).expect("what is printed has string keys");
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }
}

impl Reporter for Json {
    fn report(&mut self, stamped: &Stamped, _state: &StudyState) {
        Versioned::new(stamped).print();
    }
}
