//! Opens NVML, finds the devices, and asks each in bounded time.
//!
//! What a reading consists of is `read`'s business. It holds no study's state.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;

use super::line::{ASK_AGAIN_AFTER, Line, NoAnswer};
use super::read::{self, Sample};
use super::treatment::{Treatment, told, with_hint};
use crate::clock::monotonic as now;
use crate::event::Device;
use crate::reading::{Reading, ReadingError};

/// Names another library than `libnvidia-ml.so.1` of the loader's path.
pub const LIBRARY_VARIABLE: &str = "REPRIEVE_NVML_LIBRARY";

/// How long NVML may take to come up and name its devices. Without persistence
/// mode a device takes 1 to 3 s (NVIDIA's driver persistence guide), and there
/// may be 16.
const OPEN_WITHIN: Duration = Duration::from_secs(60);

/// How long a reading may take, asked again where it failed in passing.
pub const READ_WITHIN: Duration = Duration::from_secs(10);

/// How long a sample may take. It is not asked again: the next one is due soon.
pub(super) const SAMPLE_WITHIN: Duration = Duration::from_secs(1);

/// Why the machine's devices are not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// There is no NVML here: a machine without NVIDIA devices.
    #[error("no NVML: {0}")]
    NoNvml(String),
    /// NVML is there and does not answer.
    #[error("NVML did not answer within {} s", OPEN_WITHIN.as_secs())]
    Silent,
    /// NVML is there and failed.
    #[error("NVML: {0}")]
    Failed(String),
}

/// What is installed, as NVML says; `None` where it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Versions {
    /// The kernel's driver.
    pub driver: Option<String>,
    /// The NVML library.
    pub nvml: Option<String>,
    /// The newest CUDA that the driver serves.
    pub cuda: Option<String>,
}

/// The devices of this machine. Clones share one NVML, which is shut down with
/// the last of them.
///
/// Every call blocks, in bounded time: call it where blocking is allowed.
#[derive(Clone, Debug)]
pub struct Gpus(Arc<Owner>);

#[derive(Debug)]
struct Owner {
    library: Option<OsString>,
    /// Replaced where NVML has to be initialised anew; there until dropped.
    nvml: Mutex<Option<Arc<Nvml>>>,
    versions: Versions,
    places: Vec<Arc<Place>>,
    unread: Vec<(u32, ReadingError)>,
    /// What is said once.
    said: Mutex<HashSet<String>>,
}

/// Where a device is found.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) device: Device,
    /// NVML's index of the GPU: stays while NVML is initialised.
    pub(super) index: u32,
    /// Which of the GPU's MIG instances it is.
    pub(super) instance: Option<u32>,
    /// Domain, bus, device and function, as NVML writes them.
    pub(super) pci: String,
    /// One for each GPU: its MIG instances share it.
    line: Arc<Line>,
}

/// The machine's devices, by UUID, in NVML's order.
///
/// # Errors
///
/// Where there is no NVML, or it fails or stays silent, or no device can be read.
pub fn devices() -> Result<Vec<Device>, Unavailable> {
    let gpus = Gpus::open(None)?;
    match gpus.unread().first() {
        Some((index, error)) if gpus.devices().is_empty() => {
            Err(Unavailable::Failed(format!("device {index}: {error}")))
        }
        _ => Ok(gpus.devices()),
    }
}

impl Gpus {
    /// Opens NVML and finds the devices. The library is this one, else the one
    /// that `REPRIEVE_NVML_LIBRARY` names, else the loader's.
    ///
    /// # Errors
    ///
    /// Where there is no NVML, or it fails, or it stays silent for a minute.
    /// That a device cannot be read is no error: see [`Self::unread`].
    pub fn open(library: Option<&Path>) -> Result<Self, Unavailable> {
        let began = now();
        let named = library
            .map(|path| path.as_os_str().to_owned())
            .or_else(|| std::env::var_os(LIBRARY_VARIABLE).filter(|value| !value.is_empty()));
        let path = named.clone();
        let opened = Arc::new(Line::default()).ask(OPEN_WITHIN, move || {
            let nvml = init(path.as_deref())?;
            let count = nvml.device_count()?;
            Ok((versions(&nvml), count, nvml))
        });
        let (versions, count, nvml) = opened.map_err(unanswered)?.map_err(|error| match error {
            // One that was named is meant to be there.
            NvmlError::LibloadingError(error) if named.is_some() => Unavailable::Failed(error.to_string()),
            NvmlError::LibloadingError(error) => Unavailable::NoNvml(error.to_string()),
            NvmlError::LibraryNotFound | NvmlError::DriverNotLoaded => Unavailable::NoNvml(error.to_string()),
            other => Unavailable::Failed(with_hint(&other)),
        })?;
        let nvml = Arc::new(nvml);
        let (mut places, mut unread) = (Vec::new(), Vec::new());
        for (index, found) in find_all(&nvml, count, began + OPEN_WITHIN) {
            match found {
                Ok(found) => places.extend(found.into_iter().map(Arc::new)),
                Err(error) => {
                    tracing::warn!("device {index} cannot be read: {error}");
                    unread.push((index, error));
                }
            }
        }
        let (nvml, said) = (Mutex::new(Some(nvml)), Mutex::default());
        Ok(Self(Arc::new(Owner { library: named, nvml, versions, places, unread, said })))
    }

