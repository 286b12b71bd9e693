//! Who is on a device, as far as this process can see.

use std::fs;
use std::os::unix::fs::MetadataExt;

use serde::Serialize;

use crate::reading::DeviceProcess;

/// A process on a device, by its number as the driver has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::cli) struct Process {
    pub(in crate::cli) pid: u32,
    pub(in crate::cli) memory_bytes: Option<u64>,
    /// Its program; `null` where no such process is visible here.
    pub(in crate::cli) name: Option<String>,
    /// Whose it is, as far as the user is known here.
    pub(in crate::cli) user: Option<String>,
}

pub(in crate::cli) fn processes(on: &[DeviceProcess]) -> Vec<Process> {
    on.iter()
        .map(|process| Process {
            pid: process.pid,
            memory_bytes: process.memory_bytes,
            name: name(process.pid),
            user: user(process.pid),
        })
        .collect()
}

/// Whether this is a PID namespace of its own: NVML may number processes as
/// another one does, or leave out those it does not see. The first namespace
/// has the kernel's fixed number (`PROC_PID_INIT_INO`, linux/proc_ns.h).
pub(in crate::cli) fn in_pid_namespace() -> bool {
    const FIRST: &str = "pid:[4026531836]";
    fs::read_link("/proc/self/ns/pid").is_ok_and(|link| link.as_os_str() != FIRST)
}

fn name(pid: u32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim_end().chars().filter(|c| !c.is_control()).collect())
}

fn user(pid: u32) -> Option<String> {
    let uid = fs::metadata(format!("/proc/{pid}")).ok()?.uid();
    let known = nix::unistd::User::from_uid(uid.into()).ok().flatten();
    Some(known.map_or_else(|| uid.to_string(), |user| user.name))
}
