//! The schema of an experiment, with the defaults merged in.

use std::collections::HashMap;
use std::time::Duration;

use super::error::Problem;
use super::expand::Named;
use super::experiment::{Axis, Run, StageTemplate, Template, variable};
use super::placeholders::{Piece, each_piece, is_name};
use super::read::MOST_DEVICES;
use super::reader::{Reader, Table};
use super::tree::{Key, Node, Value};
use crate::attempt::{Parameter, Stage};

const DEFAULT_KEYS: [&str; 13] = [
    "devices",
    "directory",
    "environment",
    "parameters",
    "labels",
    "adjustable",
    "repeats",
    "prepare",
    "measure",
    "finish",
    "timeout",
    "silence",
    "grace",
];
const EXPERIMENT_KEYS: [&str; 15] = [
    "name",
    "devices",
    "directory",
    "environment",
    "parameters",
    "labels",
    "adjustable",
    "matrix",
    "repeats",
    "prepare",
    "measure",
    "finish",
    "timeout",
    "silence",
    "grace",
];
const STAGE_KEYS: [&str; 5] = ["command", "shell", "timeout", "silence", "grace"];

/// What an experiment says, and what is said for all.
struct Layers<'t> {
    own: Table<'t>,
    defaults: Table<'t>,
}

impl<'t> Layers<'t> {
    fn get(&self, key: &str) -> Option<&'t Node> {
        self.own.get(key).or_else(|| self.defaults.get(key))
    }
}

/// What the study says for all its experiments.
struct Shared<'t> {
    defaults: Table<'t>,
    repeats: u32,
    slots: Option<u32>,
}