    /// The devices found when NVML was opened, in its order; MIG instances take
    /// the place of a GPU that is divided into them.
    pub fn devices(&self) -> Vec<Device> {
        self.0.places.iter().map(|place| place.device.clone()).collect()
    }

    /// The GPUs, by NVML's index, that could not even be named when NVML was
    /// opened, and why: lost, silent, or divided into no instance.
    pub fn unread(&self) -> &[(u32, ReadingError)] {
        &self.0.unread
    }

    /// What is installed.
    pub fn versions(&self) -> &Versions {
        &self.0.versions
    }

    /// All that a device says of itself. Asked again for a moment where it
    /// fails in passing.
    ///
    /// # Errors
    ///
    /// Where it cannot be had; [`ReadingError::Transient`] where the device has
    /// not answered within [`READ_WITHIN`]. Other devices are not held up.
    pub fn read(&self, uuid: &str) -> Result<Reading, ReadingError> {
        self.ask(uuid, READ_WITHIN, true, read::reading)
    }

    /// Whether the driver keeps the device initialised while nobody uses it;
    /// `None` where it does not say.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn persistent(&self, uuid: &str) -> Result<Option<bool>, ReadingError> {
        self.ask(uuid, READ_WITHIN, true, read::persistent)
    }

    /// The memory in use on a device, in bytes: one cheap question, to be asked often.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn memory(&self, uuid: &str) -> Result<u64, ReadingError> {
        self.ask(uuid, READ_WITHIN, true, read::memory_used_bytes)
    }

    /// What changes quickly, asked once.
    pub(super) fn sample(&self, uuid: &str) -> Result<Sample, ReadingError> {
        self.ask(uuid, SAMPLE_WITHIN, false, read::sample)
    }

    pub(super) fn places(&self) -> &[Arc<Place>] {
        &self.0.places
    }

    /// The NVML of this moment.
    pub(super) fn nvml(&self) -> Arc<Nvml> {
        self.0.nvml(None).expect("none is initialised for this")
    }

    fn ask<T: Send + 'static>(
        &self,
        uuid: &str,
        within: Duration,
        again: bool,
        question: fn(&Nvml, &Place) -> Result<T, NvmlError>,
    ) -> Result<T, ReadingError> {
        let Some(place) = self.0.places.iter().find(|place| place.device.id == uuid) else {
            let lost = |(_, error): &&(u32, ReadingError)| matches!(error, ReadingError::DeviceLost(_));
            return Err(match self.0.unread.iter().find(lost) {
                Some((index, error)) => {
                    ReadingError::DeviceLost(format!("it is not found, and of device {index}: {error}"))
                }
                None => ReadingError::NoSuchDevice,
            });
        };
        let (owner, there, deadline) = (Arc::clone(&self.0), Arc::clone(place), now() + within);
        let asked = place.line.ask(within, move || {
            patiently(again, deadline, |stale| owner.nvml(stale), |nvml| question(nvml, &there))
        });
        let answer = asked.unwrap_or_else(|none| Err(ReadingError::Transient(none.to_string())));
        if let Err(error) = &answer {
            self.0.say(uuid, error);
        }
        answer
    }
}

impl Owner {
    /// The NVML of this moment; a new one where this is the one that was found
    /// uninitialised.
    fn nvml(&self, stale: Option<&Arc<Nvml>>) -> Result<Arc<Nvml>, NvmlError> {
        let mut current = self.nvml.lock().unwrap_or_else(PoisonError::into_inner);
        let current = current.as_mut().expect("it is there until dropped");
        if stale.is_some_and(|stale| Arc::ptr_eq(stale, current)) {
            *current = Arc::new(init(self.library.as_deref())?);
        }
        Ok(Arc::clone(current))
    }

    /// What passes is for those who look closely; the rest is said once.
    fn say(&self, uuid: &str, error: &ReadingError) {
        if matches!(error, ReadingError::Transient(_)) {
            tracing::debug!("device `{uuid}`: {error}");
            return;
        }
        let words = format!("device `{uuid}`: {error}");
        if self.said.lock().unwrap_or_else(PoisonError::into_inner).insert(words.clone()) {
            tracing::warn!("{words}");
        }
    }
}

impl Drop for Owner {
    /// Shutting down may block as any call of NVML may.
    fn drop(&mut self) {
        let nvml = self.nvml.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let _ = Arc::new(Line::default()).ask(READ_WITHIN, move || drop(nvml));
    }
}

