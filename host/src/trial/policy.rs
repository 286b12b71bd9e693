//! One policy in one situation: what it decides, and where it breaks the contract.
//!
//! Whether a decision is wise is for a reader to say.

use std::fmt;

use crate::cleanup::{CleanupAction, HandOver, Occasion, PlanQuestion, Step, StepReport};
use crate::decision::{Decision, PolicyFault, Question};
use crate::policy::{Answer, Devices, Policy};
use crate::reading::{Reading, ReadingError};
use crate::reporter::words;
use crate::study::Limits;

use super::situations::Situation;

/// A policy that would go on after so many attempts goes on for ever: the
/// bound of a study that sets none.
pub const MOST_ATTEMPTS: usize = 100;

/// How many functions of a backtrace a breach names, innermost first.
const FUNCTIONS_SHOWN: usize = 4;

/// What a policy did in a situation in which every attempt ends alike.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Attempt by attempt, until it ended the experiment or was ended itself.
    pub decisions: Vec<Decision>,
    /// Where it broke the contract.
    pub breaches: Vec<Breach>,
}

/// One break of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// After which attempt, where it was about one.
    pub attempt: Option<usize>,
    /// What the policy did, in the same words wherever it did it.
    pub what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(attempt) = self.attempt {
            write!(f, "attempt {attempt}: ")?;
        }
        f.write_str(&self.what)
    }
}

/// A plan for the cleanup, before an attempt or after it.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Where it broke the contract.
    pub breaches: Vec<Breach>,
}

/// Has a policy decide on one attempt after the other, each twice.
pub fn decide(policy: &Policy, situation: &Situation) -> Trial {
    let mut question = situation.question.clone();
    let mut trial = Trial { decisions: Vec::new(), breaches: Vec::new() };
    let bounds = Limits::default();
    loop {
        let number = question.attempts.len();
        let (first, second) = (policy.decide(&question), policy.decide(&question));
        let mut breach = |what: String| trial.breaches.push(Breach { attempt: Some(number), what });
        if first.result != second.result {
            breach("asked twice, it answers differently".to_owned());
        }
        let decision = match first.result {
            Ok(decision) => decision,
            Err(fault) => {
                breach(words::fault(&fault) + &place(&fault));
                break;
            }
        };
        trial.decisions.push(decision.clone());
        let Decision::Retry(retry) = decision else { break };
        if retry.delay > bounds.max_delay {
            let most = words::span(bounds.max_delay);
            breach(format!("it waits longer than a study allows, which is {most}"));
        }
        if number >= MOST_ATTEMPTS {
            breach(format!("it still retries after {MOST_ATTEMPTS} attempts"));
            break;
        }
        for new in &retry.overrides {
            let mut parameters = question.experiment.parameters.iter_mut();
            if let Some(parameter) = parameters.find(|parameter| parameter.name == new.name) {
                parameter.value.clone_from(&new.value);
            }
        }
        again(&mut question, retry.delay);
    }
    if let (Some(expected), Some(first)) = (&situation.expect, trial.decisions.first())
        && expected != name(first)
    {
        let what = format!("`{expected}` was expected first, and it is `{}`", name(first));
        trial.breaches.push(Breach { attempt: None, what });
    }
    trial
}

/// Where in the guest it happened, as far as its functions have names.
fn place(fault: &PolicyFault) -> String {
    let functions: Vec<&str> = fault.functions().take(FUNCTIONS_SHOWN).collect();
    if functions.is_empty() { String::new() } else { format!(", in {}", functions.join(" < ")) }
}

/// The next attempt ends like the last one.
fn again(question: &mut Question, delay: std::time::Duration) {
    let Some(mut attempt) = question.attempts.last().cloned() else { return };
    attempt.number += 1;
    attempt.waited_for = delay;
    question.attempts.push(attempt);
    question.progress.retries = question.progress.retries.saturating_add(1);
    question.experiment.seed = question.experiment.seed.wrapping_add(1);
}

/// A decision's name, as the contract has it.
fn name(decision: &Decision) -> &'static str {
    match decision {
        Decision::Accept => "accept",
        Decision::Retry(_) => "retry",
        Decision::GiveUp(_) => "give-up",
        Decision::StopStudy(_) => "stop-study",
    }
}

/// Has a policy plan the cleanup, twice: before an attempt, or after the
/// situation's. What it does while it plans is refused.
pub fn plan(policy: &Policy, situation: &Situation, before: bool) -> Planned {
    let ask = || plan_answer(policy, situation, before).result;
    let (first, second) = (ask(), ask());
    let mut breaches = Vec::new();
    let mut breach = |what: String| breaches.push(Breach { attempt: None, what });
    if first != second {
        breach("asked twice for a plan, it answers differently".to_owned());
    }
    let steps = first.unwrap_or_else(|fault| {
        breach(words::fault(&fault) + &place(&fault));
        Vec::new()
    });
    Planned { steps, breaches }
}

/// The same, asked once, with what the answer took.
pub fn plan_answer(policy: &Policy, situation: &Situation, before: bool) -> Answer<Vec<Step>> {
    let Question { experiment, attempts, devices, asked_at, .. } = situation.question.clone();
    let occasion = match attempts.into_iter().next_back() {
        Some(attempt) if !before => Occasion::AfterAttempt(Box::new(attempt)),
        _ => Occasion::BeforeAttempt,
    };
    policy.plan(&PlanQuestion { experiment, occasion, asked_at }, Box::new(Shown(devices)))
}

/// Devices that can be looked at.
struct Shown(Vec<HandOver>);

impl Devices for Shown {
    fn read(&mut self, device: u32) -> Result<(Reading, u64), ReadingError> {
        let seen = self.0.get(device as usize).ok_or(ReadingError::NotSupported)?;
        seen.reading.clone().map(|reading| (reading, seen.baseline_bytes))
    }

    fn perform(&mut self, _: CleanupAction) -> Result<StepReport, String> {
        Err("this is a trial: nothing is done".to_owned())
    }
}
