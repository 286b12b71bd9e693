//! A control group for an attempt's processes, where this machine lets us make one.
//!
//! Sets no limits and needs no controller. What it adds to ancestry and token:
//! a member that has left its parents *and* its environment behind is still
//! told from others, and a kill meets all of them at once, whatever they fork.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A directory of cgroup v2, named by an attempt's token. Removed when dropped,
/// where nothing is left in it.
#[derive(Debug)]
pub struct ControlGroup {
    dir: PathBuf,
    /// Where this process belongs.
    own: PathBuf,
}

impl ControlGroup {
    /// Makes the group of this token below this process's own, or finds it.
    ///
    /// # Errors
    ///
    /// Where there is no cgroup v2, or it is not ours to divide.
    pub fn of(token: &str) -> io::Result<Self> {
        let own = own_group()?;
        let dir = own.join(name_of(token));
        match fs::create_dir(&dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(Self { dir, own }),
        }
    }

    /// Starts something in the group: this process joins it for as long as that
    /// takes, since what is moved after its start may have forked before.
    pub fn start<T>(&self, start: impl FnOnce() -> T) -> T {
        // Where that fails, what is started is told apart without the group.
        let joined = join(&self.dir).is_ok();
        let started = start();
        if joined {
            let _ = join(&self.own);
        }
        started
    }

    /// Kills every member at once (`cgroup.kill`, Linux 5.14).
    pub fn kill(&self) {
        let contains_us = own_group().is_ok_and(|own| own.starts_with(&self.dir));
        if !contains_us {
            let _ = fs::write(self.dir.join("cgroup.kill"), "1");
        }
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.dir);
    }
}

/// Whether a process is in the group of this token, or in one below it.
pub(super) fn is_member(pid: i32, token: &str) -> bool {
    let name = name_of(token);
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    unified(&groups).is_some_and(|group| group.split('/').any(|part| part == name))
}

fn name_of(token: &str) -> String {
    format!("reprieve-{}", token.replace('/', "."))
}

/// Moves this process (cgroups(7)).
fn join(group: &Path) -> io::Result<()> {
    fs::write(group.join("cgroup.procs"), std::process::id().to_string())
}

/// The group of cgroup v2 in a `/proc/PID/cgroup` (cgroups(7)).
fn unified(groups: &str) -> Option<&str> {
    groups.lines().find_map(|line| line.strip_prefix("0::"))
}

/// The directory of this process's group, wherever cgroup v2 is mounted.
fn own_group() -> io::Result<PathBuf> {
    let nowhere = || io::Error::new(io::ErrorKind::NotFound, "cgroup v2 is not mounted");
    let groups = fs::read_to_string("/proc/self/cgroup")?;
    let own = unified(&groups).ok_or_else(nowhere)?;
    // Of a mount: its root is field 4 and its place field 5 (proc_pid_mountinfo(5)).
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let mount = mounts.lines().find(|mount| mount.contains(" - cgroup2 ")).ok_or_else(nowhere)?;
    let mut fields = mount.split(' ').skip(3);
    let (root, place) = fields.next().zip(fields.next()).ok_or_else(nowhere)?;
    let below = Path::new(own).strip_prefix(root).map_err(|_| nowhere())?;
    Ok(Path::new(place).join(below))
}

/// Whether groups can be made here: those of this process's own group are ours to divide.
///
/// # Errors
///
/// Why they cannot.
pub fn can_group() -> io::Result<()> {
    ControlGroup::of(&format!("trial-{}", std::process::id())).map(drop)
}
