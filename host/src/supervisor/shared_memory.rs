//! Shared-memory files that an attempt left behind.
//!
//! Removes a file only where all of it is true: a process of the attempt was
//! seen to have it open or mapped, it bears a name that GPU programs give such
//! files, it is younger than the attempt, and no process has it open or mapped
//! any more. What cannot be told is left alone: beside the attempt there are
//! other experiments and other people's programs.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use crate::cleanup::StepOutcome;
use crate::size::size;

const DIRECTORY: &str = "/dev/shm";

/// What NCCL (`nccl-XXXXXX`, src/os/linux.cc), PyTorch (`torch_PID_…`) and
/// CPython's multiprocessing (`psm_…`, semaphores `sem.mp-…`) call their files.
const NAMES: [&str; 4] = ["nccl-", "torch_", "psm_", "sem.mp-"];

/// The kernel's inode numbers of the first PID and IPC namespaces
/// (include/linux/proc_ns.h).
const FIRST_PID_NAMESPACE: &str = "pid:[4026531836]";
const FIRST_IPC_NAMESPACE: &str = "ipc:[4026531839]";

/// A file's time is that of the kernel's last tick, at most so long ago (HZ is
/// 100 or more): one that was made just after a moment may look older.
const TICK: SignedDuration = SignedDuration::from_millis(10);

/// The shared-memory files that processes of an attempt were seen to use, by
/// device and inode.
#[derive(Debug, Default)]
pub(super) struct Seen(HashSet<(u64, u64)>);

impl Seen {
    /// Looks at what a process has open or mapped now.
    pub(super) fn look(&mut self, pid: i32) {
        self.0.extend(used_by(&Path::new("/proc").join(pid.to_string())));
    }
}

/// Removes what was left since then, of what was seen.
pub(super) fn remove(since: Timestamp, seen: &Seen) -> StepOutcome {
    let namespace = |name: &str| fs::read_link(format!("/proc/self/ns/{name}")).unwrap_or_default();
    if namespace("pid") != Path::new(FIRST_PID_NAMESPACE)
        && namespace("ipc") == Path::new(FIRST_IPC_NAMESPACE)
    {
        return StepOutcome::Skipped(
            "processes that share `/dev/shm` cannot be seen from this container".to_owned(),
        );
    }
    let since = since.checked_sub(TICK).unwrap_or(since);
    let mut candidates = candidates(Path::new(DIRECTORY), since);
    candidates.retain(|(_, metadata)| seen.0.contains(&(metadata.dev(), metadata.ino())));
    if candidates.is_empty() {
        return StepOutcome::Skipped("none was left".to_owned());
    }
    let in_use = in_use();
    let (mut files, mut bytes, mut failed) = (0, 0, Vec::new());
    for (path, metadata) in candidates {
        if in_use.contains(&(metadata.dev(), metadata.ino())) {
            continue;
        }
        match fs::remove_file(&path) {
            Ok(()) => {
                files += 1;
                bytes += metadata.len();
            }
            // Another supervisor was quicker.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => failed.push(format!("`{}`: {error}", path.display())),
        }
    }
    match (files, failed.is_empty()) {
        (_, false) => StepOutcome::Failed(failed.join("; ")),
        (0, true) => StepOutcome::Skipped("none was left that nobody uses".to_owned()),
        (1, true) => StepOutcome::Done(format!("1 file, {}", size(bytes))),
        (_, true) => StepOutcome::Done(format!("{files} files, {}", size(bytes))),
    }
}

fn candidates(directory: &Path, since: Timestamp) -> Vec<(PathBuf, Metadata)> {
    let uid = rustix::process::geteuid().as_raw();
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name();
            NAMES.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)).then_some(())?;
            let metadata = fs::symlink_metadata(entry.path()).ok()?;
            let young = metadata
                .created()
                .is_ok_and(|created| Timestamp::try_from(created).is_ok_and(|created| created >= since));
            (metadata.is_file() && metadata.uid() == uid && young).then(|| (entry.path(), metadata))
        })
        .collect()
}

/// Device and inode of every shared-memory file that any process has open or mapped.
fn in_use() -> HashSet<(u64, u64)> {
    let Ok(processes) = fs::read_dir("/proc") else { return HashSet::new() };
    let is_number = |name: &OsStr| name.to_string_lossy().bytes().all(|byte| byte.is_ascii_digit());
    let processes = processes.filter_map(Result::ok).filter(|process| is_number(&process.file_name()));
    processes.flat_map(|process| used_by(&process.path())).collect()
}

/// Device and inode of every shared-memory file that a process has open or
/// mapped, by its directory in `/proc`.
fn used_by(process: &Path) -> HashSet<(u64, u64)> {
    let mut used = HashSet::new();
    for folder in ["fd", "map_files"] {
        let Ok(links) = fs::read_dir(process.join(folder)) else { continue };
        for link in links.filter_map(Result::ok) {
            let inside = fs::read_link(link.path()).is_ok_and(|target| target.starts_with(DIRECTORY));
            if inside && let Ok(metadata) = fs::metadata(link.path()) {
                used.insert((metadata.dev(), metadata.ino()));
            }
        }
    }
    // Only the privileged may follow `map_files`; `maps` names the files all the same.
    let maps = fs::read_to_string(process.join("maps")).unwrap_or_default();
    for path in maps.lines().filter_map(|line| line.find(DIRECTORY).map(|at| &line[at..])) {
        if let Ok(metadata) = fs::metadata(path) {
            used.insert((metadata.dev(), metadata.ino()));
        }
    }
    used
}
