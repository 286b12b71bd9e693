//! Watches devices for Xids: through NVML's events, and in the kernel's log
//! where that can be read. Each misses some that the other has.
//!
//! What an Xid means is `failure`'s business.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nvml_wrapper::bitmasks::event::EventTypes;
use nvml_wrapper::enums::event::XidError;
use nvml_wrapper::error::NvmlError;

use super::kernel_log::{KernelLog, address};
use super::line::start;
use super::nvml::Gpus;
use crate::clock::wall;
use crate::reading::DeviceFault;

/// How long one wait for an event is, and how often the kernel's log is looked
/// at: so soon a stop is noticed. Every attempt's hand-over waits for that.
const LOOK_EVERY_MS: u32 = 20;

/// How long a stop waits for a last look. A driver may not answer it.
const STOP_WITHIN: Duration = Duration::from_secs(1);

/// The same Xid of the same device within this time is the same fault, reported
/// twice or once for each of its channels.
const SAME_WITHIN: SignedDuration = SignedDuration::from_secs(10);

/// How many faults are kept.
const FAULTS_MAX: usize = 256;

/// Watches every device until it is stopped, or dropped.
pub struct Faults(Arc<Watch>);

#[derive(Default)]
struct Watch {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    stopping: bool,
    /// How many threads are still watching.
    at_work: usize,
    /// How many GPUs are not yet registered for events.
    unregistered: usize,
    /// With the newest time each was seen at.
    seen: Vec<(DeviceFault, Timestamp)>,
}

/// One GPU, and the devices on it: itself, or its MIG instances.
#[derive(Clone, Debug)]
struct Gpu {
    index: u32,
    address: Option<String>,
    uuids: Vec<String>,
}

impl Faults {
    /// Begins to watch. Returns when events are registered for, or after a
    /// second: a fault of what is started then is not missed.
    pub fn watch(gpus: &Gpus) -> Self {
        Self::watch_with(gpus, Path::new(KernelLog::PATH))
    }

    /// As [`Self::watch`], with a kernel's log of this path. For tests.
    pub fn watch_with(gpus: &Gpus, kernel_log: &Path) -> Self {
        let watch = Arc::new(Watch::default());
        let all = all(gpus);
        if let Ok(log) = KernelLog::open(kernel_log) {
            let (all, watch) = (all.clone(), Arc::clone(&watch));
            Watch::begin(&watch.clone(), "kernel-log", move || watch.follow(log, &all));
        }
        watch.lock().unregistered = all.len();
        for gpu in all {
            let (watch, gpus) = (Arc::clone(&watch), gpus.clone());
            Watch::begin(&watch.clone(), "xid", move || watch.listen(&gpus, &gpu));
        }
        let registered = |state: &mut State| state.unregistered > 0 && state.at_work > 0;
        drop(watch.changed.wait_timeout_while(watch.lock(), STOP_WITHIN, registered));
        Self(watch)
    }

    /// The faults so far, in the order in which they were noticed.
    pub fn seen(&self) -> Vec<DeviceFault> {
        self.0.lock().seen.iter().map(|(fault, _)| fault.clone()).collect()
    }

    /// Takes a last look, and tells all. A driver tells of a fault a moment
    /// after the program has died of it: that long is `patience`. A driver that
    /// does not answer is given a second more.
    pub fn stop(self, patience: Duration) -> Vec<DeviceFault> {
        let watch = &self.0;
        let until_seen = |state: &mut State| state.seen.is_empty() && state.at_work > 0;
        drop(watch.changed.wait_timeout_while(watch.lock(), patience, until_seen));
        let mut state = watch.lock();
        state.stopping = true;
        drop(watch.changed.wait_timeout_while(state, STOP_WITHIN, |state| state.at_work > 0));
        self.seen()
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        self.0.lock().stopping = true;
    }
}

impl Watch {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(self: &Arc<Self>, name: &str, work: impl FnOnce() + Send + 'static) {
        self.lock().at_work += 1;
        let watch = Arc::clone(self);
        let started = start(name, move || {
            work();
            watch.lock().at_work -= 1;
            watch.changed.notify_all();
        });
        if let Err(error) = started {
            tracing::warn!("devices are not watched for faults: {error}");
            self.lock().at_work -= 1;
        }
    }

