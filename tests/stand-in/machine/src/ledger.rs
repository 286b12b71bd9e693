//! What the stand-ins remember among themselves, in every process that loads one.
//!
//! The ledger is read and written under a lock, so that all agree on when a
//! process died and how often a call was made.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::process::started;
use crate::{Device, Fault, Machine, Part};

/// A process that holds memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// What it holds, in bytes.
    pub bytes: u64,
    /// Whether it lives; else its memory is on the way back.
    pub alive: bool,
}

#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
struct Ledger {
    /// By UUID, then PID.
    holders: BTreeMap<String, BTreeMap<u32, Seen>>,
    /// How often a fault's calls were made, by the fault as JSON.
    calls: BTreeMap<String, u64>,
}

/// A holder as it was first seen.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Seen {
    /// See [`started`]; none where it was dead already.
    started: Option<u64>,
    /// Milliseconds since the epoch.
    dead_since_ms: Option<u64>,
}

/// Milliseconds since the epoch.
pub(crate) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is past 1970");
    u64::try_from(now.as_millis()).expect("it is long before the year 500 million")
}

/// Replaces the file in one step, so that nobody reads half of it.
fn replace(dir: &Path, path: &Path, contents: &[u8]) {
    let new = dir.join(format!(".new-{}-{:?}", std::process::id(), std::thread::current().id()));
    let written = fs::write(&new, contents).and_then(|()| fs::rename(&new, path));
    // A test may have ended, and its directory with it.
    assert!(written.is_ok() || !dir.exists(), "{}: {written:?}", path.display());
}

impl Machine {
    /// Who holds memory of this device or instance.
    pub fn holders(&self, uuid: &str, release_ms: u64) -> Vec<Holder> {
        self.with_ledger(|ledger| self.seen(ledger, uuid, release_ms))
    }

    /// Writes down what this process holds of a device or an instance; with
    /// nothing, it has left it. False where there is not so much left.
    #[must_use]
    pub fn hold(&self, part: Part<'_>, bytes: u64) -> bool {
        let path = self.dir.join("holders").join(part.uuid()).join(std::process::id().to_string());
        let mine: u64 = fs::read_to_string(&path).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
        if bytes > mine && self.free_bytes(part) < bytes - mine {
            return false;
        }
        if bytes == 0 {
            let _ = fs::remove_file(&path);
        } else {
            let _ = fs::create_dir_all(self.dir.join("holders").join(part.uuid()));
            replace(&self.dir, &path, bytes.to_string().as_bytes());
        }
        true
    }

    /// The number of this call among all processes' calls that a fault is about.
    pub(crate) fn shared_call(&self, fault: &Fault) -> u64 {
        let key = serde_json::to_string(fault).expect("a fault is JSON");
        self.with_ledger(|ledger| {
            let count = ledger.calls.entry(key).or_default();
            *count += 1;
            *count
        })
    }

    /// Milliseconds that the energy counters have run.
    pub fn age_ms(&self) -> u64 {
        now_ms().saturating_sub(self.script.began_ms)
    }

    fn with_ledger<T>(&self, with: impl FnOnce(&mut Ledger) -> T) -> T {
        let lock = File::create(self.dir.join("machine.lock")).inspect(|lock| lock.lock().expect("a lock"));
        let path = self.dir.join("ledger.json");
        let mut ledger: Ledger = fs::read(&path)
            .ok()
            .map(|text| serde_json::from_slice(&text).expect("only we write it"))
            .unwrap_or_default();
        let before = ledger.clone();
        let result = with(&mut ledger);
        if ledger != before {
            replace(&self.dir, &path, &serde_json::to_vec(&ledger).expect("a ledger is JSON"));
        }
        drop(lock);
        result
    }

    fn seen(&self, ledger: &mut Ledger, uuid: &str, release_ms: u64) -> Vec<Holder> {
        let dir = self.dir.join("holders").join(uuid);
        let files: BTreeMap<u32, u64> = fs::read_dir(&dir)
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let bytes = fs::read_to_string(&path).ok()?.trim().parse().unwrap_or(0);
                Some((path.file_name()?.to_str()?.parse().ok()?, bytes))
            })
            .collect();
        let seen = ledger.holders.entry(uuid.to_owned()).or_default();
        seen.retain(|pid, _| files.contains_key(pid));
        let mut holders = Vec::new();
        for (pid, bytes) in files {
            let now = started(pid);
            let holder = seen.entry(pid).or_insert(Seen { started: now, dead_since_ms: None });
            if holder.dead_since_ms.is_none() && (now.is_none() || now != holder.started) {
                holder.dead_since_ms = Some(now_ms());
            }
            match holder.dead_since_ms {
                Some(since) if now_ms().saturating_sub(since) >= release_ms => {
                    let _ = fs::remove_file(dir.join(pid.to_string()));
                    seen.remove(&pid);
                }
                dead => holders.push(Holder { pid, bytes, alive: dead.is_none() }),
            }
        }
        if seen.is_empty() {
            ledger.holders.remove(uuid);
        }
        holders
    }
}

impl Device {
    /// A healthy, idle device.
    pub fn new(uuid: &str) -> Self {
        Self { uuid: uuid.into(), ..Self::default() }
    }
}
