//! The attempts at one stage of one experiment, and how to count them.

use std::ops::Deref;

use crate::{Attempt, Ending, Failure, FailureClass, Stage};

/// All attempts at a stage so far, oldest first. The last one is judged, and
/// there always is one.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempts(Vec<Attempt>);

impl Attempts {
    /// The attempt that is judged.
    pub fn last(&self) -> &Attempt {
        self.0.last().expect("a policy is asked about an attempt")
    }

    /// How many attempts were retries: all but the first.
    pub fn retries(&self) -> u32 {
        u32::try_from(self.0.len() - 1).unwrap_or(u32::MAX)
    }

    /// How many attempts failed in this way, the last one counted.
    pub fn failures_of(&self, class: FailureClass) -> u32 {
        let count = self.0.iter().filter(|attempt| attempt.class() == Some(class)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

impl Deref for Attempts {
    type Target = [Attempt];

    fn deref(&self) -> &[Attempt] {
        &self.0
    }
}

impl From<Vec<Attempt>> for Attempts {
    /// # Panics
    ///
    /// Where there is no attempt: a policy is never asked about none.
    fn from(attempts: Vec<Attempt>) -> Self {
        assert!(!attempts.is_empty(), "a policy is asked about an attempt");
        Self(attempts)
    }
}

impl<const N: usize> From<[Attempt; N]> for Attempts {
    /// For unit tests: numbers the attempts from 1, as the host does.
    ///
    /// # Panics
    ///
    /// Where there is no attempt: a policy is never asked about none.
    fn from(attempts: [Attempt; N]) -> Self {
        let numbered = (1..).zip(attempts).map(|(number, attempt)| Attempt { number, ..attempt });
        Self::from(numbered.collect::<Vec<_>>())
    }
}

impl Attempt {
    /// A success, for unit tests: exit code 0, and nothing else to tell.
    pub fn succeeded() -> Self {
        Self {
            number: 1,
            stage: Stage::Measure,
            ending: Ending::Exited(0),
            failure: None,
            waited_for: 0,
            ran_for: 0,
            stderr_tail: String::new(),
            stdout_tail: String::new(),
            self_report: None,
            faults: Vec::new(),
            memory: Vec::new(),
            foreign_processes: 0,
            throttled_for: 0,
            facts: Vec::new(),
        }
    }

    /// A failure, for unit tests: exit code 1, and this cause.
    pub fn failed(class: FailureClass, evidence: impl Into<String>) -> Self {
        let failure = Some(Failure { class, evidence: evidence.into() });
        Self { ending: Ending::Exited(1), failure, ..Self::succeeded() }
    }

    /// How the attempt failed, or `None` where it succeeded.
    pub fn class(&self) -> Option<FailureClass> {
        self.failure.as_ref().map(|failure| failure.class)
    }

    /// Whether the experiment itself called its failure worth retrying, or
    /// `None` where it did not say. It knows better than the failure's class.
    pub fn retryable(&self) -> Option<bool> {
        self.self_report.as_ref().and_then(|report| report.retryable)
    }
}

impl FailureClass {
    /// All classes, in the contract's order.
    pub const ALL: [Self; 16] = [
        Self::Network,
        Self::RateLimited,
        Self::DriverTransient,
        Self::Communication,
        Self::DeviceMemory,
        Self::DeviceOccupied,
        Self::HostMemory,
        Self::DeviceProgram,
        Self::DeviceHardware,
        Self::Hang,
        Self::Crash,
        Self::Storage,
        Self::Access,
        Self::Configuration,
        Self::Cancelled,
        Self::Unknown,
    ];

    /// The class's name in settings and output, for example `rate-limited`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::RateLimited => "rate-limited",
            Self::DriverTransient => "driver-transient",
            Self::Communication => "communication",
            Self::DeviceMemory => "device-memory",
            Self::DeviceOccupied => "device-occupied",
            Self::HostMemory => "host-memory",
            Self::DeviceProgram => "device-program",
            Self::DeviceHardware => "device-hardware",
            Self::Hang => "hang",
            Self::Crash => "crash",
            Self::Storage => "storage",
            Self::Access => "access",
            Self::Configuration => "configuration",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_counted_by_class_and_numbered_from_one() {
        let network = || Attempt::failed(FailureClass::Network, "connection reset");
        let attempts = Attempts::from([network(), Attempt::failed(FailureClass::Hang, ""), network()]);
        assert_eq!(attempts.retries(), 2);
        assert_eq!(attempts.failures_of(FailureClass::Network), 2);
        assert_eq!(attempts.failures_of(FailureClass::Crash), 0);
        assert_eq!(attempts.last().number, 3);
    }

    #[test]
    fn settings_name_a_class_as_the_contract_does() {
        for class in FailureClass::ALL {
            let json = format!("\"{}\"", class.name());
            assert_eq!(serde_json::from_str::<FailureClass>(&json).unwrap(), class);
        }
    }
}