impl Reader<'_> {
    /// Every entry of `experiments`.
    pub(super) fn templates(&mut self, study: &Table<'_>, slots: Option<u32>) -> Vec<Named> {
        let shared = Shared {
            defaults: match study.get("defaults") {
                Some(node) => self.table(node, "`defaults`", &DEFAULT_KEYS),
                None => Table::EMPTY,
            },
            repeats: study.get("repeats").map_or(1, |node| self.repeats(node)),
            slots,
        };
        let nodes = match study.get("experiments") {
            Some(node) => self.list(node, "`experiments`"),
            None => &[],
        };
        let place = study.get("experiments").map_or(study.span, |node| node.span);
        let is_list = study.get("experiments").is_none_or(|node| matches!(node.value, Value::List(_)));
        if nodes.is_empty() && is_list {
            let problem = Problem::at(place, "the study has no experiments");
            self.problems.add(problem.hint("give it at least one entry in `experiments`"));
        }
        nodes.iter().map(|node| self.experiment(node, &shared)).collect()
    }

    fn repeats(&mut self, node: &Node) -> u32 {
        self.integer(node, "`repeats`", 1..=1_000_000)
    }

    fn experiment(&mut self, node: &Node, shared: &Shared<'_>) -> Named {
        let own = self.table(node, "an experiment", &EXPERIMENT_KEYS);
        let layers = Layers { own, defaults: shared.defaults };
        let mut template = Template {
            name: String::new(),
            fixed: Vec::new(),
            matrix: self.matrix(&own),
            labels: self.pairs(&layers, "labels").into_iter().map(|(_, label)| label).collect(),
            adjustable: Vec::new(),
            devices: self.devices(&layers, shared.slots),
            repeats: layers.get("repeats").map_or(shared.repeats, |node| self.repeats(node)),
            directory: String::new(),
            environment: Vec::new(),
            stages: [None, None, None],
        };
        template.fixed = self.fixed(&layers, &template.matrix);
        let names: Vec<&str> = template.parameter_names().collect();
        let directory = layers.get("directory").map(|node| self.filled(node, "`directory`", &names));
        let environment = self.environment(&layers, &names);
        let adjustable = self.adjustable(&layers, &names);
        let stages = self.stages(&layers, &names);
        let (name, place) = match own.get("name") {
            Some(node) => {
                self.text(node, "`name`");
                (self.filled(node, "`name`", &names), node.span)
            }
            None => {
                self.wrong(own.span, "the experiment has no `name`");
                ("unnamed".to_owned(), own.span)
            }
        };
        Named {
            template: Template {
                name,
                adjustable,
                directory: directory.unwrap_or_default(),
                environment,
                stages,
                ..template
            },
            name: place,
        }
    }

    fn devices(&mut self, layers: &Layers<'_>, slots: Option<u32>) -> u32 {
        let Some(node) = layers.get("devices") else { return 1 };
        let devices = self.integer(node, "`devices`", 1..=MOST_DEVICES);
        if let Some(slots) = slots.filter(|slots| *slots < devices) {
            let message =
                format!("the experiment needs {devices} devices, and the study has `slots = {slots}`");
            self.wrong(node.span, message);
        }
        devices
    }

    fn matrix(&mut self, own: &Table<'_>) -> Vec<Axis> {
        let Some(node) = own.get("matrix") else { return Vec::new() };
        let mut axes = Vec::new();
        for (key, node) in self.map(node, "`matrix`") {
            self.parameter_name(key);
            let values = self.list(node, &format!("`{}`", key.name));
            if values.is_empty() && matches!(node.value, Value::List(_)) {
                self.wrong(node.span, format!("`{}` has no values, so there is nothing to run", key.name));
            }
            let values = values.iter().map(|node| self.scalar(node, "a value in the matrix")).collect();
            axes.push(Axis { name: key.name.clone(), values });
        }
        axes
    }

    /// The parameters that are not in the matrix. The matrix may vary what the
    /// defaults say, but not what the experiment says itself.
    fn fixed(&mut self, layers: &Layers<'_>, matrix: &[Axis]) -> Vec<Parameter> {
        let in_matrix = |name: &str| matrix.iter().any(|axis| axis.name == name);
        let own = layers.own.get("parameters").map_or(&[][..], |node| match &node.value {
            Value::Map(entries) => entries,
            _ => &[],
        });
        for (key, _) in own.iter().filter(|(key, _)| in_matrix(&key.name)) {
            self.wrong(key.span, format!("`{}` is in `parameters` and in `matrix`", key.name));
        }
        let pairs = self.pairs(layers, "parameters");
        // The first of two that differ only in what a variable's name cannot hold.
        let axis_keys = layers.own.get("matrix").map_or(&[][..], |node| match &node.value {
            Value::Map(entries) => entries,
            _ => &[],
        });
        let mut variables: HashMap<String, &str> = HashMap::new();
        let keys = pairs.iter().map(|(key, _)| *key).chain(axis_keys.iter().map(|(key, _)| key));
        for key in keys {
            self.parameter_name(key);
            let variable = variable(&key.name);
            if let Some(first) =
                variables.insert(variable.clone(), &key.name).filter(|first| *first != key.name)
            {
                let message = format!("`{}` and `{first}` would both be told in `{variable}`", key.name);
                self.problems.add(Problem::at(key.span, message).hint("rename one of the two parameters"));
            }
        }
        pairs.into_iter().map(|(_, parameter)| parameter).filter(|p| !in_matrix(&p.name)).collect()
    }

    fn parameter_name(&mut self, key: &Key) {
        if !is_name(&key.name) {
            let message = format!("`{}` cannot be a parameter's name", key.name);
            let hint = "a name is made of letters, digits, `_` and `-`, and starts with a letter or `_`";
            self.problems.add(Problem::at(key.span, message).hint(hint));
        }
    }

    /// A map of names and values: those of the defaults, then the experiment's
    /// own, which take the place of the same name.
    fn pairs<'t>(&mut self, layers: &Layers<'t>, key: &str) -> Vec<(&'t Key, Parameter)> {
        let mut pairs: Vec<(&Key, Parameter)> = Vec::new();
        for (name, node) in self.merged(layers, key) {
            let value = self.scalar(node, &format!("`{}`", name.name));
            pairs.push((name, Parameter { name: name.name.clone(), value }));
        }
        pairs
    }

    fn merged<'t>(&mut self, layers: &Layers<'t>, key: &str) -> Vec<(&'t Key, &'t Node)> {
        let mut merged: Vec<(&Key, &Node)> = Vec::new();
        for node in [layers.defaults.get(key), layers.own.get(key)].into_iter().flatten() {
            for (name, node) in self.map(node, &format!("`{key}`")) {
                match merged.iter_mut().find(|(known, _)| known.name == name.name) {
                    Some(entry) => *entry = (name, node),
                    None => merged.push((name, node)),
                }
            }
        }
        merged
    }

    fn environment(&mut self, layers: &Layers<'_>, names: &[&str]) -> Vec<Parameter> {
        let mut environment = Vec::new();
        for (key, node) in self.merged(layers, "environment") {
            if key.name.is_empty() || key.name.contains(['=', '\0']) {
                let message = format!("`{}` cannot be an environment variable", key.name.escape_debug());
                self.wrong(key.span, message);
            } else if key.name.starts_with("REPRIEVE_") {
                let problem = Problem::at(key.span, format!("`{}` is the host's to set", key.name));
                self.problems.add(problem.hint(
                    "variables that start with `REPRIEVE_` are how the host tells stages what they run for",
                ));
            }
            let value = self.filled(node, &format!("`{}`", key.name), names);
            environment.push(Parameter { name: key.name.clone(), value });
        }
        environment
    }

    fn adjustable(&mut self, layers: &Layers<'_>, names: &[&str]) -> Vec<String> {
        let Some(node) = layers.get("adjustable") else { return Vec::new() };
        let mut adjustable = Vec::new();
        for node in self.list(node, "`adjustable`") {
            let name = self.text(node, "a name in `adjustable`");
            if !names.contains(&name.as_str()) && matches!(node.value, Value::Text(_)) {
                let message = format!("`{name}` is adjustable, but no parameter");
                self.unknown_parameter(node.span, message, &name, names, "");
            }
            adjustable.push(name);
        }
        adjustable
    }

    /// Text with placeholders, all of which must name parameters.
    fn filled(&mut self, node: &Node, what: &str, names: &[&str]) -> String {
        let text = self.scalar(node, what);
        let mut unknown = Vec::new();
        each_piece(&text, |piece| match piece {
            Piece::Parameter(name) if !names.contains(&name) => unknown.push(name.to_owned()),
            Piece::Parameter(_) | Piece::Literal(_) => {}
        });
        for name in &unknown {
            let placeholder = format!("{{{name}}}");
            let place = node.span.narrowed(&self.source.text, &placeholder);
            let also = format!("\nfor braces around a word, write `{{{placeholder}}}`");
            self.unknown_parameter(place, format!("no parameter is named `{name}`"), name, names, &also);
        }
        text
    }

    fn stages(&mut self, layers: &Layers<'_>, names: &[&str]) -> [Option<StageTemplate>; 3] {
        let timeout = layers.get("timeout").map(|node| self.duration(node, "`timeout`"));
        let silence = layers.get("silence").map(|node| self.duration(node, "`silence`"));
        let grace = layers.get("grace").map(|node| self.duration(node, "`grace`"));
        let grace = grace.unwrap_or(Duration::from_secs(10));
        if layers.get("measure").is_none() {
            let problem = Problem::at(layers.own.span, "the experiment has no `measure`");
            self.problems
                .add(problem.hint("write `measure = [\"program\", \"argument\"]`, here or in `defaults`"));
        }
        Stage::ALL.map(|stage| {
            let node = layers.get(stage.name())?;
            if let Value::List(_) = node.value {
                let run = self.arguments(node, stage.name(), names);
                return Some(StageTemplate { run, timeout, silence, grace });
            }
            self.stage(
                node,
                stage.name(),
                names,
                StageTemplate { run: Run::Arguments(Vec::new()), timeout, silence, grace },
            )
        })
    }

    /// A stage in its long form; what it leaves out is as in `base`.
    fn stage(
        &mut self,
        node: &Node,
        stage: &str,
        names: &[&str],
        base: StageTemplate,
    ) -> Option<StageTemplate> {
        if let Value::Text(text) = &node.value {
            let message = format!("`{stage}` must be a list of arguments, not text");
            let split: Vec<&str> = text.split_whitespace().collect();
            let hint = format!("write `{split:?}`; for a shell, `{{ shell = {text:?} }}`");
            self.problems.add(Problem::at(node.span, message).hint(hint));
            return None;
        }
        let table = self.table(node, &format!("`{stage}`"), &STAGE_KEYS);
        let run = match (table.get("command"), table.get("shell")) {
            (Some(command), None) => self.arguments(command, "command", names),
            (None, Some(script)) => self.shell(script, names),
            (Some(_), Some(script)) => {
                self.wrong(script.span, format!("`{stage}` has a `command` and a `shell`: which is it?"));
                base.run
            }
            (None, None) => {
                if matches!(node.value, Value::Map(_)) {
                    self.wrong(table.span, format!("`{stage}` has neither `command` nor `shell`"));
                }
                base.run
            }
        };
        Some(StageTemplate {
            run,
            timeout: table.get("timeout").map(|node| self.duration(node, "`timeout`")).or(base.timeout),
            silence: table.get("silence").map(|node| self.duration(node, "`silence`")).or(base.silence),
            grace: table.get("grace").map_or(base.grace, |node| self.duration(node, "`grace`")),
        })
    }

    fn arguments(&mut self, node: &Node, what: &str, names: &[&str]) -> Run {
        let nodes = self.list(node, &format!("`{what}`"));
        let arguments: Vec<String> =
            nodes.iter().map(|node| self.filled(node, "an argument", names)).collect();
        if arguments.first().is_none_or(|program| program.trim().is_empty())
            && matches!(node.value, Value::List(_))
        {
            self.wrong(node.span, format!("`{what}` names no program"));
        }
        Run::Arguments(arguments)
    }

    /// A script, as it is. What would have been a placeholder is a mistake.
    fn shell(&mut self, node: &Node, names: &[&str]) -> Run {
        let script = self.text(node, "`shell`");
        if script.trim().is_empty() && matches!(node.value, Value::Text(_)) {
            self.wrong(node.span, "`shell` is empty");
        }
        let mut found = Vec::new();
        each_piece(&script, |piece| match piece {
            Piece::Parameter(name) if names.contains(&name) => found.push(name.to_owned()),
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
