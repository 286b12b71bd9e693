//! Takes values out of the tree and notes those that are not what they should be.
//!
//! Every reading gives a value. Where one was wrong it is a stand-in, good
//! enough to look for further problems, and noted, so that no study comes of it.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::fmt::friendly::SpanParser;

use super::error::{Problem, Problems};
use super::tree::{Key, Node, Value};
use super::{Source, Span};

/// The longest duration that is taken for one: ten years. More is a slip.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 60 * 60);

/// Reads one file.
#[derive(Debug)]
pub(super) struct Reader<'s> {
    pub(super) source: &'s Source,
    pub(super) problems: Problems,
}

/// A map whose keys the schema knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'t> {
    pub(super) span: Span,
    entries: &'t [(Key, Node)],
    is_map: bool,
}

impl<'t> Table<'t> {
    /// One that says nothing.
    pub(super) const EMPTY: Table<'static> =
        Table { span: Span { start: 0, end: 0 }, entries: &[], is_map: true };

    /// The value of this key.
    pub(super) fn get(&self, key: &str) -> Option<&'t Node> {
        self.entries.iter().find(|(known, _)| known.name == key).map(|(_, node)| node)
    }

    /// Whether the key is missing. Of what should have been a table and is
    /// none, that is not worth saying.
    pub(super) fn lacks(&self, key: &str) -> bool {
        self.is_map && self.get(key).is_none()
    }

    /// The entries of the map that is this key's value; none where it is no map.
    pub(super) fn entries(&self, key: &str) -> &'t [(Key, Node)] {
        match self.get(key).map(|node| &node.value) {
            Some(Value::Map(entries)) => entries,
            _ => &[],
        }
    }
}

impl<'s> Reader<'s> {
    pub(super) fn new(source: &'s Source, problems: Problems) -> Self {
        Self { source, problems }
    }

    pub(super) fn wrong(&mut self, place: Span, message: impl Into<String>) {
        self.problems.add(Problem::at(place, message));
    }

    /// Notes that the value is not what it should be.
    fn mistyped(&mut self, node: &Node, what: &str, wanted: &str) {
        self.mistyped_with(node, what, wanted, None);
    }

