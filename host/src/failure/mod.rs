//! TEMPORARY
use crate::attempt::*;
pub struct Evidence<'a> {
    pub ending: &'a Ending,
    pub ended_by_host: bool,
    pub cancelled: bool,
    pub stdout: &'a str,
    pub stderr: &'a str,
    pub self_report: Option<&'a SelfReport>,
}
#[derive(Debug)]
pub struct Classifier;
pub struct Pattern {
    pub class: FailureClass,
    pub regex: String,
}
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct PatternError;
impl Classifier {
    pub fn new(_: &[Pattern]) -> Result<Self, PatternError> {
        Ok(Self)
    }
    pub fn classify(&self, e: &Evidence<'_>) -> Option<Failure> {
        if *e.ending == Ending::Exited(0) {
            None
        } else {
            Some(Failure { class: FailureClass::Unknown, evidence: format!("{:?}", e.ending) })
        }
    }
}
