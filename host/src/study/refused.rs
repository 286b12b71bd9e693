//! Where in a study file the settings stand that a policy refuses.
//!
//! It takes the policy's words as they are, and looks in them for a setting's name.

use super::error::{Problem, Problems};
use super::reader::nearest;
use super::tree::{self, Key, Node, Value};
use super::{Source, Span, StudyError};
use crate::attempt::Stage;

/// Whose settings they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingsOf {
    /// The policy's that judges attempts at this stage.
    Stage(Stage),
    /// The policy's that plans cleanup.
    Cleanup,
}

impl Source {
    /// The error of a policy that refuses its settings, shown at their place:
    /// at the first of them that its words name. `None` where the file says nothing of them.
    pub fn refused(&self, of: SettingsOf, words: &str) -> Option<StudyError> {
        let root = tree::parse(self, &mut Problems::default())?;
        let settings = match of {
            SettingsOf::Stage(stage) => at(&root, &["policy", stage.name(), "settings"])
                .or_else(|| at(&root, &["policy", "settings"])),
            SettingsOf::Cleanup => at(&root, &["cleanup", "policy", "settings"]),
        }?;
        let named = named(settings, words);
        let place = named.map_or(settings.span, |(key, node)| Span {
            start: key.span.start,
            end: node.span.end.max(key.span.end),
        });
        let problem = Problem::at(place, words);
        let mut problems = Problems::default();
        problems.add(match named.and_then(|(key, _)| meant(&key.name, words)) {
            Some(hint) => problem.hint(hint),
            None => problem,
        });
        problems.into_result(self).err()
    }
}

fn at<'n>(node: &'n Node, keys: &[&str]) -> Option<&'n Node> {
    keys.iter().try_fold(node, |node, key| {
        entries(node).iter().find(|(known, _)| known.name == *key).map(|(_, node)| node)
    })
}

fn entries(node: &Node) -> &[(Key, Node)] {
    match &node.value {
        Value::Map(entries) => entries,
        _ => &[],
    }
}

/// The first of the settings that the words name.
fn named<'n>(settings: &'n Node, words: &str) -> Option<&'n (Key, Node)> {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let first = |name: &str| words.split(|c| !part_of_name(c)).position(|word| word == name);
    let found = entries(settings).iter().filter_map(|entry| Some((first(&entry.0.name)?, entry)));
    found.min_by_key(|(first, _)| *first).map(|(_, entry)| entry)
}

/// What was meant by a name that is unknown, where the words tell the known ones.
fn meant(name: &str, words: &str) -> Option<String> {
    let in_backticks = words.split('`').skip(1).step_by(2);
    let known: Vec<&str> = in_backticks.filter(|known| *known != name).collect();
    let unknown = words.contains(&format!("unknown field `{name}`"));
    unknown.then(|| nearest(name, &known, "it can be")).filter(|hint| hint.starts_with("did you mean"))
}
