//! Sums samples up as they come. Pure: time is handed in.

use std::collections::BTreeSet;
use std::time::Duration;

use super::read::Sample;
use crate::samples::{DeviceSamples, Gap, Span};

/// How many foreign processes are named.
const FOREIGN_MAX: usize = 64;

/// How many reasons for gaps are told apart; the rest counts as the last of them.
const REASONS_MAX: usize = 8;

/// One device's sums so far.
#[derive(Debug)]
pub(super) struct Summary {
    sums: DeviceSamples,
    energy_first: Option<u64>,
    /// When a sample was last due, since the start.
    last: Option<Duration>,
    /// Not the caller's at the sample before this one.
    suspects: BTreeSet<u32>,
    foreign: BTreeSet<u32>,
}

impl Summary {
    pub(super) fn new(uuid: &str, baseline_bytes: Option<u64>) -> Self {
        let sums = DeviceSamples {
            uuid: uuid.to_owned(),
            memory_baseline_bytes: baseline_bytes,
            ..DeviceSamples::default()
        };
        Self { sums, energy_first: None, last: None, suspects: BTreeSet::new(), foreign: BTreeSet::new() }
    }

    /// A sample was taken, so long after the start; `strangers` are the
    /// processes that are not the caller's.
    pub(super) fn taken(&mut self, at: Duration, sample: &Sample, strangers: BTreeSet<u32>) {
        let sums = &mut self.sums;
        sums.taken += 1;
        let used = sample.memory_used_bytes;
        sums.memory_peak_bytes = sums.memory_peak_bytes.max(Some(used));
        sums.memory_residual_bytes = sums.memory_baseline_bytes.map(|baseline| used.saturating_sub(baseline));
        self.energy_first = self.energy_first.or(sample.energy_millijoules);
        if let (Some(first), Some(now)) = (self.energy_first, sample.energy_millijoules) {
            // A counter that goes back was reset with the driver: nothing is known.
            sums.energy_millijoules = now.checked_sub(first);
        }
        if let Some(celsius) = sample.temperature_celsius {
            sums.temperature_celsius = Some(Span::with(sums.temperature_celsius, celsius));
        }
        if let Some(milliwatts) = sample.power_milliwatts {
            sums.power_milliwatts = Some(Span::with(sums.power_milliwatts, milliwatts));
        }
        if let Some(reasons) = &sample.clock_reasons {
            let throttles = reasons.iter().any(|reason| reason.throttles());
            let since = self.last.map_or(Duration::ZERO, |last| at.saturating_sub(last));
            let added = if throttles { since } else { Duration::ZERO };
            sums.throttled_for = Some(sums.throttled_for.unwrap_or_default() + added);
        }
        self.foreign.extend(strangers.intersection(&self.suspects));
        self.suspects = strangers;
        self.last = Some(at);
    }

    /// So many samples are missing, the last of them due so long after the start.
    pub(super) fn missed(&mut self, at: Duration, samples: u64, reason: &str) {
        if samples == 0 {
            return;
        }
        self.last = Some(at);
        let gaps = &mut self.sums.gaps;
        let full = gaps.len() == REASONS_MAX;
        match gaps.iter_mut().position(|gap| gap.reason == reason).or(full.then_some(REASONS_MAX - 1)) {
            Some(place) => gaps[place].samples += samples,
            None => gaps.push(Gap { reason: reason.to_owned(), samples }),
        }
    }

    pub(super) fn sums(&self) -> DeviceSamples {
        let foreign_processes = self.foreign.iter().copied().take(FOREIGN_MAX).collect();
        DeviceSamples { foreign_processes, ..self.sums.clone() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reading::ClockReason;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn using(bytes: u64) -> Sample {
        Sample { memory_used_bytes: bytes, ..Sample::default() }
    }

    #[test]
    fn a_device_that_offers_only_memory_leaves_the_rest_unknown() {
        let mut summary = Summary::new("GPU-0", Some(100));
        summary.taken(at(0), &using(150), BTreeSet::new());
        summary.taken(at(1), &using(90), BTreeSet::new());
        let expected = DeviceSamples {
            uuid: "GPU-0".into(),
            taken: 2,
            memory_baseline_bytes: Some(100),
            memory_peak_bytes: Some(150),
            memory_residual_bytes: Some(0),
            ..DeviceSamples::default()
        };
        assert_eq!(summary.sums(), expected);
    }

    #[test]
    fn energy_is_unknown_where_the_counter_was_reset() {
        let counter = |value| Sample { energy_millijoules: Some(value), ..using(0) };
        let mut summary = Summary::new("GPU-0", None);
        summary.taken(at(0), &counter(500), BTreeSet::new());
        summary.taken(at(1), &counter(900), BTreeSet::new());
        assert_eq!(summary.sums().energy_millijoules, Some(400));
        summary.taken(at(2), &counter(10), BTreeSet::new());
        assert_eq!(summary.sums().energy_millijoules, None);
    }

    #[test]
    fn time_that_was_not_sampled_is_not_called_throttled() {
        let reason = |reason| Sample { clock_reasons: Some(vec![reason]), ..using(0) };
        let hot = reason(ClockReason::HwThermalSlowdown);
        let mut summary = Summary::new("GPU-0", None);
        summary.taken(at(0), &hot, BTreeSet::new());
        assert_eq!(summary.sums().throttled_for, Some(at(0)));
        summary.taken(at(1), &hot, BTreeSet::new());
        summary.taken(at(2), &reason(ClockReason::SwPowerCap), BTreeSet::new());
        summary.missed(at(9), 7, "no answer");
        summary.taken(at(10), &hot, BTreeSet::new());
        assert_eq!(summary.sums().throttled_for, Some(at(2)));
    }

    #[test]
    fn a_process_seen_once_is_no_stranger() {
        let mut summary = Summary::new("GPU-0", None);
        for (second, pids) in [(0, vec![1]), (1, vec![2, 3]), (2, vec![3])] {
            summary.taken(at(second), &using(0), pids.into_iter().collect());
        }
        assert_eq!(summary.sums().foreign_processes, [3]);
    }

    proptest! {
        /// However many reasons there are: no gap is lost, and the record stays small.
        #[test]
        fn gaps_are_all_counted_and_bounded(reasons in prop::collection::vec("[a-z]{1,2}", 0..200)) {
            let mut summary = Summary::new("GPU-0", None);
            for reason in &reasons {
                summary.missed(at(0), 1, reason);
            }
            let gaps = summary.sums().gaps;
            prop_assert!(gaps.len() <= REASONS_MAX);
            prop_assert_eq!(gaps.iter().map(|gap| gap.samples).sum::<u64>(), reasons.len() as u64);
        }
    }
}
