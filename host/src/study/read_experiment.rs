//! The schema of an experiment, with the defaults merged in.

use std::collections::HashMap;

use super::error::Problem;
use super::expand::Named;
use super::experiment::{Axis, Template, variable};
use super::placeholders::{Piece, each_piece, is_name};
use super::read::MOST_DEVICES;
use super::reader::{Reader, Table, nearest};
use super::tree::{Key, Node, Span, Value};
use crate::attempt::Parameter;

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

/// What an experiment says, and what is said for all.
pub(super) struct Layers<'t> {
    pub(super) own: Table<'t>,
    defaults: Table<'t>,
}

impl<'t> Layers<'t> {
    pub(super) fn get(&self, key: &str) -> Option<&'t Node> {
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
        let experiments = study.get("experiments");
        let nodes = experiments.map_or(&[][..], |node| self.list(node, "`experiments`"));
        let is_empty = |node: &Node| matches!(&node.value, Value::List(nodes) if nodes.is_empty());
        if experiments.map_or(study.lacks("experiments"), is_empty) {
            let place = experiments.map_or(study.span, |node| node.span);
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
        let matrix = self.matrix(&own);
        let fixed = self.fixed(&layers, &matrix);
        let in_matrix = matrix.iter().map(|axis| &axis.name);
        let names: Vec<String> = fixed.iter().map(|p| &p.name).chain(in_matrix).cloned().collect();
        if own.lacks("name") {
            self.wrong(own.span, "the experiment has no `name`");
        }
        let name = own.get("name").map(|node| self.filled(node, "`name`", &names));
        let directory = layers.get("directory").map(|node| self.filled(node, "`directory`", &names));
        let template = Template {
            name: name.unwrap_or_default(),
            fixed,
            matrix,
            labels: self.pairs(&layers, "labels").into_iter().map(|(_, label)| label).collect(),
            adjustable: self.adjustable(&layers, &names),
            devices: self.devices(&layers, shared.slots),
            repeats: layers.get("repeats").map_or(shared.repeats, |node| self.repeats(node)),
            directory: directory.unwrap_or_default(),
            environment: self.environment(&layers, &names),
            stages: self.stages(&layers, &names),
        };
        Named { template, name: own.get("name").map_or(own.span, |node| node.span) }
    }

    fn devices(&mut self, layers: &Layers<'_>, slots: Option<u32>) -> u32 {
        let Some(node) = layers.get("devices") else { return 1 };
        let devices = self.integer(node, "`devices`", 1..=MOST_DEVICES);
        if let Some(slots) = slots.filter(|slots| *slots < devices) {
            let noun = if slots == 1 { "slot" } else { "slots" };
            let message = format!("the experiment needs {devices} devices, and the study has {slots} {noun}");
            self.wrong(node.span, message);
        }
        devices
    }

    fn matrix(&mut self, own: &Table<'_>) -> Vec<Axis> {
        let Some(node) = own.get("matrix") else { return Vec::new() };
        let mut axes = Vec::new();
        for (key, node) in self.map(node, "`matrix`") {
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
        for (key, _) in layers.own.entries("parameters").iter().filter(|(key, _)| in_matrix(&key.name)) {
            self.wrong(key.span, format!("`{}` is in `parameters` and in `matrix`", key.name));
        }
        let pairs = self.pairs(layers, "parameters");
        let swept = layers.own.entries("matrix").iter().map(|(key, _)| key);
        let mut variables: HashMap<String, &str> = HashMap::new();
        for key in pairs.iter().map(|(key, _)| *key).chain(swept) {
            self.parameter_name(key);
            let variable = variable(&key.name);
            if let Some(first) =
                variables.insert(variable.clone(), &key.name).filter(|first| *first != key.name)
            {
                let message = format!("`{}` and `{first}` would share the variable `{variable}`", key.name);
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

    fn environment(&mut self, layers: &Layers<'_>, names: &[String]) -> Vec<Parameter> {
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

    fn adjustable(&mut self, layers: &Layers<'_>, names: &[String]) -> Vec<String> {
        let Some(node) = layers.get("adjustable") else { return Vec::new() };
        let mut adjustable = Vec::new();
        for node in self.list(node, "`adjustable`") {
            let name = self.text(node, "a name in `adjustable`");
            if !names.contains(&name) && matches!(node.value, Value::Text(_)) {
                let message = format!("`{name}` is adjustable, but no parameter");
                self.unknown_parameter(node.span, message, &name, names, "");
            }
            adjustable.push(name);
        }
        adjustable
    }

    /// Text with placeholders, all of which must name parameters.
    pub(super) fn filled(&mut self, node: &Node, what: &str, names: &[String]) -> String {
        let text = self.scalar(node, what);
        let mut unknown = Vec::new();
        each_piece(&text, |piece| match piece {
            Piece::Parameter(name) if !names.iter().any(|known| known == name) => {
                unknown.push(name.to_owned())
            }
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

    /// Notes a parameter that does not exist.
    fn unknown_parameter(&mut self, place: Span, message: String, name: &str, names: &[String], also: &str) {
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let hint = match &known[..] {
            [] => "the experiment has no parameters".to_owned(),
            known => nearest(name, known, "its parameters are"),
        };
        self.problems.add(Problem::at(place, message).hint(format!("{hint}{also}")));
    }
}