fn unanswered(why: NoAnswer) -> Unavailable {
    match why {
        NoAnswer::Late(_) | NoAnswer::Busy => Unavailable::Silent,
        NoAnswer::NotAsked(_) => Unavailable::Failed(why.to_string()),
    }
}

fn init(library: Option<&OsStr>) -> Result<Nvml, NvmlError> {
    match library {
        Some(path) => Nvml::builder().lib_path(path).init(),
        None => Nvml::init(),
    }
}

/// Asks until there is an answer, a lasting error, or no time left.
fn patiently<T>(
    again: bool,
    deadline: Instant,
    nvml: impl Fn(Option<&Arc<Nvml>>) -> Result<Arc<Nvml>, NvmlError>,
    question: impl Fn(&Nvml) -> Result<T, NvmlError>,
) -> Result<T, ReadingError> {
    let mut current = nvml(None).map_err(|error| told(&error, 1))?;
    let mut tries = 0;
    loop {
        let error = match question(&current) {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        tries += 1;
        let treatment = Treatment::of(&error);
        if tries >= treatment.tries() || now() >= deadline {
            return Err(told(&error, tries));
        }
        if treatment == Treatment::Reopen {
            current = nvml(Some(&current)).map_err(|error| told(&error, tries))?;
        } else if again {
            wait(ASK_AGAIN_AFTER[(tries - 1).min(ASK_AGAIN_AFTER.len() - 1)]);
        } else {
            return Err(told(&error, tries));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the thread of one question has nothing else to do")]
fn wait(span: Duration) {
    thread::sleep(span);
}

/// Names every GPU, side by side: one that is silent does not hide the others.
fn find_all(nvml: &Arc<Nvml>, count: u32, deadline: Instant) -> Vec<(u32, Result<Vec<Place>, ReadingError>)> {
    let ask = |index| {
        let (nvml, line) = (Arc::clone(nvml), Arc::new(Line::default()));
        let places = Arc::clone(&line);
        let asked = line.ask(deadline.saturating_duration_since(now()), move || {
            let nvml = |_: Option<&Arc<Nvml>>| Ok(Arc::clone(&nvml));
            patiently(true, deadline, nvml, |nvml| find(nvml, index, &places))
        });
        match asked {
            Ok(Ok(places)) if places.is_empty() => Err(ReadingError::Other(
                "in MIG mode, without an instance\nhint: make one with `nvidia-smi mig -cgi PROFILE -C`, \
                 or leave MIG mode with `nvidia-smi -mig 0`"
                    .to_owned(),
            )),
            Ok(found) => found,
            Err(none) => Err(ReadingError::Transient(none.to_string())),
        }
    };
    thread::scope(|scope| {
        let asking: Vec<_> = (0..count).map(|index| (index, scope.spawn(move || ask(index)))).collect();
        let found = asking.into_iter();
        found.map(|(index, asking)| (index, asking.join().expect("asking does not panic"))).collect()
    })
}

/// The GPU at this index, or the MIG instances it is divided into.
fn find(nvml: &Nvml, index: u32, line: &Arc<Line>) -> Result<Vec<Place>, NvmlError> {
    /// `NVML_DEVICE_MIG_ENABLE` of nvml.h.
    const DIVIDED: u32 = 1;
    let gpu = nvml.device_by_index(index)?;
    let (uuid, name) = (gpu.uuid()?, gpu.name()?);
    let pci = read::optional(gpu.pci_info())?.map(|pci| pci.bus_id).unwrap_or_default();
    let place = |id, name, instance| Place {
        device: Device { id, name },
        index,
        instance,
        pci: pci.clone(),
        line: Arc::clone(line),
    };
    if read::optional(gpu.mig_mode())?.is_none_or(|mode| mode.current != DIVIDED) {
        return Ok(vec![place(uuid, name, None)]);
    }
    let parent: String = uuid.chars().take("GPU-01234567".len()).collect();
    let mut instances = Vec::new();
    for number in 0..gpu.mig_device_count()? {
        let instance = match gpu.mig_device_by_index(number) {
            // Numbers may be left out.
            Err(NvmlError::NotFound | NvmlError::InvalidArg) => continue,
            found => found?,
        };
        let profile = read::optional(instance.name())?.filter(|own| *own != name);
        let profile = profile.unwrap_or_else(|| format!("{name} MIG"));
        instances.push(place(instance.uuid()?, format!("{profile} of {parent}"), Some(number)));
    }
    Ok(instances)
}

fn versions(nvml: &Nvml) -> Versions {
    let cuda = |version: i32| {
        let (major, minor) = (
            nvml_wrapper::cuda_driver_version_major(version),
            nvml_wrapper::cuda_driver_version_minor(version),
        );
        format!("{major}.{minor}")
    };
    Versions {
        driver: nvml.sys_driver_version().ok(),
        nvml: nvml.sys_nvml_version().ok(),
        cuda: nvml.sys_cuda_driver_version().ok().map(cuda),
    }
}
