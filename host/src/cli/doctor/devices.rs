//! The driver, its libraries, and each device.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::gpu::cuda::LIBRARY_VARIABLE as CUDA_LIBRARY_VARIABLE;
use crate::gpu::{Gpus, LIBRARY_VARIABLE, Unavailable};
use crate::reading::ReadingError;
use crate::reporter::words;
use crate::size::size;

use super::Check;
use crate::cli::gpu::health::Verdict;
use crate::cli::gpu::{Shown, ShownDevice, processes, show};

const NVML: &str = "NVML";

pub(super) fn checks() -> Vec<Check> {
    let gpus = match Gpus::open(None) {
        Ok(gpus) => gpus,
        Err(Unavailable::NoNvml(why)) => {
            let hint = "where this machine has NVIDIA devices, install the driver, or start the \
                        container with the NVIDIA runtime";
            return vec![Check::gap(NVML, format!("studies run on slots, without devices: {why}"), hint)];
        }
        Err(error) => {
            let said = error.to_string();
            let (finding, hint) = said.split_once("\nhint: ").unwrap_or((
                &*said,
                "see the kernel's log for lines with `NVRM`; where it names an Xid, a reset or a restart helps",
            ));
            return vec![Check::fault(NVML, finding, hint)];
        }
    };
    let shown = show(&gpus);
    let mut checks = vec![nvml(&gpus), cuda()];
    checks.extend(shown.devices.iter().map(device));
    for unread in &shown.unread {
        checks.push(troubled(&format!("device {}", unread.index), &unread.error));
    }
    checks.extend(persistence(&gpus));
    checks.push(namespace(&shown));
    checks
}

fn nvml(gpus: &Gpus) -> Check {
    let versions = gpus.versions();
    let version = |version: &Option<String>| version.clone().unwrap_or_else(|| "unknown".to_owned());
    let named = env::var_os(LIBRARY_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    let found = named.or_else(|| find_library("libnvidia-ml.so.1"));
    let place = found.map(|path| format!(", `{}`", path.display())).unwrap_or_default();
    Check::ok(NVML, format!("driver {}, NVML {}{place}", version(&versions.driver), version(&versions.nvml)))
}

/// Only looks for CUDA's library: loading it is for a process that may be lost.
fn cuda() -> Check {
    let named = env::var_os(CUDA_LIBRARY_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    match named.or_else(|| find_library("libcuda.so.1")).or_else(|| find_library("libcuda.so")) {
        Some(path) => Check::ok("CUDA", format!("`{}`", path.display())),
        None => Check::gap(
            "CUDA",
            "`libcuda.so.1` is not found: devices are not probed after a failure",
            "in a container, set `NVIDIA_DRIVER_CAPABILITIES=compute,utility`",
        ),
    }
}

fn device(device: &ShownDevice) -> Check {
    let name = words::short_uuid(&device.uuid);
    if let Some(error) = &device.error {
        return troubled(name, error);
    }
    let total = device.reading.as_ref().map_or(0, |reading| reading.memory_total_bytes);
    let what = format!("{}, {}", device.name, size(total));
    let reasons = device.health.reasons.join(", ");
    match device.health.verdict {
        Verdict::Healthy => Check::ok(name, format!("{what}, healthy")),
        Verdict::Unknown => Check::ok(name, format!("{what}; it tells nothing of its health")),
        Verdict::Worn => {
            Check::gap(name, format!("{what}: {reasons}"), "`nvidia-smi --gpu-reset` when it is idle")
        }
        Verdict::Sick => {
            Check::fault(name, format!("{what}: {reasons}"), "take it out of use until that is done")
        }
    }
}

fn troubled(name: &str, error: &ReadingError) -> Check {
    let said = error.to_string();
    if let Some((finding, hint)) = said.split_once("\nhint: ") {
        return Check::fault(name, finding, hint);
    }
    let hint = match error {
        ReadingError::NotSupported => "its memory is told by driver 510 and newer: update the driver",
        ReadingError::DeviceLost(_) => "restart the machine; where it comes again, have the device looked at",
        _ => "see the kernel's log for lines with `NVRM`",
    };
    Check::fault(name, said, hint)
}

/// Without it a device forgets its clocks when its last user leaves, and takes
/// seconds to come up for the next (NVIDIA's driver persistence guide).
fn persistence(gpus: &Gpus) -> Option<Check> {
    let modes: Vec<bool> =
        gpus.devices().iter().filter_map(|device| gpus.persistent(&device.id).ok().flatten()).collect();
    let off = modes.iter().filter(|on| !**on).count();
    match (modes.len(), off) {
        (0, _) => None,
        (_, 0) => Some(Check::ok("persistence", "on: devices stay initialised between experiments")),
        (all, off) => Some(Check::gap(
            "persistence",
            format!(
                "off for {off} of {all}: locked clocks are lost between experiments, and the next one waits"
            ),
            "run `nvidia-persistenced`, or `nvidia-smi -pm 1` as root",
        )),
    }
}

/// Whether NVML's process numbers are ours.
fn namespace(shown: &Shown) -> Check {
    const NAME: &str = "process numbers";
    let hint = "give the container the machine's PID namespace: `--pid=host`";
    let on = shown.devices.iter().flat_map(|device| &device.processes);
    let unseen = on.filter(|process| process.name.is_none()).count() as u64;
    if unseen > 0 {
        let finding = format!("{unseen} of those on the devices cannot be seen from here");
        return Check::gap(NAME, finding, hint);
    }
    if processes::in_pid_namespace() {
        let finding = "in a PID namespace: others on a device may go unnamed, or be left out";
        return Check::gap(NAME, finding, hint);
    }
    Check::ok(NAME, "NVML's are this machine's")
}

/// Where the loader finds a library: by the environment, by its cache, or in
/// the usual places (ld.so(8)).
fn find_library(name: &str) -> Option<PathBuf> {
    let named = env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let usual = ["/lib64", "/usr/lib64", "/lib", "/usr/lib", "/run/opengl-driver/lib", "/usr/lib/wsl/lib"];
    let in_dir = |dir: PathBuf| Some(dir.join(name)).filter(|path| path.exists());
    let by_name = env::split_paths(&named).filter(|dir| !dir.as_os_str().is_empty()).find_map(in_dir);
    by_name.or_else(|| cached(name)).or_else(|| usual.into_iter().map(PathBuf::from).find_map(in_dir))
}

/// The cache holds paths as strings that end in zero, among what need not be known here.
fn cached(name: &str) -> Option<PathBuf> {
    let cache = fs::read("/etc/ld.so.cache").ok()?;
    let ending = format!("/{name}");
    cache
        .split(|byte| *byte == 0)
        .filter_map(|string| std::str::from_utf8(string).ok())
        .filter(|string| string.starts_with('/') && string.ends_with(&ending))
        .map(PathBuf::from)
        .find(|path: &PathBuf| Path::exists(path))
}
