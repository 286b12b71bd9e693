//! How long to wait before the next attempt.
//!
//! Waits are numbers here; nothing sleeps. The host's scheduler does the
//! waiting, and the devices are free meanwhile.

use std::time::Duration;

use crate::{Attempts, Random, random::nanoseconds};

/// How chance spreads the waits, so that experiments which failed together do
/// not come back together.
///
/// The four are those that Marc Brooker compares in "Exponential Backoff And
/// Jitter" (AWS Architecture Blog, 2015,
/// <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Jitter {
    /// Exactly the backoff's wait.
    #[default]
    None,
    /// Anything from nothing to the backoff's wait.
    Full,
    /// Half the backoff's wait, and anything from nothing to the other half.
    Equal,
    /// Anything from the first wait to three times the previous one. The
    /// backoff's factor plays no part.
    Decorrelated,
}

/// An endless sequence of waits: its first item is the wait after the first
/// attempt.
///
/// A policy remembers nothing between calls, so it asks for one item of the
/// sequence, mostly by [`wait_after`](Self::wait_after), or by `nth`.
///
/// ```
/// use std::time::Duration;
/// use reprieve_guest::Backoff;
///
/// let waits = Backoff::exponential(Duration::from_secs(1), 2.0).capped(Duration::from_secs(5));
/// assert!(waits.take(4).eq([1, 2, 4, 5].map(Duration::from_secs)));
/// ```
///
/// Nothing here panics or overflows. Waits are exact to the nanosecond, and
/// never longer than the cap, or 584 years where there is none.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: u64,
    factor: f64,
    cap: u64,
    jitter: Jitter,
    random: Random,
    /// The next wait before cap and jitter, in nanoseconds.
    grown: f64,
    /// The wait before the next one, in nanoseconds; before the first, the first.
    previous: u64,
}

impl Backoff {
    /// Waits that are all alike.
    pub fn constant(wait: Duration) -> Self {
        Self::exponential(wait, 1.0)
    }

    /// Waits that grow by a factor: `first`, `first * factor`, `first * factor^2`...
    ///
    /// A factor that is negative or not a number counts as 1.
    pub fn exponential(first: Duration, factor: f64) -> Self {
        let first = nanoseconds(first);
        Self {
            first,
            factor: if factor >= 0.0 { factor } else { 1.0 },
            cap: u64::MAX,
            jitter: Jitter::None,
            random: Random::new(0),
            grown: first as f64,
            previous: first,
        }
    }

    /// Lets no wait be longer than this.
    #[must_use]
    pub fn capped(mut self, most: Duration) -> Self {
        self.cap = nanoseconds(most);
        self
    }

    /// Spreads the waits by chance, drawn from a seed: give it
    /// [`Experiment::seed`](crate::Experiment).
    #[must_use]
    pub fn jitter(mut self, jitter: Jitter, seed: u64) -> Self {
        self.jitter = jitter;
        self.random = Random::new(seed);
        self
    }

    /// The wait that follows these attempts.
    ///
    /// [`Jitter::Decorrelated`] builds on the wait before, and takes the one
    /// that really was: `waited_for` of the last attempt.
    pub fn wait_after(mut self, attempts: &Attempts) -> Duration {
        let retries = attempts.retries();
        if self.jitter == Jitter::Decorrelated && retries > 0 {
            self.previous = nanoseconds(Duration::from_millis(attempts.last().waited_for));
            return self.step();
        }
        for _ in 0..retries {
            self.step();
        }
        self.step()
    }

    fn step(&mut self) -> Duration {
        // Both ends of the range saturate, and what is not a number (no first
        // wait, endlessly grown) is no wait.
        let plain = ((self.grown + 0.5) as u64).min(self.cap);
        self.grown *= self.factor;
        let wait = match self.jitter {
            Jitter::None => plain,
            Jitter::Full => self.random.up_to(plain),
            Jitter::Equal => plain - plain / 2 + self.random.up_to(plain / 2),
            Jitter::Decorrelated => {
                let spread = self.previous.saturating_mul(3).saturating_sub(self.first);
                self.first.saturating_add(self.random.up_to(spread)).min(self.cap)
            }
        };
        self.previous = wait;
        Duration::from_nanos(wait)
    }
}

impl Iterator for Backoff {
    type Item = Duration;

