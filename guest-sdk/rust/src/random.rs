//! Randomness that a replay draws again.

use std::time::Duration;

/// A small generator of random numbers, seeded with
/// [`Experiment::seed`](crate::Experiment): the same call draws the same
/// numbers on every machine and in every replay. Not for secrets.
///
/// It is SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom
/// Number Generators", OOPSLA 2014).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Draws 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Draws a number from 0 to `most`, both included. The bias is below
    /// `most` in 2^64 (multiply and shift, as in Lemire, "Fast Random Integer
    /// Generation in an Interval", 2019, without its rejection step).
    pub fn up_to(&mut self, most: u64) -> u64 {
        let wide = u128::from(self.next_u64()) * (u128::from(most) + 1);
        u64::try_from(wide >> 64)
            .expect("a product of 64 bits and at most 2^64, shifted by 64, fits in 64 bits")
    }

    /// Draws a span of time between these two, both included; `low` where `high` is less.
    /// Spans beyond 584 years are cut to that.
    pub fn between(&mut self, low: Duration, high: Duration) -> Duration {
        let (low, high) = (nanoseconds(low), nanoseconds(high));
        Duration::from_nanos(low + self.up_to(high.saturating_sub(low)))
    }
}

/// The span in nanoseconds, at most 584 years.
pub(crate) fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_published_generator() {
        // The first outputs for seed 1234567 as Rosetta Code lists them, under
        // "Pseudo-random numbers/Splitmix64".
        let mut random = Random::new(1_234_567);
        let drawn: Vec<u64> = (0..3).map(|_| random.next_u64()).collect();
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn draws_stay_within_their_bounds_at_the_extremes() {
        let mut random = Random::new(0);
        assert_eq!(random.up_to(0), 0);
        random.up_to(u64::MAX);
        assert_eq!(random.between(Duration::MAX, Duration::ZERO), Duration::from_nanos(u64::MAX));
        assert!((0..1000).map(|_| random.up_to(1)).sum::<u64>().abs_diff(500) < 100);
    }
}