    fn mistyped_with(&mut self, node: &Node, what: &str, wanted: &str, hint: Option<String>) {
        let is = match &node.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a table",
        };
        let problem = Problem::at(node.span, format!("{what} must be {wanted}, not {is}"));
        self.problems.add(match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        });
    }

    /// A map with these keys and no others.
    pub(super) fn table<'t>(&mut self, node: &'t Node, what: &str, known: &[&str]) -> Table<'t> {
        let entries = self.map(node, what);
        for (key, _) in entries.iter().filter(|(key, _)| !known.contains(&key.name.as_str())) {
            let problem = Problem::at(key.span, format!("unknown key `{}`", key.name));
            self.problems.add(problem.hint(nearest(&key.name, known, "known here")));
        }
        Table { span: node.span, entries, is_map: matches!(node.value, Value::Map(_)) }
    }

    /// A map with keys of the user's own.
    pub(super) fn map<'t>(&mut self, node: &'t Node, what: &str) -> &'t [(Key, Node)] {
        if let Value::Map(entries) = &node.value {
            return entries;
        }
        self.mistyped(node, what, "a table");
        &[]
    }

    pub(super) fn list<'t>(&mut self, node: &'t Node, what: &str) -> &'t [Node] {
        if let Value::List(nodes) = &node.value {
            return nodes;
        }
        let hint = match &node.value {
            Value::Number(text) => Some(format!("write `[{text}]`")),
            Value::Text(text) => Some(format!("write `[{text:?}]`")),
            _ => None,
        };
        self.mistyped_with(node, what, "a list", hint);
        &[]
    }

    /// Text, and nothing that might have been meant as something else.
    pub(super) fn text(&mut self, node: &Node, what: &str) -> String {
        if let Value::Text(_) = &node.value {
            return self.scalar(node, what);
        }
        let hint = match &node.value {
            Value::Number(text) => Some(format!("write `\"{text}\"`")),
            Value::Bool(value) => Some(format!("write `\"{value}\"`")),
            _ => None,
        };
        self.mistyped_with(node, what, "text", hint);
        String::new()
    }

    /// Text, a number or a truth value, as text.
    pub(super) fn scalar(&mut self, node: &Node, what: &str) -> String {
        match &node.value {
            Value::Text(text) => {
                // No process can be given one, in an argument or elsewhere.
                if text.contains('\0') {
                    self.wrong(node.span, format!("{what} must not hold a NUL character"));
                }
                text.clone()
            }
            Value::Number(text) => text.clone(),
            Value::Bool(value) => value.to_string(),
            Value::Null | Value::List(_) | Value::Map(_) => {
                let hint =
                    placeholder(&node.value).map(|text| format!("write `\"{text}\"`, with the quotes"));
                self.mistyped_with(node, what, "text, a number, or true or false", hint);
                String::new()
            }
        }
    }

    /// A whole number within these bounds.
    pub(super) fn integer<N>(&mut self, node: &Node, what: &str, bounds: RangeInclusive<N>) -> N
    where
        N: TryFrom<u64> + PartialOrd + Display + Copy,
    {
        let fallback = *bounds.start();
        let Value::Number(text) = &node.value else {
            let hint = match &node.value {
                Value::Text(text) if text.parse::<u64>().is_ok() => {
                    Some(format!("write `{text}`, without quotes"))
                }
                _ => None,
            };
            self.mistyped_with(node, what, "a whole number", hint);
            return fallback;
        };
        match unsigned(text).and_then(|number| N::try_from(number).ok()) {
            Some(number) if bounds.contains(&number) => number,
            _ => {
                let (least, most) = (bounds.start(), bounds.end());
                self.wrong(node.span, format!("{what} must be a whole number from {least} to {most}"));
                fallback
            }
        }
    }

    /// A duration with its unit, in whole milliseconds, which is how it is kept.
    pub(super) fn duration(&mut self, node: &Node, what: &str) -> Duration {
        let text = match &node.value {
            Value::Text(text) | Value::Number(text) => text,
            _ => {
                self.mistyped(node, what, "a duration like `\"10m\"`");
                return Duration::ZERO;
            }
        };
        if text.parse::<f64>().is_ok_and(f64::is_finite) {
            let problem = Problem::at(node.span, format!("{what} has no unit"));
            self.problems.add(problem.hint(format!("write `\"{text}s\"`")));
            return Duration::ZERO;
        }
        let Ok(duration) = SpanParser::new().parse_duration(text) else {
            let problem = Problem::at(node.span, format!("{what} is no duration"));
            let hint = "write it like \"250ms\", \"90s\", \"10m\" or \"1h 30m\"; hours are the longest unit";
            self.problems.add(problem.hint(hint));
            return Duration::ZERO;
        };
        match Duration::try_from(duration) {
            Ok(duration) if duration > LONGEST => {
                self.wrong(node.span, format!("{what} is longer than ten years"));
            }
            Ok(duration) if duration >= Duration::from_millis(1) => {
                return Duration::from_millis(crate::millis::of(duration));
            }
            _ => self.wrong(node.span, format!("{what} must be at least a millisecond")),
        }
        Duration::ZERO
    }

    /// One of these names.
    pub(super) fn choice<T: Copy>(&mut self, node: &Node, what: &str, choices: &[(&str, T)]) -> T {
        let name = self.text(node, what);
        if let Some((_, value)) = choices.iter().find(|(known, _)| *known == name) {
            return *value;
        }
        if matches!(node.value, Value::Text(_)) {
            let known: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            let problem = Problem::at(node.span, format!("{what} cannot be `{name}`"));
            self.problems.add(problem.hint(nearest(&name, &known, "it can be")));
        }
        choices[0].1
    }
}

/// What YAML makes a map of where the quotes around a placeholder are missing.
fn placeholder(value: &Value) -> Option<String> {
    match value {
        Value::Map(entries) => match &entries[..] {
            [(key, Node { value: Value::Null, .. })] => Some(format!("{{{}}}", key.name)),
            _ => None,
        },
        _ => None,
    }
}

/// A number as TOML and YAML write it, where it is whole and not negative.
pub(super) fn unsigned(text: &str) -> Option<u64> {
    let radix = |prefix: &str| text.strip_prefix(prefix);
    if let Some(digits) = radix("0x") {
        u64::from_str_radix(digits, 16).ok()
    } else if let Some(digits) = radix("0o") {
        u64::from_str_radix(digits, 8).ok()
    } else if let Some(digits) = radix("0b") {
        u64::from_str_radix(digits, 2).ok()
    } else {
        text.parse().ok()
    }
}

/// A hint for a word that is not among the known ones.
pub(super) fn nearest(word: &str, known: &[&str], otherwise: &str) -> String {
    let likeness = |known: &&str| strsim::jaro_winkler(&word.to_lowercase(), known);
    // Below 0.8 the words that come out are no longer those that were meant.
    let best = known.iter().map(|known| (likeness(known), known)).filter(|(likeness, _)| *likeness >= 0.8);
    match best.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((_, best)) => format!("did you mean `{best}`?"),
        None if known.is_empty() => format!("{otherwise}: nothing"),
        None => format!("{otherwise}: `{}`", known.join("`, `")),
    }
}
