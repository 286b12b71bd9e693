//! Bounds on what retries may cost the whole study.

use std::time::Duration;

use crate::Progress;

/// A bound on the whole study, counted from the [`Progress`] that each
/// decision is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// At most this many retries in the study.
    Retries(u32),
    /// No retry once the study has run for this long.
    Time(Duration),
}

impl Budget {
    /// Why no retry is left, or `None` where one is.
    ///
    /// ```
    /// use reprieve_guest::{Budget, Progress};
    ///
    /// let progress = Progress { retries: 20, ..Progress::default() };
    /// assert_eq!(Budget::Retries(21).spent(&progress), None);
    /// assert_eq!(Budget::Retries(20).spent(&progress).unwrap(), "the study's 20 retries are used up");
    /// ```
    pub fn spent(self, progress: &Progress) -> Option<String> {
        match self {
            Self::Retries(most) => {
                (progress.retries >= most).then(|| format!("the study's {most} retries are used up"))
            }
            Self::Time(most) => (u128::from(progress.elapsed) >= most.as_millis())
                .then(|| format!("the study's {} s for retries are over", most.as_secs())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_up_once_the_study_has_run_for_it() {
        let after = |elapsed| Progress { elapsed, ..Progress::default() };
        assert_eq!(Budget::Time(Duration::from_secs(60)).spent(&after(59_999)), None);
        assert!(Budget::Time(Duration::from_secs(60)).spent(&after(60_000)).is_some());
        assert_eq!(Budget::Time(Duration::MAX).spent(&after(u64::MAX)), None);
    }
}
