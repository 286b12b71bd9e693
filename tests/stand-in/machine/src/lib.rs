//! A scripted machine with devices, for the stand-ins of NVIDIA's driver libraries.
//!
//! It is a directory, so that scripts, tests and any number of processes that
//! load a stand-in see and change the same one:
//!
//! - `machine.json`: a [`Script`], read again at every call
//! - `holders/UUID/PID`: how many bytes the process holds on the device; it
//!   holds them while it lives, and for the device's `release_ms` after
//! - `xids/UUID`: Xids that have happened, separated by white space; append to it
//! - `ledger.json`, `machine.lock`: what the stand-ins remember among themselves
//!
//! It knows neither NVML's nor CUDA's functions.

mod faults;
mod ledger;
mod process;
mod script;

use std::ffi::{CStr, OsStr};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

pub use faults::Met;
pub use ledger::Holder;
pub use script::{Device, Fault, Instance, Process, ProcessList, Script};

/// The variable that names the machine's directory.
pub const MACHINE_VARIABLE: &str = "STAND_IN_MACHINE";

/// The directory, below the machine's own, where its libraries are.
pub const LIBRARIES: &str = "lib";

/// The machine as its script reads at one moment.
#[derive(Debug)]
pub struct Machine {
    dir: PathBuf,
    /// What `machine.json` says.
    pub script: Script,
}

/// A device, or a MIG instance of one.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The device, or the one that the instance is of.
    pub device: &'a Device,
    /// The instance, where it is one.
    pub instance: Option<&'a Instance>,
}

impl Part<'_> {
    /// NVML's identity of it.
    pub fn uuid(&self) -> &str {
        self.instance.map_or(&self.device.uuid, |instance| &instance.uuid)
    }

    /// What it has, in bytes.
    pub fn total_bytes(&self) -> u64 {
        self.instance.map_or(self.device.memory_total_bytes, |instance| instance.memory_total_bytes)
    }

    /// What the driver keeps of it, in bytes.
    pub fn reserved_bytes(&self) -> u64 {
        self.instance.map_or(self.device.memory_reserved_bytes, |_| 0)
    }
}

impl Machine {
    /// The machine of this process: the one that the environment names, or
    /// else the one in whose [`LIBRARIES`] the calling library lies. None
    /// where there is no such machine, or no longer.
    ///
    /// # Panics
    ///
    /// Where `machine.json` is not a [`Script`]: a mistake in the test.
    pub fn here() -> Option<Self> {
        let dir = match std::env::var_os(MACHINE_VARIABLE) {
            Some(dir) => PathBuf::from(dir),
            None => library()?.parent()?.parent()?.to_owned(),
        };
        Self::open(&dir)
    }

    /// The machine in this directory; see [`Machine::here`].
    ///
    /// # Panics
    ///
    /// Where `machine.json` is not a [`Script`].
    pub fn open(dir: &Path) -> Option<Self> {
        let path = dir.join("machine.json");
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            Err(error) => panic!("{}: {error}", path.display()),
        };
        let script =
            serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Some(Self { dir: dir.to_owned(), script })
    }

    /// The device, or the instance, of this UUID.
    pub fn part(&self, uuid: &str) -> Option<Part<'_>> {
        self.script.devices.iter().find_map(|device| {
            let instance = device.instances.iter().find(|instance| instance.uuid == uuid);
            (device.uuid == uuid || instance.is_some()).then_some(Part { device, instance })
        })
    }

    /// What is in use, in bytes: what the script says, and what processes hold.
    pub fn used_bytes(&self, part: Part<'_>) -> u64 {
        let device = part.device;
        let held =
            |uuid: &str| self.holders(uuid, device.release_ms).iter().map(|holder| holder.bytes).sum::<u64>();
        match part.instance {
            Some(instance) => instance.memory_used_bytes + held(&instance.uuid),
            None => {
                let instances = device.instances.iter();
                let others: u64 = device.foreign.iter().filter_map(|process| process.bytes).sum();
                device.memory_used_bytes
                    + others
                    + held(&device.uuid)
                    + instances.map(|instance| instance.memory_used_bytes + held(&instance.uuid)).sum::<u64>()
            }
        }
    }

    /// What can still be had, in bytes.
    pub fn free_bytes(&self, part: Part<'_>) -> u64 {
        part.total_bytes().saturating_sub(part.reserved_bytes() + self.used_bytes(part))
    }

    /// Who is on it, as the driver lists them: the living, unless the script
    /// has them listed otherwise. On a device with instances: also those on them.
    pub fn processes(&self, part: Part<'_>) -> Vec<(Process, Option<Instance>)> {
        let device = part.device;
        let renumber = |pid: u32| match device.process_list {
            ProcessList::Real => Some(pid),
            ProcessList::Hidden => None,
            ProcessList::Shifted(by) => Some(pid.wrapping_add(by)),
        };
        let on = |uuid: &str, instance: Option<&Instance>| -> Vec<_> {
            let living = self.holders(uuid, device.release_ms).into_iter().filter(|holder| holder.alive);
            living
                .filter_map(|holder| Some(Process { pid: renumber(holder.pid)?, bytes: Some(holder.bytes) }))
                .map(|process| (process, instance.cloned()))
                .collect()
        };
        match part.instance {
            Some(instance) => on(&instance.uuid, Some(instance)),
            None => {
                let foreign = device.foreign.iter().map(|process| (process.clone(), None));
                let instances =
                    device.instances.iter().flat_map(|instance| on(&instance.uuid, Some(instance)));
                foreign.chain(on(&device.uuid, None)).chain(instances).collect()
            }
        }
    }

    /// A device has this Xid.
    ///
    /// # Panics
    ///
    /// Where it cannot be written down.
    pub fn tell_xid(&self, part: Part<'_>, xid: u64) {
        let path = self.dir.join("xids").join(&part.device.uuid);
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.and_then(|mut file| writeln!(file, "{xid}")).expect("the machine's directory is there");
    }

    /// The Xids that a device has had, from the first.
    pub fn xids(&self, uuid: &str) -> Vec<u64> {
        let text = fs::read_to_string(self.dir.join("xids").join(uuid)).unwrap_or_default();
        text.split_whitespace().filter_map(|xid| xid.parse().ok()).collect()
    }
}

/// Where the library is that this code is linked into.
fn library() -> Option<PathBuf> {
    static HERE: u8 = 0;
    let mut info = libc::Dl_info {
        dli_fname: std::ptr::null(),
        dli_fbase: std::ptr::null_mut(),
        dli_sname: std::ptr::null(),
        dli_saddr: std::ptr::null_mut(),
    };
    #[expect(unsafe_code, reason = "only the loader knows; `info` lives through the call")]
    let found = unsafe { libc::dladdr((&raw const HERE).cast(), &raw mut info) };
    if found == 0 || info.dli_fname.is_null() {
        return None;
    }
    #[expect(unsafe_code, reason = "dladdr(3) answered with a string that lives as long as the library")]
    let name = unsafe { CStr::from_ptr(info.dli_fname) };
    Some(PathBuf::from(OsStr::from_bytes(name.to_bytes())))
}
