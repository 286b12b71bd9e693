//! What is wrong with a study file, shown at its place in the file.
//!
//! It knows spans and text, and nothing of the schema that they break.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::sync::LazyLock;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use regex::{Captures, Regex};

use super::{Reference, Source, Span};

/// Why there is no study: everything that was found wrong, in file order.
///
/// `Display` prints each problem as rustc would: the message, the place, the
/// line with carets under it, and the way out as `hint: ...`.
#[derive(Debug)]
pub struct StudyError {
    path: String,
    text: String,
    problems: Vec<Problem>,
    more: bool,
}

/// One thing that is wrong.
#[derive(Debug)]
pub(super) struct Problem {
    message: String,
    /// `None` where no place in the file is to blame.
    place: Option<Span>,
    hint: Option<String>,
    related: Option<(Span, &'static str)>,
}

impl Problem {
    pub(super) fn at(place: Span, message: impl Into<String>) -> Self {
        Self { place: Some(place), ..Self::without_place(message) }
    }

    fn without_place(message: impl Into<String>) -> Self {
        Self { message: message.into(), place: None, hint: None, related: None }
    }

    /// The way out, without the word `hint`.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A second place that explains the first, and what it shows.
    pub(super) fn related(mut self, place: Span, label: &'static str) -> Self {
        self.related = Some((place, label));
        self
    }
}

/// Collects the problems of one file.
#[derive(Debug, Default)]
pub(super) struct Problems {
    list: Vec<Problem>,
    more: bool,
}

impl Problems {
    /// More than this at once helps nobody, and a generated file can hold
    /// a million.
    const MOST: usize = 20;

    /// Notes a problem. The same one at the same place is noted once: what the
    /// defaults get wrong would otherwise be said for every experiment.
    pub(super) fn add(&mut self, problem: Problem) {
        let known = |p: &Problem| p.place == problem.place && p.message == problem.message;
        if self.list.iter().any(known) {
        } else if self.list.len() == Self::MOST {
            self.more = true;
        } else {
            self.list.push(problem);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// `Ok` where there are none.
    pub(super) fn into_result(mut self, source: &Source) -> Result<(), StudyError> {
        if self.list.is_empty() {
            return Ok(());
        }
        self.list.sort_by_key(|problem| problem.place.map(|place| place.start));
        Err(StudyError {
            path: source.path.display().to_string(),
            text: source.text.clone(),
            problems: self.list,
            more: self.more,
        })
    }
}

impl StudyError {
    /// A file that could not even be read.
    pub(super) fn unreadable(path: &Path, message: impl fmt::Display, hint: Option<&str>) -> Self {
        let mut problem = Problem::without_place(message.to_string());
        problem.hint = hint.map(str::to_owned);
        Self { path: path.display().to_string(), text: String::new(), problems: vec![problem], more: false }
    }

    /// The text that `Display` prints, with terminal colours where asked for.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut blocks: Vec<String> =
            self.problems.iter().map(|problem| self.render_problem(problem, &renderer)).collect();
        if self.more {
            let first = Problems::MOST;
            let title = Level::NOTE.secondary_title(format!("there is more; these are the first {first}"));
            blocks.push(renderer.render(&[Group::with_title(title)]));
        }
        blocks.join("\n\n")
    }

    /// The same without the places, for a study that stands in no file.
    pub fn without_places(&self) -> String {
        let told = |problem: &Problem| match &problem.hint {
            Some(hint) => format!("{}\nhint: {hint}", problem.message),
            None => problem.message.clone(),
        };
        self.problems.iter().map(told).collect::<Vec<_>>().join("\n")
    }

    fn render_problem(&self, problem: &Problem, renderer: &Renderer) -> String {
        let title = Level::ERROR.primary_title(&problem.message);
        let mut report = vec![match problem.place {
            Some(place) => title.element(self.snippet(place, problem.related)),
            None => Group::with_title(title),
        }];
        if let Some(hint) = &problem.hint {
            let level = Level::HELP.with_name("hint");
            report.push(Group::with_title(level.secondary_title(hint)));
        }
        renderer.render(&report)
    }

    /// Only the lines from one place to the other: the file may be long.
    fn snippet(&self, place: Span, related: Option<(Span, &'static str)>) -> Snippet<'_, Annotation<'_>> {
        let place = place.within(&self.text);
        let related = related.map(|(other, label)| (other.within(&self.text), label));
        let other = related.map_or(place, |(other, _)| other);
        let start = self.text[..place.start.min(other.start)].rfind('\n').map_or(0, |at| at + 1);
        let end = place.end.max(other.end);
        let end = self.text[end..].find('\n').map_or(self.text.len(), |at| end + at + 1);
        let line = 1 + self.text[..start].matches('\n').count();
        let moved = |span: Span| span.start - start..span.end - start;

        let snippet = Snippet::source(without_credentials(&self.text[start..end]))
            .path(&self.path)
            .line_start(line)
            .annotation(AnnotationKind::Primary.span(moved(place)));
        match related {
            Some((other, label)) => {
                snippet.annotation(AnnotationKind::Context.span(moved(other)).label(label))
            }
            None => snippet,
        }
    }
}

/// The lines with the names and passwords covered that stand in references, which
/// is an error of its own. They keep their length: places are told by it.
fn without_credentials(lines: &str) -> Cow<'_, str> {
    static REFERENCE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"[a-z]+://[^\s"']*"#).expect("it is ours"));
    REFERENCE.replace_all(lines, |found: &Captures<'_>| {
        let shown = Reference::without_credentials(&found[0]);
        let covered = found[0].len().saturating_sub(shown.len() - "…".len());
        match &shown {
            Cow::Borrowed(shown) => (*shown).to_owned(),
            Cow::Owned(shown) => shown.replacen('…', &"*".repeat(covered), 1),
        }
    })
}

impl fmt::Display for StudyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for StudyError {}
