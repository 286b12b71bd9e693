//! Vocabulary: an experiment, and the commands of its stages.
//!
//! Templates hold what the file says, once; experiments are built from them
//! when they are asked for.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ExperimentId, placeholders};
use crate::attempt::{Parameter, Stage};

/// What one entry of `experiments` says, the defaults merged in.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Template {
    /// With placeholders.
    pub(super) name: String,
    /// Those that are not in the matrix.
    pub(super) fixed: Vec<Parameter>,
    pub(super) matrix: Vec<Axis>,
    pub(super) labels: Vec<Parameter>,
    pub(super) adjustable: Vec<String>,
    pub(super) devices: u32,
    pub(super) repeats: u32,
    /// With placeholders.
    pub(super) directory: String,
    /// The values have placeholders.
    pub(super) environment: Vec<Parameter>,
    pub(super) stages: [Option<StageTemplate>; 3],
}

/// A parameter of the matrix. The last one changes fastest.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    pub(super) name: String,
    pub(super) values: Vec<String>,
}

/// What a stage runs, before its placeholders are filled.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StageTemplate {
    pub(super) run: Run,
    pub(super) times: Times,
}

/// How long a stage may take, as in [`StageCommand`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Times {
    pub(super) timeout: Option<Duration>,
    pub(super) silence: Option<Duration>,
    pub(super) grace: Duration,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Run {
    /// With placeholders. Never empty.
    Arguments(Vec<String>),
    /// Without any: a value that is pasted into a script can be a script.
    Shell(String),
}

/// One run of an experiment: which template, which of its combinations, and
/// which repeat of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) template: u32,
    /// Index into the matrix, as a number with one digit for each axis.
    pub(super) combination: u32,
    /// From 1.
    pub(super) repeat: u32,
}

impl Template {
    /// How many combinations the matrix has; the largest number where they
    /// cannot be counted.
    pub(super) fn combinations(&self) -> u64 {
        self.matrix.iter().fold(1, |count, axis| count.saturating_mul(axis.values.len() as u64))
    }

    /// The names of all parameters, those of the matrix last.
    pub(super) fn parameter_names(&self) -> impl Iterator<Item = &str> {
        let fixed = self.fixed.iter().map(|parameter| parameter.name.as_str());
        fixed.chain(self.matrix.iter().map(|axis| axis.name.as_str()))
    }

    fn value(&self, combination: u32, name: &str) -> Option<&str> {
        let mut index = combination as usize;
        for axis in self.matrix.iter().rev() {
            let digit = index % axis.values.len();
            index /= axis.values.len();
            if axis.name == name {
                return Some(&axis.values[digit]);
            }
        }
        self.fixed.iter().find(|parameter| parameter.name == name).map(|parameter| parameter.value.as_str())
    }

    pub(super) fn name(&self, cell: Cell) -> String {
        let value = |name: &str| self.value(cell.combination, name).expect("placeholders were checked");
        let mut name = placeholders::fill(&self.name, value);
        if self.repeats > 1 {
            name.push_str(&format!("#{}", cell.repeat));
        }
        name
    }

    fn parameters(&self, combination: u32) -> Vec<Parameter> {
        let value = |name: &str| self.value(combination, name).expect("it is one of ours").to_owned();
        self.parameter_names().map(|name| Parameter { name: name.to_owned(), value: value(name) }).collect()
    }
}

/// An experiment, as the study file asks for it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Experiment<'s> {
    /// Unique in its study. Any text without control characters, so that it
    /// is no file name.
    pub name: String,
    /// All of them, those of the matrix last.
    pub parameters: Vec<Parameter>,
    /// What the study says of it for people and policies.
    pub labels: &'s [Parameter],
    /// Names of the parameters that a policy may override.
    pub adjustable: &'s [String],
    /// How many devices it holds while it runs, from 1.
    pub devices: u32,
    /// Which measurement of its configuration it is, from 1.
    pub repeat: u32,
    #[serde(skip)]
    template: &'s Template,
    #[serde(skip)]
    folder: &'s Path,
}

/// An experiment with its number, as events call it, for readers of JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Planned<'s> {
    /// What events call it.
    #[serde(rename = "experiment")]
    pub number: ExperimentId,
    /// What the study file says of it.
    #[serde(flatten)]
    pub experiment: Experiment<'s>,
    /// Where its attempts are, below the study's directory.
    pub directory: PathBuf,
}

/// A stage's command with everything filled in, ready to be run anywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageCommand {
    /// The program and its arguments. Never empty.
    pub command: Vec<String>,
    /// Added to the environment that the host hands on.
    pub environment: Vec<(String, String)>,
    /// Where it runs.
    pub directory: PathBuf,
    /// The longest that an attempt may take.
    #[serde(rename = "timeout_ms", with = "crate::millis::option")]
    pub timeout: Option<Duration>,
    /// The longest that an attempt may print nothing.
    #[serde(rename = "silence_ms", with = "crate::millis::option")]
    pub silence: Option<Duration>,
    /// Between the signal that asks it to end and the one that ends it.
    #[serde(rename = "grace_ms", with = "crate::millis")]
    pub grace: Duration,
}

impl<'s> Experiment<'s> {
    pub(super) fn new(template: &'s Template, cell: Cell, folder: &'s Path) -> Self {
        Self {
            name: template.name(cell),
            parameters: template.parameters(cell.combination),
            labels: &template.labels,
            adjustable: &template.adjustable,
            devices: template.devices,
            repeat: cell.repeat,
            template,
            folder,
        }
    }

    /// The stage's command, or `None` where the experiment has no such stage.
    ///
    /// The overrides take the place of parameters of the same name before
    /// anything is filled in. Whether a policy may make them is not asked
    /// here, and one that names no parameter changes nothing.
    pub fn command(&self, stage: Stage, overrides: &[Parameter]) -> Option<StageCommand> {
        let spec = self.template.stages[stage as usize].as_ref()?;
        let value = |name: &str| {
            let named = |parameter: &&Parameter| parameter.name == name;
            let found = overrides.iter().rev().find(named).or_else(|| self.parameters.iter().find(named));
            found.expect("placeholders were checked").value.as_str()
        };
        let fill = |text: &String| placeholders::fill(text, value);
        let command = match &spec.run {
            Run::Arguments(arguments) => arguments.iter().map(fill).collect(),
            Run::Shell(script) => vec!["/bin/sh".to_owned(), "-c".to_owned(), script.clone()],
        };
        let declared = self.template.environment.iter().map(|v| (v.name.clone(), fill(&v.value)));
        let told = self.parameters.iter().map(|p| (variable(&p.name), value(&p.name).to_owned()));
        Some(StageCommand {
            command,
            environment: declared.chain(told).collect(),
            directory: self.folder.join(fill(&self.template.directory)),
            timeout: spec.times.timeout,
            silence: spec.times.silence,
            grace: spec.times.grace,
        })
    }
}

/// The environment variable that tells every stage a parameter's value.
pub(super) fn variable(parameter: &str) -> String {
    let upper = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("REPRIEVE_PARAMETER_{}", parameter.chars().map(upper).collect::<String>())
}
