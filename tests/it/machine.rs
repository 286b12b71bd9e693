//! A machine with devices, for tests without any: the stand-ins of NVIDIA's
//! driver libraries, and what they answer.
//!
//! What a machine can do and fail at is told in the crate `stand-in-machine`.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

pub(crate) use stand_in_machine::{Device, Fault, Instance, Process, ProcessList, Script};
use tempfile::TempDir;

/// A machine of one test's own.
pub(crate) struct Machine {
    dir: TempDir,
    script: Mutex<Script>,
}

impl Machine {
    /// One with these devices; [`Device::new`] makes a healthy, idle one.
    pub(crate) fn new(devices: impl Into<Vec<Device>>) -> Self {
        let dir = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let libraries = dir.path().join(stand_in_machine::LIBRARIES);
        let names = [
            ("libstand_in_nvml.so", "libnvidia-ml.so.1"),
            ("libstand_in_cuda.so", "libcuda.so"),
            ("libstand_in_cuda.so", "libcuda.so.1"),
        ];
        fs::create_dir(&libraries).expect("it is new");
        for (built, name) in names {
            // A copy, no link: the loader takes one file for one library, and
            // each machine of this process is to have its own.
            fs::copy(built_library(built), libraries.join(name)).expect("a library can be copied");
        }
        for device in ["holders", "xids"] {
            fs::create_dir(dir.path().join(device)).expect("it is new");
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is past 1970");
        let began_ms = u64::try_from(now.as_millis()).expect("it fits for long");
        let machine = Self { dir, script: Mutex::new(Script { began_ms, ..Script::default() }) };
        machine.change(|script| script.devices = devices.into());
        machine
    }

    /// Changes what it says, from the next call on.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Script)) {
        let mut script = self.script.lock().expect("no test panics within");
        change(&mut script);
        for device in &script.devices {
            let uuids = device.instances.iter().map(|instance| &instance.uuid).chain([&device.uuid]);
            for uuid in uuids {
                fs::create_dir_all(self.path("holders").join(uuid)).expect("a directory");
            }
        }
        fs::write(self.path("new"), serde_json::to_vec_pretty(&*script).expect("a script is JSON"))
            .and_then(|()| fs::rename(self.path("new"), self.path("machine.json")))
            .expect("the script can be written");
    }

    /// Changes one device.
    pub(crate) fn device(&self, uuid: &str, change: impl FnOnce(&mut Device)) {
        self.change(|script| {
            let mut devices = script.devices.iter_mut();
            change(devices.find(|device| device.uuid == uuid).expect("it is on this machine"));
        });
    }

    /// From now on, this goes wrong.
    pub(crate) fn fault(&self, fault: Fault) {
        self.change(|script| script.faults.push(fault));
    }

    /// Has a process hold so many bytes, as a script does with `echo BYTES > holders/UUID/PID`.
    pub(crate) fn hold(&self, uuid: &str, pid: u32, bytes: u64) {
        let holder = self.path("holders").join(uuid).join(pid.to_string());
        fs::write(holder, bytes.to_string()).expect("the holder can be written");
    }

    /// An Xid happens.
    pub(crate) fn xid(&self, uuid: &str, xid: u64) {
        let file = OpenOptions::new().create(true).append(true).open(self.path("xids").join(uuid));
        writeln!(file.expect("a file"), "{xid}").expect("the Xid can be written");
    }

    /// The path of a file in its directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// NVML's library, for `nvml_wrapper::Nvml::builder().lib_path(..)` in this process.
    pub(crate) fn nvml(&self) -> PathBuf {
        self.path(stand_in_machine::LIBRARIES).join("libnvidia-ml.so.1")
    }

    /// What has a command run on this machine.
    pub(crate) fn env(&self) -> [(&'static str, OsString); 2] {
        [
            (stand_in_machine::MACHINE_VARIABLE, self.dir.path().into()),
            ("LD_LIBRARY_PATH", self.path(stand_in_machine::LIBRARIES).into()),
        ]
    }
}

/// Cargo builds the stand-ins beside the tests, as it does with what they depend on.
fn built_library(name: &str) -> PathBuf {
    let tests = std::env::current_exe().expect("we run");
    let path = tests.parent().unwrap_or(Path::new("")).join(name);
    assert!(path.exists(), "`{}` is not there\nhint: build the tests with cargo", path.display());
    path
}
