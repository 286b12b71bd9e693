//! Samples devices from start to stop, each on a thread of its own: one that
//! does not answer holds up neither the others nor the stop.
//!
//! It judges nothing, and it does not know whose process is whose: the caller does.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::line::start;
use super::nvml::Gpus;
use super::read::Sample;
use super::summary::Summary;
use crate::clock::{monotonic as now, wall};
use crate::reading::ReadingError;
use crate::samples::Samples;

/// How long a stop waits for the last samples: for the one under way, and one more.
const STOP_WITHIN: Duration = Duration::from_secs(2);

/// The most that a samples file grows to: five days of one device, sampled
/// every second.
const FILE_BYTES_MAX: usize = 64 << 20;

/// The columns of a samples file: RFC 4180, one row for each device and sample.
/// A sample that is missing has only `missing`, which says why.
const HEADER: &str = "time_utc,device,memory_used_bytes,temperature_celsius,power_milliwatts,\
                      energy_millijoules,utilization_percent,sm_clock_mhz,clock_reasons,missing\n";

/// A device to sample.
#[derive(Clone, Debug)]
pub struct Sampled {
    /// Which.
    pub uuid: String,
    /// The memory that is in use on it without the experiment, where it is known.
    pub baseline_bytes: Option<u64>,
}

/// Samples devices until it is stopped, or dropped.
pub struct Sampler(Arc<Shared>);

struct Shared {
    gpus: Gpus,
    every: Duration,
    began: Instant,
    is_ours: Box<dyn Fn(u32) -> bool + Send + Sync>,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    stopping: bool,
    /// How many devices are still sampled.
    at_work: usize,
    file: SamplesFile,
    summaries: Vec<Summary>,
}

/// The file, and how far it got.
struct SamplesFile {
    file: File,
    written_bytes: usize,
    cut: Option<String>,
}

impl Sampler {
    /// Begins, with a first sample of each device at once. `is_ours` says of a
    /// PID, as NVML has it, whether it is the experiment's.
    ///
    /// # Errors
    ///
    /// Where the file cannot be created, or no thread be started. A file that
    /// cannot be written later is told in the sums.
    pub fn start(
        gpus: &Gpus,
        devices: &[Sampled],
        every: Duration,
        file: &Path,
        is_ours: impl Fn(u32) -> bool + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let mut file = SamplesFile { file: File::create(file)?, written_bytes: 0, cut: None };
        file.append(HEADER);
        let summaries =
            devices.iter().map(|device| Summary::new(&device.uuid, device.baseline_bytes)).collect();
        let shared = Arc::new(Shared {
            gpus: gpus.clone(),
            every,
            began: now(),
            is_ours: Box::new(is_ours),
            state: Mutex::new(State { stopping: false, at_work: 0, file, summaries }),
            changed: Condvar::new(),
        });
        let sampler = Self(Arc::clone(&shared));
        for (place, device) in devices.iter().enumerate() {
            let (shared, uuid) = (Arc::clone(&shared), device.uuid.clone());
            sampler.0.lock().at_work += 1;
            start("sampler", move || shared.sample_until_stopped(place, &uuid))?;
        }
        Ok(sampler)
    }

