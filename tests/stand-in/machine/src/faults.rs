//! What goes wrong in a call.
//!
//! Where a process counts its own calls, it does so in memory.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use crate::{Fault, Machine, Part};

/// What a call met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Met {
    /// What it must return.
    pub code: Option<u32>,
    /// Whether what it copies differs.
    pub corrupt: bool,
}

impl Machine {
    /// Counts a call, on a device or on none, and has it hang where it must.
    pub fn meet(&self, function: &str, on: Option<Part<'_>>) -> Met {
        let mut met = None;
        for fault in self.script.faults.iter().filter(|fault| self.is_about(fault, function, on)) {
            let call = if fault.across_processes { self.shared_call(fault) } else { own_call(fault) };
            let first = fault.from_call.max(1);
            let applies = call >= first && fault.calls.is_none_or(|calls| call - first < calls);
            if applies && met.is_none() {
                met = Some(fault);
            }
        }
        let Some(fault) = met else { return Met::default() };
        sleep(Duration::from_millis(fault.hang_ms));
        Met { code: fault.code, corrupt: fault.corrupt }
    }

    fn is_about(&self, fault: &Fault, function: &str, on: Option<Part<'_>>) -> bool {
        let is = |uuid: &String| on.is_some_and(|part| part.uuid() == uuid || part.device.uuid == *uuid);
        (fault.function == "*" || fault.function == function)
            && fault.device.as_ref().is_none_or(is)
            && fault.when_file.as_ref().is_none_or(|file| self.dir.join(file).exists())
    }
}

/// The number of this call among this process's calls that a fault is about.
fn own_call(fault: &Fault) -> u64 {
    static CALLS: LazyLock<Mutex<HashMap<Fault, u64>>> = LazyLock::new(Mutex::default);
    let mut calls = CALLS.lock().unwrap_or_else(PoisonError::into_inner);
    let count = calls.entry(fault.clone()).or_default();
    *count += 1;
    *count
}
