//! What a policy author implements.

use crate::{Attempts, Decision, Experiment, Occasion, Progress, Step, settings};

/// A policy. Everything has a default: that policy accepts successes, gives up
/// on failures, has no settings and plans no cleanup.
pub trait Policy: Default + 'static {
    /// What people call it. Empty: the crate's name.
    const NAME: &'static str = "";
    /// The policy's own version. Empty: the crate's version.
    const VERSION: &'static str = "";
    /// One line for people. Empty: the crate's description.
    const SUMMARY: &'static str = "";
    /// A JSON Schema of the settings, or `None` where there are no settings.
    const SETTINGS_SCHEMA: Option<&'static str> = None;

    /// Makes the policy from its settings, a JSON object. The text of a
    /// refusal is shown to the person who wrote the settings.
    ///
    /// The default refuses all settings. A policy that has some derives
    /// `serde::Deserialize` and answers with [`from_json`](crate::from_json).
    fn configure(settings: &str) -> Result<Self, String> {
        settings::none(settings).map(|()| Self::default())
    }

    /// Judges the newest attempt, [`attempts.last()`](Attempts::last).
    /// Successes are judged too.
    #[expect(unused_variables, reason = "the names are the documentation of what an implementation gets")]
    fn decide(&self, experiment: &Experiment, attempts: &Attempts, progress: &Progress) -> Decision {
        match &attempts.last().failure {
            None => Decision::Accept,
            Some(failure) => Decision::give_up(&failure.evidence),
        }
    }

    /// Returns the cleanup steps to run on this occasion, in order.
    #[expect(unused_variables, reason = "the names are the documentation of what an implementation gets")]
    fn plan(&self, experiment: &Experiment, occasion: &Occasion) -> Vec<Step> {
        Vec::new()
    }
}