    /// Follows the kernel's log.
    fn follow(&self, mut log: KernelLog, all: &[Gpu]) {
        loop {
            // Asked before the look, so that a stop is followed by one.
            let last = self.lock().stopping;
            let Ok(xids) = log.new_xids() else { return };
            for (at, xid) in xids {
                for gpu in all.iter().filter(|gpu| gpu.address.as_ref() == Some(&at)) {
                    self.note(gpu, xid, wall());
                }
            }
            if last {
                return;
            }
            wait();
        }
    }

    /// Waits for a GPU's events.
    fn listen(&self, gpus: &Gpus, gpu: &Gpu) {
        let nvml = gpus.nvml();
        let registered = (|| {
            let set = nvml.create_event_set()?;
            let device = nvml.device_by_index(gpu.index)?;
            device.register_events(EventTypes::CRITICAL_XID_ERROR, set).map_err(|error| error.error)
        })();
        self.lock().unregistered -= 1;
        self.changed.notify_all();
        let set = match registered {
            Ok(set) => set,
            Err(error) => {
                tracing::debug!("device {} tells no faults: {error}", gpu.index);
                return;
            }
        };
        loop {
            let last = self.lock().stopping;
            // Until no event is left; a storm of them ends too.
            for _ in 0..FAULTS_MAX {
                match set.wait(LOOK_EVERY_MS) {
                    Ok(event) => match event.event_data {
                        Some(XidError::Value(xid)) => self.note(gpu, xid, wall()),
                        // NVML does not know the number either.
                        Some(XidError::Unknown) => self.note(gpu, 999, wall()),
                        None => {}
                    },
                    Err(NvmlError::Timeout) => break,
                    // The device is gone: the kernel's log goes on.
                    Err(error) => {
                        tracing::debug!("device {} tells no more faults: {error}", gpu.index);
                        return;
                    }
                }
            }
            if last {
                return;
            }
        }
    }

    fn note(&self, gpu: &Gpu, xid: u64, at: Timestamp) {
        let mut state = self.lock();
        for uuid in &gpu.uuids {
            state.note(DeviceFault { uuid: uuid.clone(), xid, at });
        }
        drop(state);
        self.changed.notify_all();
    }
}

impl State {
    fn note(&mut self, fault: DeviceFault) {
        let at = fault.at;
        let same = self.seen.iter_mut().find(|(known, newest)| {
            known.uuid == fault.uuid && known.xid == fault.xid && at.duration_since(*newest) < SAME_WITHIN
        });
        if let Some((_, newest)) = same {
            *newest = at;
        } else if self.seen.len() < FAULTS_MAX {
            self.seen.push((fault, at));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a thread that follows a file has nothing else to do")]
fn wait() {
    thread::sleep(Duration::from_millis(LOOK_EVERY_MS.into()));
}

/// The GPUs, each with the devices on it.
fn all(gpus: &Gpus) -> Vec<Gpu> {
    let mut all: Vec<Gpu> = Vec::new();
    for place in gpus.places() {
        let uuid = place.device.id.clone();
        match all.iter_mut().find(|gpu| gpu.index == place.index) {
            Some(gpu) => gpu.uuids.push(uuid),
            None => all.push(Gpu { index: place.index, address: address(&place.pci), uuids: vec![uuid] }),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(times: &[(&str, u64, i64)]) -> Vec<(String, u64, i64)> {
        let mut state = State::default();
        for (uuid, xid, second) in times {
            let at = Timestamp::from_second(*second).expect("a time");
            state.note(DeviceFault { uuid: (*uuid).to_owned(), xid: *xid, at });
        }
        let told = |(fault, _): (DeviceFault, _)| (fault.uuid, fault.xid, fault.at.as_second());
        state.seen.into_iter().map(told).collect()
    }

    #[test]
    fn a_fault_told_twice_is_one_and_a_fault_again_later_is_another() {
        let at = |uuid: &str, xid, second| (uuid.to_owned(), xid, second);
        assert_eq!(
            noted(&[("a", 31, 0), ("a", 31, 1), ("b", 31, 1), ("a", 43, 2), ("a", 31, 9), ("a", 31, 60)]),
            [at("a", 31, 0), at("b", 31, 1), at("a", 43, 2), at("a", 31, 60)]
        );
    }

    #[test]
    fn a_storm_of_faults_is_bounded() {
        let many: Vec<_> = (0..1000).map(|xid| ("a", xid, 0)).collect();
        assert_eq!(noted(&many).len(), FAULTS_MAX);
    }
}
