//! What an Xid, NVIDIA's number for a fault in the kernel log, says of a failure.
//!
//! It does not read the kernel log, and it does not say whether a device may
//! be used again: that is the driver's recovery action (NVML field 230).

use std::sync::OnceLock;

use regex::Regex;

use crate::attempt::FailureClass;

/// The class of the failure that this Xid tells of; `None` where it tells of
/// none by itself: it is informational, repeats another Xid, or is unlisted.
///
/// Source: the "immediate action" in NVIDIA's Xid catalog
/// (docs.nvidia.com/deploy/xid-errors). An action on the device or the machine
/// means a device that failed; a restart of the program means a fault of the
/// program where the catalog says to check it, else one that passes.
pub fn class_of(xid: u64) -> Option<FailureClass> {
    match xid {
        // Program faults: RESTART_APP with "check the application", and 43,
        // 68, which NVIDIA's own device plugin for Kubernetes also lays at
        // the program's door (k8s-device-plugin, internal/rm/health.go).
        11 | 13 | 25 | 31 | 32 | 43 | 68 | 69 | 80 => Some(FailureClass::DeviceProgram),
        // RESTART_APP without it: engine exceptions, and 94, an ECC error that
        // the device has contained.
        8 | 39..=41 | 60 | 70..=72 | 75..=77 | 82..=86 | 88 | 89 | 94 | 96..=105 | 126..=135 | 139 => {
            Some(FailureClass::DriverTransient)
        }
        // A reset, a reboot, an operator, or a workflow that starts with one.
        46
        | 48
        | 54
        | 62
        | 64
        | 74
        | 78
        | 79
        | 95
        | 109
        | 110
        | 119
        | 120
        | 136
        | 140
        | 142
        | 143
        | 151
        | 155
        | 156
        | 158
        | 159
        | 166..=175 => Some(FailureClass::DeviceHardware),
        _ => None,
    }
}

/// The class of a line that names an Xid, as the kernel log and monitors write
/// it. The text decides where the number alone does not.
pub(super) fn class_of_line(line: &str) -> Option<FailureClass> {
    static XID: OnceLock<Regex> = OnceLock::new();
    if !line.contains("Xid") && !line.contains("XID") {
        return None;
    }
    let numbers = XID.get_or_init(|| {
        Regex::new(r"\bX(?:id|ID)(?: error)?(?: \([^)]*\)[^:]*)?[ :=#]+(\d{1,3})\b").expect("a valid pattern")
    });
    let mut named = numbers.captures_iter(line).filter_map(|found| found[1].parse::<u64>().ok());
    let lost = Some(FailureClass::DeviceHardware);
    match (named.next()?, named.next()) {
        // 45 ends the channels that another fault has spoiled. An NVLink fault
        // (144 to 150) that does so was a fatal one.
        (45, Some(144..=150)) => lost,
        (45, Some(cause)) => class_of(cause),
        (144..=150, _) if line.contains(" Fatal") => lost,
        (154, _) if line.contains(" to 0x") && !line.contains(" to 0x0 ") => lost,
        (xid, _) => class_of(xid),
    }
}
