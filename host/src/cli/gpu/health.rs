//! What a reading says about a device's health, in words.

use serde::Serialize;

use crate::reading::{Reading, ReadingError, Recovery};
use crate::reporter::words;

/// How a device is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::cli) struct Health {
    pub(in crate::cli) verdict: Verdict,
    /// Why, worst first; empty where there is nothing to say.
    pub(in crate::cli) reasons: Vec<String>,
}

/// In one word, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum Verdict {
    Healthy,
    /// It says nothing about its health.
    Unknown,
    /// It works, and something should be done about it.
    Worn,
    /// It cannot be relied on.
    Sick,
}

impl Verdict {
    pub(in crate::cli) fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Unknown => "unknown",
            Self::Worn => "worn",
            Self::Sick => "sick",
        }
    }
}

/// The verdict on a reading, or on why there is none.
pub(in crate::cli) fn health(reading: Option<&Reading>, error: Option<&ReadingError>) -> Health {
    if let Some(error) = error {
        let verdict = match error {
            ReadingError::NotSupported | ReadingError::NoSuchDevice | ReadingError::Unavailable(_) => {
                Verdict::Unknown
            }
            ReadingError::DeviceLost(_) | ReadingError::Transient(_) | ReadingError::Other(_) => {
                Verdict::Sick
            }
        };
        return Health { verdict, reasons: vec![error.to_string()] };
    }
    let mut found = Vec::new();
    let silent = reading.is_none_or(|reading| {
        reading.recovery.is_none() && reading.remapped_rows.is_none() && reading.uncorrected_errors.is_none()
    });
    if let Some(reading) = reading {
        match reading.recovery {
            Some(Recovery::ResetDevice) => found.push((Verdict::Sick, "it needs a reset".to_owned())),
            Some(Recovery::RestartMachine) => {
                found.push((Verdict::Sick, "the machine needs a restart".to_owned()));
            }
            Some(Recovery::Inspect) => found.push((Verdict::Sick, "a person has to look at it".to_owned())),
            Some(Recovery::None) | None => {}
        }
        if let Some(rows) = reading.remapped_rows {
            if rows.failed {
                found.push((Verdict::Sick, "bad memory rows could not be replaced".to_owned()));
            }
            if rows.pending {
                found.push((Verdict::Worn, "memory rows are replaced at its next reset".to_owned()));
            }
        }
        if let Some(errors @ 1..) = reading.uncorrected_errors {
            found.push((Verdict::Worn, words::count(errors, "uncorrected memory error")));
        }
    }
    let verdict = found.iter().map(|(verdict, _)| *verdict).max();
    let verdict = verdict.unwrap_or(if silent { Verdict::Unknown } else { Verdict::Healthy });
    found.sort_by_key(|(verdict, _)| std::cmp::Reverse(*verdict));
    Health { verdict, reasons: found.into_iter().map(|(_, reason)| reason).collect() }
}