    /// Never `None`.
    fn next(&mut self) -> Option<Duration> {
        Some(self.step())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Attempt, FailureClass};

    fn after(waits_ms: &[u64]) -> Attempts {
        let failed = |waited_for: &u64| Attempt {
            waited_for: *waited_for,
            ..Attempt::failed(FailureClass::Network, "")
        };
        Attempts::from(waits_ms.iter().map(failed).collect::<Vec<_>>())
    }

    #[test]
    fn the_wait_after_attempt_n_is_the_nth_of_the_sequence() {
        let waits = Backoff::exponential(Duration::from_secs(1), 2.0);
        assert_eq!(waits.clone().wait_after(&after(&[0])), Duration::from_secs(1));
        assert_eq!(waits.clone().wait_after(&after(&[0, 1000, 2000])), Duration::from_secs(4));
        assert_eq!(waits.clone().nth(2), Some(Duration::from_secs(4)));
        assert_eq!(Backoff::constant(Duration::from_secs(7)).nth(9), Some(Duration::from_secs(7)));
    }

    #[test]
    fn fractions_come_out_as_people_write_them() {
        let mut waits = Backoff::exponential(Duration::from_millis(100), 1.1);
        assert_eq!(waits.nth(1), Some(Duration::from_millis(110)));
    }

    #[test]
    fn factors_that_make_no_sense_do_no_harm() {
        for (factor, expected_secs) in
            [(f64::NAN, [2, 2]), (-3.0, [2, 2]), (0.0, [2, 0]), (f64::INFINITY, [2, 60])]
        {
            let waits = Backoff::exponential(Duration::from_secs(2), factor).capped(Duration::from_secs(60));
            assert!(waits.take(2).eq(expected_secs.map(Duration::from_secs)), "factor {factor}");
        }
        assert_eq!(Backoff::exponential(Duration::ZERO, f64::INFINITY).nth(3), Some(Duration::ZERO));
    }

    prop_compose! {
        fn any_duration()(nanos in prop_oneof![0..10_000_000_000_u64, any::<u64>(), Just(u64::MAX)]) -> Duration {
            Duration::from_nanos(nanos)
        }
    }

    fn any_jitter() -> impl Strategy<Value = Jitter> {
        prop_oneof![Just(Jitter::None), Just(Jitter::Full), Just(Jitter::Equal), Just(Jitter::Decorrelated)]
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_the_cap_whatever_the_numbers(
            first in any_duration(), factor in any::<f64>(), cap in any_duration(), jitter in any_jitter(), seed: u64,
        ) {
            let waits = Backoff::exponential(first, factor).capped(cap).jitter(jitter, seed);
            prop_assert!(waits.take(200).all(|wait| wait <= cap));
        }

        #[test]
        fn without_jitter_waits_never_shrink(first in any_duration(), factor in 1.0..1e6) {
            let waits: Vec<_> = Backoff::exponential(first, factor).take(100).collect();
            prop_assert!(waits.is_sorted());
        }

        #[test]
        fn a_seed_determines_the_waits(first in any_duration(), jitter in any_jitter(), seed: u64) {
            let waits = || Backoff::exponential(first, 2.0).jitter(jitter, seed).take(50);
            prop_assert!(waits().eq(waits()));
        }

        #[test]
        fn jitter_stays_within_its_definition(first in any_duration(), factor in 0.0..4.0, seed: u64) {
            let plain = Backoff::exponential(first, factor);
            let full = plain.clone().jitter(Jitter::Full, seed);
            let equal = plain.clone().jitter(Jitter::Equal, seed);
            for ((plain, full), equal) in plain.zip(full).zip(equal).take(50) {
                prop_assert!(full <= plain);
                prop_assert!(plain / 2 <= equal && equal <= plain);
            }
        }

        #[test]
        fn decorrelated_waits_build_on_the_wait_that_was(
            first_ms in 1..100_000_u64, waited_ms in any::<u64>(), seed: u64,
        ) {
            let first = Duration::from_millis(first_ms);
            let waits = Backoff::constant(first).jitter(Jitter::Decorrelated, seed);
            prop_assert!(waits.clone().wait_after(&after(&[0])) <= 3 * first);
            let wait = waits.wait_after(&after(&[0, waited_ms]));
            let most = Duration::from_millis(waited_ms).saturating_mul(3).max(first);
            prop_assert!(first <= wait && wait <= most);
        }
    }
}
