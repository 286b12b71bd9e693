//! The `standard` policy: retries failures that can pass, with growing waits,
//! gives up on the rest, and cleans the devices after every attempt.
//!
//! It changes no parameters and asks for no particular devices: the failures
//! that it retries have to do with neither.

mod cleanup;
mod settings;

use std::time::Duration;

use reprieve_guest::{
    Attempt, Attempts, Backoff, Budget, Decision, Experiment, Failure, FailureClass, Occasion, Policy,
    Progress, Retry, SelfReport, Stage, Step,
};

pub use settings::Standard;

impl Policy for Standard {
    const NAME: &'static str = "standard";
    const SETTINGS_SCHEMA: Option<&'static str> = Some(settings::SCHEMA);

    fn configure(settings: &str) -> Result<Self, String> {
        Self::read(settings)
    }

    fn decide(&self, experiment: &Experiment, attempts: &Attempts, progress: &Progress) -> Decision {
        let attempt = attempts.last();
        let Some(failure) = &attempt.failure else { return Decision::Accept };
        match self.worth_retrying(attempts, failure, progress) {
            Ok(why) => Retry::after(self.delay(experiment, attempts, failure), why).into(),
            Err(why) => self.end(attempt, why, progress),
        }
    }

    fn plan(&self, _: &Experiment, occasion: &Occasion) -> Vec<Step> {
        match occasion {
            Occasion::BeforeAttempt => Vec::new(),
            Occasion::AfterAttempt(_) => self.cleanup(),
        }
    }
}

impl Standard {
    /// Why another attempt is worth it, or why it is not.
    fn worth_retrying(
        &self,
        attempts: &Attempts,
        failure: &Failure,
        progress: &Progress,
    ) -> Result<String, String> {
        let (why, once) = self.can_pass(attempts, failure)?;
        let class = failure.class.name();
        if attempts.retries() >= self.max_retries {
            return Err(tell(
                &format!("gave up after {}: {class} failure", count(attempts)),
                &failure.evidence,
            ));
        }
        match self.retries_in_study.and_then(|most| Budget::Retries(most).spent(progress)) {
            Some(spent) => Err(tell(&format!("{spent}: {class} failure"), &failure.evidence)),
            None if once => Ok(why),
            None => Ok(format!("{why}; retry {} of {}", attempts.len(), self.max_retries)),
        }
    }

    /// Why the failure can pass and whether it is retried only once, or why it
    /// cannot. The experiment knows best, where it said something.
    fn can_pass(&self, attempts: &Attempts, failure: &Failure) -> Result<(String, bool), String> {
        let class = failure.class.name();
        if let Some(report) = &attempts.last().self_report
            && let Some(retryable) = report.retryable
        {
            let verdict = if retryable { "worth retrying" } else { "final" };
            let told =
                tell(&format!("the experiment called its {class} failure {verdict}"), said(report, failure));
            return if retryable { Ok((told, false)) } else { Err(told) };
        }
        if self.retry.contains(&failure.class) {
            return Ok((tell(&format!("{class} failure can pass"), &failure.evidence), false));
        }
        if !self.retry_once.contains(&failure.class) {
            return Err(tell(&format!("{class} failures do not pass by themselves"), &failure.evidence));
        }
        match attempts.failures_of(failure.class) {
            1 => Ok((tell(&format!("{class} failures are retried once"), &failure.evidence), true)),
            _ => Err(tell(
                &format!("gave up after {}: {class} failure again", count(attempts)),
                &failure.evidence,
            )),
        }
    }

    /// The wait after attempt n: `delay_seconds * backoff_factor^(n-1)`, or
    /// what a remote service asked for where that is more, within the cap.
    fn delay(&self, experiment: &Experiment, attempts: &Attempts, failure: &Failure) -> Duration {
        let cap = seconds(self.max_delay_seconds);
        let wait = Backoff::exponential(seconds(self.delay_seconds), self.backoff_factor)
            .capped(cap)
            .jitter(self.jitter, experiment.seed)
            .wait_after(attempts);
        let asked = match failure.class {
            FailureClass::RateLimited => attempts.last().asked_to_wait(),
            _ => None,
        };
        asked.map_or(wait, |asked| asked.max(wait).min(cap))
    }

    /// Gives up, and stops the study where failures have piled up. A failed
    /// `finish` fails no experiment, and so does not count.
    fn end(&self, attempt: &Attempt, why: String, progress: &Progress) -> Decision {
        let in_a_row = progress.failed_in_a_row.saturating_add(1);
        match self.stop_after_failures_in_a_row {
            Some(most) if in_a_row >= most.get() && attempt.stage != Stage::Finish => {
                Decision::stop_study(format!("experiments that failed in a row: {in_a_row}; the last: {why}"))
            }
            _ => Decision::give_up(why),
        }
    }
}

/// Puts the evidence after what is said of it, where there is evidence.
fn tell(what: &str, evidence: &str) -> String {
    if evidence.is_empty() { what.to_owned() } else { format!("{what}: {evidence}") }
}

/// The experiment's own words for its failure, or else the host's.
fn said<'a>(report: &'a SelfReport, failure: &'a Failure) -> &'a str {
    let words = [&report.message, &report.kind, &failure.evidence];
    words.into_iter().find(|text| !text.is_empty()).map_or("", String::as_str)
}

fn count(attempts: &Attempts) -> String {
    match attempts.len() {
        1 => "1 attempt".to_owned(),
        many => format!("{many} attempts"),
    }
}

/// A setting as a span of time; as long as one can be where it is longer.
fn seconds(setting: f64) -> Duration {
    Duration::try_from_secs_f64(setting).unwrap_or(Duration::MAX)
}

reprieve_guest::export!(Standard);
