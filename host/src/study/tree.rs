//! A study file as a tree of values that know their place in the text.
//!
//! Both formats become the same tree, so that there is one schema and one set
//! of messages. It checks syntax and duplicate keys, nothing else.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{MessageFormatter, UserMessageFormatter};
use toml::de::{DeTable, DeValue};

use super::error::{Problem, Problems};
use super::{Format, Source};

/// A range of bytes in the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    /// The nearest span that lies in the text and cuts no character in two.
    pub(super) fn within(self, text: &str) -> Self {
        let start = text.floor_char_boundary(self.start);
        let end = text.ceil_char_boundary(self.end.max(start));
        Self { start, end }
    }

    /// The part of it that holds these words, where the text has them as they are.
    pub(super) fn narrowed(self, text: &str, words: &str) -> Self {
        let whole = self.within(text);
        match text[whole.start..whole.end].find(words) {
            Some(at) => Self { start: whole.start + at, end: whole.start + at + words.len() },
            None => self,
        }
    }
}

impl From<std::ops::Range<usize>> for Span {
    fn from(range: std::ops::Range<usize>) -> Self {
        Self { start: range.start, end: range.end }
    }
}

/// A value and its place.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) value: Value,
}

/// What a study file can say.
#[derive(Debug)]
pub(super) enum Value {
    /// YAML only.
    Null,
    Bool(bool),
    /// As written: `1e-4` stays `1e-4` when it becomes an argument.
    Number(String),
    /// TOML's dates are text too.
    Text(String),
    List(Vec<Node>),
    /// In file order.
    Map(Vec<(Key, Node)>),
}

/// A key and its place.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) span: Span,
    pub(super) name: String,
}

/// Parses the text. `None` where its syntax is wrong, which is then noted.
pub(super) fn parse(source: &Source, problems: &mut Problems) -> Option<Node> {
    match source.format {
        Format::Toml => parse_toml(&source.text, problems),
        Format::Yaml => parse_yaml(&source.text, problems),
    }
}

fn parse_toml(text: &str, problems: &mut Problems) -> Option<Node> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let place = Span::from(error.span().unwrap_or_default()).within(text);
        let message = match error.message() {
            "duplicate key" => format!("duplicate key `{}`", &text[place.start..place.end]),
            other => other.to_owned(),
        };
        problems.add(Problem::at(place, message));
    }
    errors.is_empty().then(|| Node { span: Span::default(), value: from_table(table.into_inner()) })
}

fn from_table(table: DeTable<'_>) -> Value {
    let mut entries: Vec<(Key, Node)> = table
        .into_iter()
        .map(|(key, value)| {
            let span = key.span().into();
            let node = Node { span: value.span().into(), value: from_toml(value.into_inner()) };
            (Key { span, name: key.into_inner().into_owned() }, node)
        })
        .collect();
    // The parser sorts by name; the file's order is what a matrix goes by.
    entries.sort_by_key(|(key, _)| key.span.start);
    Value::Map(entries)
}

fn from_toml(value: DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => Value::Number(number.to_string()),
        DeValue::Float(number) => Value::Number(number.to_string()),
        DeValue::Boolean(value) => Value::Bool(value),
        DeValue::Datetime(date) => Value::Text(date.to_string()),
        DeValue::Array(list) => {
            let nodes = list.into_iter();
            Value::List(
                nodes
                    .map(|node| Node { span: node.span().into(), value: from_toml(node.into_inner()) })
                    .collect(),
            )
        }
        DeValue::Table(table) => from_table(table),
    }
}

fn parse_yaml(text: &str, problems: &mut Problems) -> Option<Node> {
    let options = serde_saphyr::options! {
        // The text is in memory already, and what is not an alias takes no
        // more than that. Aliases keep their bounds.
        budget: serde_saphyr::budget! {
            max_events: usize::MAX,
            max_nodes: usize::MAX,
            max_total_scalar_bytes: usize::MAX,
            enforce_alias_anchor_ratio: false,
        },
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::PassThrough,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    match serde_saphyr::from_str_with_options::<Node>(text, options) {
        Ok(mut root) => {
            finish_yaml(&mut root, text);
            Some(root)
        }
        Err(error) => {
            let place = error.location().map(|location| yaml_place(location, text)).unwrap_or_default();
            problems.add(Problem::at(place, UserMessageFormatter.format_message(error.without_snippet())));
            None
        }
    }
}

fn yaml_span(location: serde_saphyr::Location) -> Span {
    let span = location.span();
    // Offsets are beyond `u32` only in files that are.
    let byte = |value: Option<u64>| value.and_then(|v| usize::try_from(v).ok()).unwrap_or_default();
    let start = byte(span.byte_offset());
    Span { start, end: start + byte(span.byte_len()) }
}

/// Where an error is. Those of the scanner know their line and column only.
fn yaml_place(location: serde_saphyr::Location, text: &str) -> Span {
    if location.span().byte_offset().is_some() {
        return yaml_span(location);
    }
    let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX).saturating_sub(1);
    let before: usize = text.split_inclusive('\n').take(number(location.line())).map(str::len).sum();
    let line = text[before..].lines().next().unwrap_or_default();
    let column: usize = line.chars().take(number(location.column())).map(char::len_utf8).sum();
    Span { start: before + column, end: before + column }
}

/// Gives numbers back their spelling, which serde has lost, and maps the
/// place of their first key, since a block map has no opening of its own.
fn finish_yaml(node: &mut Node, text: &str) {
    match &mut node.value {
        Value::Number(number) => {
            let span = node.span.within(text);
            let written = text[span.start..span.end].trim();
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
            if !written.is_empty() && written.chars().all(plain) {
                written.clone_into(number);
            }
        }
        Value::List(nodes) => nodes.iter_mut().for_each(|node| finish_yaml(node, text)),
        Value::Map(entries) => {
            entries.iter_mut().for_each(|(_, node)| finish_yaml(node, text));
            if let Some((key, _)) = entries.first() {
                node.span = key.span;
            }
        }
        Value::Null | Value::Bool(_) | Value::Text(_) => {}
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = serde_saphyr::Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self { span: yaml_span(spanned.defined), value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Value::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, node)) = map.next_entry::<serde_saphyr::Spanned<String>, Node>()? {
            entries.push((Key { span: yaml_span(key.defined), name: key.value }, node));
        }
        Ok(Value::Map(entries))
    }
}
