//! The schema of a study file's `nvml`.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::reader::Reader;
use super::tree::Node;

const NVML_KEYS: [&str; 2] = ["library", "sample_every"];

/// How a study asks NVML.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NvmlRules {
    /// Its library; `None` leaves it to the environment and the loader.
    pub library: Option<PathBuf>,
    /// How often an attempt's devices are sampled.
    #[serde(rename = "sample_every_ms", with = "crate::millis")]
    pub sample_every: Duration,
}

impl Default for NvmlRules {
    /// Once a second: NVML's own averages, of power and utilization, are over 25 ms to 1 s.
    fn default() -> Self {
        Self { library: None, sample_every: Duration::from_secs(1) }
    }
}

impl Reader<'_> {
    pub(super) fn nvml(&mut self, node: &Node) -> NvmlRules {
        let table = self.table(node, "`nvml`", &NVML_KEYS);
        let library = table.get("library").map(|node| self.text(node, "`library`"));
        let sample_every = table.get("sample_every").map(|node| self.duration(node, "`sample_every`"));
        NvmlRules {
            library: library.map(|name| self.source.folder().join(name)),
            sample_every: sample_every.unwrap_or_else(|| NvmlRules::default().sample_every),
        }
    }
}
