//! The kernel and its limits: what supervisors need to keep hold of an experiment.

use std::fs;
use std::path::Path;

use rustix::fs::statvfs;
use rustix::process::{
    PidfdFlags, Resource, child_subreaper, getpid, getrlimit, pidfd_open, set_child_subreaper,
};

use crate::process::can_group;
use crate::size::size;

use super::Check;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![subreaper(), pidfd(), cgroup()];
    checks.extend(limits());
    checks.extend([kernel_log(), shared_memory()]);
    checks
}

/// An experiment's orphans come back to its supervisor (prctl(2)).
fn subreaper() -> Check {
    const NAME: &str = "orphans";
    let before = child_subreaper().ok().flatten();
    let taken = set_child_subreaper(Some(getpid())).and_then(|()| set_child_subreaper(before));
    match taken {
        Ok(()) => Check::ok(NAME, "an experiment's orphans are given to its supervisor"),
        Err(error) => Check::fault(
            NAME,
            format!("this kernel has no subreapers: {error}"),
            "a sandbox may forbid prctl(2); Linux has it from 3.4 on",
        ),
    }
}

/// A process is signalled by a handle, never by a number that may be another's.
fn pidfd() -> Check {
    const NAME: &str = "process handles";
    match pidfd_open(getpid(), PidfdFlags::empty()) {
        Ok(_) => Check::ok(NAME, "a signal never meets another's process"),
        Err(error) => Check::fault(
            NAME,
            format!("pidfd_open(2) fails: {error}: leftovers cannot be ended"),
            "Linux has it from 5.3 on; a sandbox's seccomp filter may have to allow it",
        ),
    }
}

/// A control group for each attempt that holds devices (cgroups(7)).
fn cgroup() -> Check {
    const NAME: &str = "control group";
    match can_group() {
        Ok(()) => Check::ok(NAME, "delegated: attempts that hold devices have one each"),
        Err(error) => Check::gap(
            NAME,
            format!("not delegated ({error}): leftovers are found by ancestry and token alone"),
            "start with `systemd-run --user --scope -p Delegate=yes`; in a container, `--cgroupns=private`",
        ),
    }
}

fn limits() -> [Check; 2] {
    // What a study of 16 devices needs, with room for its experiments' own.
    let wanted = [("open files", Resource::Nofile, 1024, "-n"), ("processes", Resource::Nproc, 4096, "-u")];
    wanted.map(|(name, resource, wanted, flag)| match getrlimit(resource).current {
        Some(limit) if limit < wanted => Check::gap(
            name,
            format!("at most {limit}, of which experiments have to live too"),
            format!("`ulimit {flag} {wanted}` before it starts"),
        ),
        Some(limit) => Check::ok(name, format!("at most {limit}")),
        None => Check::ok(name, "no limit"),
    })
}

/// Has Xids that NVML does not tell of.
fn kernel_log() -> Check {
    const NAME: &str = "kernel's log";
    match fs::File::open("/dev/kmsg") {
        Ok(_) => Check::ok(NAME, "Xids are read from it too"),
        Err(error) => Check::gap(
            NAME,
            format!("`/dev/kmsg`: {error}: Xids are known from NVML alone"),
            "`sysctl kernel.dmesg_restrict=0`; in a container, `--device /dev/kmsg`",
        ),
    }
}

/// NCCL and data loaders keep their buffers there.
fn shared_memory() -> Check {
    const NAME: &str = "shared memory";
    const WANTED_BYTES: u64 = 1 << 30;
    let hint = "in a container, `--shm-size=8g`; else remove what crashed programs left there";
    let Ok(stat) = statvfs(Path::new("/dev/shm")) else {
        return Check::gap(NAME, "there is no `/dev/shm`: NCCL and data loaders fail", hint);
    };
    let (free, all) = (stat.f_bavail * stat.f_frsize, stat.f_blocks * stat.f_frsize);
    let finding = format!("{} of {} free", size(free), size(all));
    if free < WANTED_BYTES {
        return Check::gap(NAME, format!("{finding}: too little for NCCL and data loaders"), hint);
    }
    Check::ok(NAME, finding)
}
