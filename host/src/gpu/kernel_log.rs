//! Xids in the kernel's log, by PCI address.
//!
//! The log also has what happened to devices that NVML no longer answers for.
//! Reading it may need a privilege (`kernel.dmesg_restrict`, syslog(2)).

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::OnceLock;

use regex::Regex;
use rustix::fs::OFlags;

/// What the driver's older messages say without a number: NVIDIA's Xid 79.
const FALLEN_OFF_THE_BUS: u64 = 79;

/// `PRINTKRB_RECORD_MAX`, the longest record, is 8 KiB with its header
/// (printk.c); a read into less fails.
const RECORD_BYTES_MAX: usize = 16 * 1024;

/// The log from where it ended when it was opened.
#[derive(Debug)]
pub(super) struct KernelLog {
    file: File,
    record: Vec<u8>,
    lines: Lines,
}

impl KernelLog {
    /// `/dev/kmsg`: each read is one record (the kernel's ABI/testing/dev-kmsg).
    pub(super) const PATH: &str = "/dev/kmsg";

    /// Opens it at its end, so that only what comes is read.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let flags = i32::try_from((OFlags::NONBLOCK | OFlags::CLOEXEC).bits()).unwrap_or_default();
        let mut file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file, record: vec![0; RECORD_BYTES_MAX], lines: Lines::default() })
    }

    /// The Xids that have come, with the PCI addresses they are of.
    ///
    /// # Errors
    ///
    /// Where the log can no longer be read.
    pub(super) fn new_xids(&mut self) -> io::Result<Vec<(String, u64)>> {
        let mut xids = Vec::new();
        loop {
            match self.file.read(&mut self.record) {
                Ok(0) => return Ok(xids),
                Ok(length) => {
                    let text = String::from_utf8_lossy(&self.record[..length]);
                    xids.extend(text.lines().filter_map(|line| self.lines.xid_of(line)));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(xids),
                // Records were overwritten before they were read: the next one is there.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Reads the driver's lines.
#[derive(Debug, Default)]
struct Lines {
    /// The device that the driver named last. What befell it may be told
    /// several lines later (NVIDIA/NVSentinel#155).
    named: Option<String>,
}

impl Lines {
    /// The PCI address and the Xid that a line tells of.
    fn xid_of(&mut self, line: &str) -> Option<(String, u64)> {
        static XID: OnceLock<Regex> = OnceLock::new();
        static NAMED: OnceLock<Regex> = OnceLock::new();
        if !line.contains("NVRM") {
            return None;
        }
        let xid = XID.get_or_init(|| {
            Regex::new(r"NVRM: Xid \(((?:PCI:)?[0-9a-fA-F:.]+)[^)]*\)(?:.*?): (\d+),")
                .expect("a valid pattern")
        });
        if let Some(found) = xid.captures(line) {
            return Some((address(&found[1])?, found[2].parse().ok()?));
        }
        let named = NAMED.get_or_init(|| {
            Regex::new(r"GPU (?:at )?(?:PCI:)?([0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2})")
                .expect("a valid pattern")
        });
        if let Some(found) = named.captures(line) {
            self.named = address(&found[1]);
        }
        if line.contains("fallen off the bus") {
            return Some((self.named.take()?, FALLEN_OFF_THE_BUS));
        }
        None
    }
}

/// Domain, bus and device of a PCI address, in one form. NVML writes
/// `00000000:3B:00.0`, the kernel `PCI:0000:3b:00` or `0000:3b:00.0`.
pub(super) fn address(text: &str) -> Option<String> {
    let text = text.strip_prefix("PCI:").unwrap_or(text);
    let text = text.split('.').next().unwrap_or(text);
    let numbers: Vec<u32> =
        text.split(':').map(|part| u32::from_str_radix(part, 16).ok()).collect::<Option<_>>()?;
    match numbers[..] {
        [domain, bus, device] => Some(format!("{domain:04x}:{bus:02x}:{device:02x}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn xids_are_found_in_every_form_that_the_driver_writes() {
        let of = |address: &str, xid| Some((address.to_owned(), xid));
        for (lines, found) in [
            (
                "4,1234,5678,-;NVRM: Xid (PCI:0000:3b:00): 79, pid='<unknown>', name=<unknown>, \
                 GPU has fallen off the bus.",
                of("0000:3b:00", 79),
            ),
            ("NVRM: Xid (PCI:0000:18:00): 31, pid=1234, name=python, Ch 00000010", of("0000:18:00", 31)),
            ("NVRM: Xid (0000:03:00): 13, Graphics Exception", of("0000:03:00", 13)),
            ("NVRM: Xid (PCI:0000:01:00 GPU-I:05): 43, pid=88, name=x, Ch 1", of("0000:01:00", 43)),
            ("NVRM: GPU 0000:86:00.0: GPU has fallen off the bus.", of("0000:86:00", 79)),
            (
                "NVRM: The NVIDIA GPU 0000:0f:00.0\nNVRM: (PCI ID: 10de:2330) installed in this system has\n\
                 NVRM: fallen off the bus and is not responding to commands.",
                of("0000:0f:00", 79),
            ),
            ("NVRM: GPU at PCI:0000:86:00: GPU-1a2b3c4d-0000", None),
            ("NVRM: loading NVIDIA UNIX x86_64 Kernel Module", None),
            ("usb 1-1: Xid (PCI:0000:18:00): 31, not the driver's", None),
        ] {
            let mut reader = Lines::default();
            assert_eq!(lines.lines().find_map(|line| reader.xid_of(line)), found, "{lines}");
        }
    }

    #[test]
    fn addresses_of_nvml_and_of_the_kernel_agree() {
        assert_eq!(address("00000000:3B:00.0"), address("PCI:0000:3b:00"));
        assert_ne!(address("00000001:3B:00.0"), address("0000:3b:00.0"));
        assert_eq!(address("3b:00"), None);
    }

    #[test]
    fn what_was_in_the_log_before_is_not_read() {
        let place = tempfile::NamedTempFile::new().expect("a file");
        let line = |xid| format!("NVRM: Xid (PCI:0000:18:00): {xid}, pid=1\n");
        write!(place.as_file(), "{}", line(13)).expect("it is ours");
        let mut log = KernelLog::open(place.path()).expect("it is there");
        assert_eq!(log.new_xids().expect("it reads"), []);
        write!(place.as_file(), "{}{}", line(31), line(43)).expect("it is ours");
        let xids: Vec<u64> = log.new_xids().expect("it reads").into_iter().map(|(_, xid)| xid).collect();
        assert_eq!(xids, [31, 43]);
    }
}
