//! The schema of an experiment's stages.

use std::time::Duration;

use super::error::Problem;
use super::experiment::{Run, StageTemplate, Times, variable};
use super::placeholders::{Piece, each_piece};
use super::read_experiment::Layers;
use super::reader::Reader;
use super::tree::{Node, Value};
use crate::attempt::Stage;

const STAGE_KEYS: [&str; 5] = ["command", "shell", "timeout", "silence", "grace"];

const DEFAULT_TIMES: Times = Times { timeout: None, silence: None, grace: Duration::from_secs(10) };

impl Reader<'_> {
    /// The stages of one experiment. The names are those of its parameters.
    pub(super) fn stages(&mut self, layers: &Layers<'_>, names: &[String]) -> [Option<StageTemplate>; 3] {
        let times = self.times(|key| layers.get(key), DEFAULT_TIMES);
        if layers.own.lacks("measure") && layers.get("measure").is_none() {
            let problem = Problem::at(layers.own.span, "the experiment has no `measure`");
            let hint = "give it one, here or in `defaults`: the program and its arguments";
            self.problems.add(problem.hint(hint));
        }
        Stage::ALL.map(|stage| {
            let node = layers.get(stage.name())?;
            Some(match node.value {
                Value::Map(_) => self.stage(node, stage.name(), names, times),
                _ => StageTemplate { run: self.arguments(node, stage.name(), names), times },
            })
        })
    }

    /// What is left out is as in `base`.
    fn times<'t>(&mut self, get: impl Fn(&str) -> Option<&'t Node>, base: Times) -> Times {
        Times {
            timeout: get("timeout").map(|node| self.duration(node, "`timeout`")).or(base.timeout),
            silence: get("silence").map(|node| self.duration(node, "`silence`")).or(base.silence),
            grace: get("grace").map_or(base.grace, |node| self.duration(node, "`grace`")),
        }
    }

    /// A stage in its long form.
    fn stage(&mut self, node: &Node, stage: &str, names: &[String], times: Times) -> StageTemplate {
        let table = self.table(node, &format!("`{stage}`"), &STAGE_KEYS);
        let run = match (table.get("command"), table.get("shell")) {
            (Some(command), None) => self.arguments(command, "command", names),
            (None, Some(script)) => self.shell(script, names),
            (command, _) => {
                let message = match command {
                    Some(_) => format!("`{stage}` has a `command` and a `shell`: which is it?"),
                    None => format!("`{stage}` has neither `command` nor `shell`"),
                };
                self.wrong(table.span, message);
                Run::Arguments(Vec::new())
            }
        };
        StageTemplate { run, times: self.times(|key| table.get(key), times) }
    }

    fn arguments(&mut self, node: &Node, what: &str, names: &[String]) -> Run {
        if let Value::Text(text) = &node.value {
            let problem = Problem::at(node.span, format!("`{what}` must be a list of arguments, not text"));
            let split: Vec<&str> = text.split_whitespace().collect();
            let hint = format!("write `{split:?}`, or a table with `shell` where a shell is to read it");
            self.problems.add(problem.hint(hint));
            return Run::Arguments(Vec::new());
        }
        let nodes = self.list(node, &format!("`{what}`"));
        let arguments: Vec<String> =
            nodes.iter().map(|node| self.filled(node, "an argument", names)).collect();
        let names_none = arguments.first().is_none_or(|program| program.trim().is_empty());
        if names_none && matches!(node.value, Value::List(_)) {
            self.wrong(node.span, format!("`{what}` names no program"));
        }
        Run::Arguments(arguments)
    }

    /// A script, as it is. What would have been a placeholder is a mistake.
    fn shell(&mut self, node: &Node, names: &[String]) -> Run {
        let script = self.text(node, "`shell`");
        if script.trim().is_empty() && matches!(node.value, Value::Text(_)) {
            self.wrong(node.span, "`shell` is empty");
        }
        let mut found = Vec::new();
        each_piece(&script, |piece| match piece {
            Piece::Parameter(name) if names.iter().any(|known| known == name) => found.push(name.to_owned()),
            Piece::Parameter(_) | Piece::Literal(_) => {}
        });
        for name in found {
            let place = node.span.narrowed(&self.source.text, &format!("{{{name}}}"));
            let problem = Problem::at(place, format!("`{{{name}}}` is not filled in within a shell script"));
            self.problems.add(problem.hint(format!("write `\"${}\"`", variable(&name))));
        }
        Run::Shell(script)
    }
}
