//! Writing decisions down.

use std::time::Duration;

use crate::{Decision, Parameter, Placement, Retry, Turn};

impl Decision {
    /// The experiment has failed, for this reason. The study goes on.
    pub fn give_up(reason: impl Into<String>) -> Self {
        Self::GiveUp(reason.into())
    }

    /// Start no further experiment, for this reason.
    pub fn stop_study(reason: impl Into<String>) -> Self {
        Self::StopStudy(reason.into())
    }
}

impl Retry {
    /// Another attempt after this delay, for this reason: on whichever devices
    /// are free first, and as soon as one is.
    ///
    /// A delay is whole milliseconds; a longer one than they can count is cut.
    pub fn after(delay: Duration, reason: impl Into<String>) -> Self {
        Self {
            delay: u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
            placement: Placement::AnyDevices,
            turn: Turn::WhenDue,
            overrides: Vec::new(),
            reason: reason.into(),
        }
    }

    /// Replaces the value of an adjustable parameter for the next attempt.
    #[must_use]
    pub fn with(mut self, parameter: &str, value: impl ToString) -> Self {
        self.overrides.push(Parameter { name: parameter.to_owned(), value: value.to_string() });
        self
    }

    /// Says which devices the next attempt may use.
    #[must_use]
    pub fn on(mut self, placement: Placement) -> Self {
        self.placement = placement;
        self
    }

    /// Lets every other experiment of the study go first.
    #[must_use]
    pub fn last(mut self) -> Self {
        self.turn = Turn::Last;
        self
    }
}

impl From<Retry> for Decision {
    fn from(retry: Retry) -> Self {
        Self::Retry(retry)
    }
}
