//! TEMPORARY
use crate::attempt::{Parameter, Stage};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ExperimentId(pub u32);
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    pub path: PathBuf,
    pub text: String,
}
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    pub max_attempts: u32,
    pub max_delay: Duration,
    pub max_duration: Option<Duration>,
}
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    pub limits: Limits,
}
pub struct Experiment {
    pub adjustable: Vec<String>,
    pub parameters: Vec<Parameter>,
}
impl Study {
    pub fn ids(&self) -> impl Iterator<Item = ExperimentId> + use<> {
        (0..1u32).map(ExperimentId)
    }
    pub fn has_stage(&self, _: ExperimentId, _: Stage) -> bool {
        true
    }
    pub fn devices_of(&self, _: ExperimentId) -> u32 {
        1
    }
    pub fn experiment(&self, _: ExperimentId) -> Experiment {
        Experiment { adjustable: vec![], parameters: vec![] }
    }
}