    /// Takes a last sample of each device and sums up. Bounded: a device that
    /// does not answer within two seconds goes without.
    pub fn stop(self) -> Samples {
        let shared = &self.0;
        let mut state = shared.lock();
        state.stopping = true;
        shared.changed.notify_all();
        let (mut state, _) = shared
            .changed
            .wait_timeout_while(state, STOP_WITHIN, |state| state.at_work > 0)
            .unwrap_or_else(PoisonError::into_inner);
        // What comes later is nobody's any more.
        let devices = std::mem::take(&mut state.summaries).iter().map(Summary::sums).collect();
        let file_cut = state.file.cut.clone();
        Samples { devices, file_cut }
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.0.lock().stopping = true;
        self.0.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sample_until_stopped(&self, place: usize, uuid: &str) {
        let mut ours = BTreeSet::new();
        let mut due = now();
        loop {
            let last = self.lock().stopping;
            let (at, asked) = (wall(), now());
            let answer = self.gpus.sample(uuid);
            let strangers = match &answer {
                Ok(sample) => self.strangers(&sample.processes, &mut ours),
                Err(_) => BTreeSet::new(),
            };
            let late = self.late(&mut due);
            let mut state = self.lock();
            state.record(place, uuid, at, asked.duration_since(self.began), answer, strangers);
            if let Some(summary) = state.summaries.get_mut(place) {
                summary.missed(self.began.elapsed(), late, "the sample before came late");
            }
            if last {
                state.at_work -= 1;
                self.changed.notify_all();
                return;
            }
            let wait = due.saturating_duration_since(now());
            drop(self.changed.wait_timeout_while(state, wait, |state| !state.stopping));
        }
    }

    /// When the next sample is due, and how many were due before now.
    fn late(&self, due: &mut Instant) -> u64 {
        let mut late = 0;
        *due += self.every;
        while *due < now() && !self.every.is_zero() {
            *due += self.every;
            late += 1;
        }
        late
    }

    /// Those that are not ours. One that was ours stays so: it may end first.
    fn strangers(&self, pids: &[u32], ours: &mut BTreeSet<u32>) -> BTreeSet<u32> {
        let strange = |pid: &u32| {
            let known = ours.contains(pid) || (self.is_ours)(*pid);
            if known {
                ours.insert(*pid);
            }
            !known
        };
        pids.iter().copied().filter(strange).collect()
    }
}

impl State {
    fn record(
        &mut self,
        place: usize,
        uuid: &str,
        at: Timestamp,
        since_start: Duration,
        answer: Result<Sample, ReadingError>,
        strangers: BTreeSet<u32>,
    ) {
        // Summed up already: this one came after the stop.
        let Some(summary) = self.summaries.get_mut(place) else { return };
        let answer = answer.map_err(|error| error.to_string());
        self.file.append(&row(at, uuid, answer.as_ref().map_err(String::as_str)));
        match answer {
            Ok(sample) => summary.taken(since_start, &sample, strangers),
            Err(reason) => summary.missed(since_start, 1, &reason),
        }
    }
}

impl SamplesFile {
    /// Appends whole lines, as long as there is room and the disk takes them.
    fn append(&mut self, lines: &str) {
        if self.cut.is_some() {
            return;
        }
        if self.written_bytes + lines.len() > FILE_BYTES_MAX {
            self.cut = Some(format!("it reached {} MiB", FILE_BYTES_MAX >> 20));
        } else if let Err(error) = self.file.write_all(lines.as_bytes()) {
            tracing::warn!("the samples file cannot be written: {error}");
            self.cut = Some(error.to_string());
        }
        self.written_bytes += lines.len();
    }
}

/// One line of the file. What the device does not offer is empty.
fn row(at: Timestamp, uuid: &str, sample: Result<&Sample, &str>) -> String {
    fn cell(row: &mut String, value: Option<impl std::fmt::Display>) {
        row.push(',');
        if let Some(value) = value {
            let _ = write!(row, "{value}");
        }
    }
    let mut row = format!("{at:.3},{uuid}");
    let (sample, missing) = match sample {
        Ok(sample) => (sample, None),
        Err(reason) => (&Sample::default(), Some(format!("\"{}\"", reason.replace('"', "\"\"")))),
    };
    let reasons = sample
        .clock_reasons
        .as_ref()
        .map(|reasons| reasons.iter().map(|r| r.name()).collect::<Vec<_>>().join("+"));
    cell(&mut row, missing.is_none().then_some(sample.memory_used_bytes));
    cell(&mut row, sample.temperature_celsius);
    cell(&mut row, sample.power_milliwatts);
    cell(&mut row, sample.energy_millijoules);
    cell(&mut row, sample.utilization_percent);
    cell(&mut row, sample.sm_clock_mhz);
    cell(&mut row, reasons);
    cell(&mut row, missing);
    row.push('\n');
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::ClockReason;

    #[test]
    fn a_row_has_every_column_and_leaves_empty_what_is_not_known() {
        let at: Timestamp = "2026-01-02T03:04:05.6789Z".parse().expect("a time");
        let columns = HEADER.trim_end().split(',').count();
        let sample = Sample {
            memory_used_bytes: 7,
            power_milliwatts: Some(70_000),
            clock_reasons: Some(vec![ClockReason::GpuIdle, ClockReason::SwPowerCap]),
            ..Sample::default()
        };
        let taken = row(at, "GPU-0", Ok(&sample));
        assert_eq!(taken, "2026-01-02T03:04:05.678Z,GPU-0,7,,70000,,,,gpu-idle+sw-power-cap,\n");
        assert_eq!(taken.split(',').count(), columns);
        let missing = row(at, "GPU-0", Err("no \"answer\",\nand more"));
        assert_eq!(missing, "2026-01-02T03:04:05.678Z,GPU-0,,,,,,,,\"no \"\"answer\"\",\nand more\"\n");
    }
}
