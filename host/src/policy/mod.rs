//! TEMPORARY
use crate::decision::*;
use std::path::PathBuf;
use std::time::Duration;
#[derive(Clone, Debug)]
pub struct Engine;
#[derive(Clone, Debug)]
pub struct Policy;
#[derive(Clone, Debug)]
pub struct PolicyInfo {
    pub name: String,
    pub version: String,
    pub digest: String,
}
#[derive(Debug)]
pub struct Answer {
    pub result: Result<Decision, PolicyFault>,
    pub fuel: u64,
    pub took: Duration,
    pub log: String,
}
pub enum PolicySource {
    Standard,
    File(PathBuf),
}
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct LoadError;
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct LimitError;
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct EngineError;
#[derive(Clone, Debug, Default)]
pub struct Limits;
#[derive(Default)]
pub struct LimitOverrides {
    pub fuel: Option<u64>,
}
impl Limits {
    pub fn checked(_: &crate::study::PolicyLimits) -> Result<Self, LimitError> {
        Ok(Self)
    }
}
impl Engine {
    pub fn new(_: Option<PathBuf>) -> Result<Self, EngineError> {
        Ok(Self)
    }
}
impl Policy {
    pub fn load(_: &Engine, _: &PolicySource, _: &serde_json::Value, _: Limits) -> Result<Self, LoadError> {
        Ok(Self)
    }
    pub fn info(&self) -> &PolicyInfo {
        unimplemented!()
    }
    pub fn decide(&self, q: &Question) -> Answer {
        let last = q.attempts.last().unwrap();
        let result = Ok(if last.failure.is_none() {
            Decision::Accept
        } else if last.number < 3 {
            Decision::Retry(Retry {
                delay: Duration::from_millis(500),
                placement: Placement::AnyDevices,
                turn: Turn::WhenDue,
                overrides: vec![],
                reason: "stub".into(),
            })
        } else {
            Decision::GiveUp("no".into())
        });
        Answer { result, fuel: 0, took: Duration::ZERO, log: String::new() }
    }
}
