//! Where studies are kept: every event is synced there before it counts.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{statfs, statvfs};

use crate::clock::monotonic as now;
use crate::reporter::words;
use crate::size::size;

use super::Check;

/// An experiment has about four events; beyond this they are felt.
const SLOW_SYNC: Duration = Duration::from_millis(100);

const ROOM_BYTES: u64 = 1 << 30;

pub(super) fn checks(dir: &Path) -> Vec<Check> {
    let mut checks = vec![sync(dir)];
    checks.extend(file_system(dir));
    checks
}

fn sync(dir: &Path) -> Check {
    const NAME: &str = "disk";
    let name = format!(".reprieve-doctor-{}", std::process::id());
    let path = dir.join(name);
    let synced = time_sync(&path);
    let _ = fs::remove_file(&path);
    let took = match synced {
        Ok(took) => took,
        Err(error) => {
            let finding = format!("`{}` cannot be written: {error}", dir.display());
            return Check::fault(NAME, finding, "name another directory: `reprieve doctor DIR`");
        }
    };
    let room = statvfs(dir).map(|stat| stat.f_bavail * stat.f_frsize).unwrap_or(u64::MAX);
    let finding = format!("a sync takes {}", words::span(took));
    if room < ROOM_BYTES {
        let finding = format!("{finding}, and only {} are free", size(room));
        return Check::gap(NAME, finding, "a journal that cannot be written stops its study: make room");
    }
    if took > SLOW_SYNC {
        return Check::gap(
            NAME,
            format!("{finding}: each event waits for one"),
            "keep studies on a faster disk",
        );
    }
    Check::ok(NAME, finding)
}

fn time_sync(path: &Path) -> io::Result<Duration> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(&[0; 4096])?;
    let began = now();
    file.sync_data()?;
    Ok(began.elapsed())
}

/// Where locks may not hold, and what does not outlive a restart. The numbers
/// are those of linux/magic.h and of the file systems' own sources.
fn file_system(dir: &Path) -> Option<Check> {
    const NAME: &str = "file system";
    let kind = statfs(dir).ok()?.f_type;
    // 32 bits count: the type is signed on some machines.
    let name = match kind & 0xffff_ffff {
        0x6969 => "NFS",
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => "SMB",
        0x6573_5546 => "FUSE",
        0x0bd0_0bd0 => "Lustre",
        0x4750_4653 => "GPFS",
        0x00c3_6400 => "Ceph",
        0x1983_0326 => "BeeGFS",
        0x0102_1997 => "9P",
        0x0102_1994 => {
            let finding = "in memory: a study is lost when the machine restarts";
            return Some(Check::gap(NAME, finding, "keep studies on a disk"));
        }
        _ => return Some(Check::ok(NAME, "local")),
    };
    Some(Check::gap(
        NAME,
        format!("{name}: its locks may not keep a second host off a study"),
        "keep studies on a disk of this machine, and copy them when they are done",
    ))
}
