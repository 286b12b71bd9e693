//! What a command tells people once, on standard output, within a terminal's width.
//!
//! Knows nothing of studies. What goes to a file or a pipe is never broken.

use std::borrow::Cow;
use std::io::{self, Write};

use anstream::AutoStream;
use console::{Term, measure_text_width};

use super::fit;

/// Standard output, as a page to write on.
pub struct Page {
    out: AutoStream<io::StdoutLock<'static>>,
    columns: Option<usize>,
}

impl Page {
    /// Takes standard output.
    pub fn stdout() -> Self {
        let terminal = Some(Term::stdout()).filter(Term::is_term);
        Self { out: anstream::stdout().lock(), columns: terminal.map(|terminal| terminal.size().1.into()) }
    }

    /// A line that goes on below itself, this far in, where a terminal is too narrow for it.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub fn line(&mut self, text: &str, indent: usize) -> io::Result<()> {
        match self.columns {
            Some(columns) => {
                fit::wrap(text, columns, indent).iter().try_for_each(|line| writeln!(self.out, "{line}"))
            }
            None => writeln!(self.out, "{text}"),
        }
    }

    /// The start of a remark, as far as a terminal has room for it after this
    /// text, and at most so much of it; nothing where that would tell nothing.
    pub fn beside<'t>(&self, text: &str, remark: &'t str, most: usize) -> Cow<'t, str> {
        const TELLING: usize = 12;
        let left = self.columns.map_or(most, |columns| columns.saturating_sub(measure_text_width(text)));
        if left < TELLING.min(measure_text_width(remark)) {
            return Cow::Borrowed("");
        }
        fit::cut(remark, left.min(most))
    }
}
