//! Vocabulary: a study, its experiments and its limits, and how they are read
//! from a file in TOML or YAML.
//!
//! It runs nothing and decides nothing. Apart from [`Source::load`] it is pure.

mod cleanup;
mod error;
mod expand;
mod experiment;
mod placeholders;
mod policies;
mod read;
mod read_cleanup;
mod read_experiment;
mod read_nvml;
mod read_stage;
mod reader;
mod reference;
mod refused;
mod source;
#[cfg(test)]
mod tests;
mod tree;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::attempt::{FailureClass, Stage};
pub use cleanup::{CleanupRules, Hook};
pub use error::StudyError;
use experiment::{Cell, Template};
pub use experiment::{Experiment, Planned, StageCommand};
pub use policies::{Fallback, NoPolicy, Policies, PolicyComponent, PolicyLimits, PolicySpec};
pub use read_nvml::NvmlRules;
pub use reference::{Digest, NoDigest, Pin, Reference, ReferenceError};
pub use refused::SettingsOf;
pub use source::{Format, Source};
use tree::Span;

/// Longer names are cut where they become directories.
const NAME_CHARS_MAX: usize = 60;

/// A list of experiments, and how they are to be run. Read once, never changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    /// Small letters, digits, `.`, `_` and `-`; a letter or digit first. Fit
    /// for a file name.
    pub name: String,
    /// What all randomness of the study comes from.
    pub seed: u64,
    /// The order that experiments start in.
    pub order: Order,
    /// How many device slots there are; `None` asks NVML.
    pub slots: Option<u32>,
    /// How long running attempts may go on after the first interrupt.
    pub interrupt_grace: Duration,
    /// Which policy judges which stage.
    pub policies: Policies,
    /// How devices are made clean.
    pub cleanup: CleanupRules,
    /// How devices are asked.
    pub nvml: NvmlRules,
    /// The host's last word.
    pub limits: Limits,
    /// What failures look like here, first match first.
    pub patterns: Vec<PatternSpec>,
    folder: PathBuf,
    templates: Vec<Template>,
    cells: Vec<Cell>,
}

/// The order that experiments start in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// As written, each configuration's repeats together.
    #[default]
    Sequential,
    /// Every configuration once, then every configuration again.
    Interleaved,
    /// By the seed.
    Shuffled,
}

/// What the host holds to, whatever a policy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// For each stage of each experiment, from 1.
    pub max_attempts: u32,
    /// The longest wait before an attempt.
    #[serde(rename = "max_delay_ms", with = "crate::millis")]
    pub max_delay: Duration,
    /// Of a run or a resume of the study; after it nothing new starts.
    #[serde(rename = "max_duration_ms", with = "crate::millis::option")]
    pub max_duration: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_attempts: 100, max_delay: Duration::from_secs(24 * 60 * 60), max_duration: None }
    }
}

/// What a failure looks like in this study's output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatternSpec {
    /// What it is then taken for.
    pub class: FailureClass,
    /// Known to compile with the `regex` crate's default bounds.
    pub regex: String,
}

/// An experiment's position in the order of its study, from 0. The same text
/// gives every experiment the same position in every version of Reprieve:
/// journals rely on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExperimentId(pub u32);

impl Study {
    /// Reads and checks a study file.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read, or is no study.
    pub fn load(path: &Path) -> Result<(Self, Source), StudyError> {
        let source = Source::load(path)?;
        Ok((Self::parse(&source)?, source))
    }

    /// Checks the text of a study file.
    ///
    /// # Errors
    ///
    /// Everything in it that is wrong, as far as it can be told at once.
    pub fn parse(source: &Source) -> Result<Self, StudyError> {
        read::study(source)
    }

    /// The components that it needs, each once. `instead` takes the place of
    /// those that judge.
    pub fn components<'a>(&'a self, instead: Option<&'a PolicyComponent>) -> Vec<&'a PolicyComponent> {
        let judges = Stage::ALL.map(|stage| instead.unwrap_or(&self.policies.of(stage).component));
        let planner = self.cleanup.policy.as_ref().map(|policy| &policy.component);
        let mut components = Vec::new();
        for component in judges.into_iter().chain(planner) {
            if !components.contains(&component) {
                components.push(component);
            }
        }
        components
    }

    /// How many experiments there are, repeats counted. Never 0.
    #[expect(clippy::len_without_is_empty, reason = "no study is empty")]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// All experiments, in order.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = ExperimentId> + use<> {
        let len = u32::try_from(self.cells.len()).expect("a study has at most a million experiments");
        (0..len).map(ExperimentId)
    }

    /// The experiment, built from what the file says.
    ///
    /// # Panics
    ///
    /// This and all that take an id do so where the study has no such position.
    pub fn experiment(&self, id: ExperimentId) -> Experiment<'_> {
        let cell = self.cell(id);
        Experiment::new(self.template(cell), cell, &self.folder)
    }

    /// All that a reader needs to tell an experiment by its number.
    pub fn planned(&self, id: ExperimentId) -> Planned<'_> {
        Planned { number: id, experiment: self.experiment(id), directory: self.directory_of(id) }
    }

    /// Where an experiment's attempts are, below the study's directory. Always the same.
    pub fn directory_of(&self, id: ExperimentId) -> PathBuf {
        let fit = |c: char| if c.is_ascii_alphanumeric() || "._-#".contains(c) { c } else { '_' };
        let name: String = self.name_of(id).chars().take(NAME_CHARS_MAX).map(fit).collect();
        Path::new("attempts").join(format!("{:04}-{name}", id.0))
    }

    /// Just its name, for less work.
    pub fn name_of(&self, id: ExperimentId) -> String {
        let cell = self.cell(id);
        self.template(cell).name(cell)
    }

    /// Just how many devices it holds, for no work.
    pub fn devices_of(&self, id: ExperimentId) -> u32 {
        self.template(self.cell(id)).devices
    }

    /// Whether it has this stage, for no work.
    pub fn has_stage(&self, id: ExperimentId, stage: Stage) -> bool {
        self.template(self.cell(id)).stages[stage as usize].is_some()
    }

    fn cell(&self, id: ExperimentId) -> Cell {
        self.cells[id.0 as usize]
    }

    fn template(&self, cell: Cell) -> &Template {
        &self.templates[cell.template as usize]
    }
}
