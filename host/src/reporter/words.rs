//! The words for what happened, the same in every command's output.

use std::time::Duration;

use crate::attempt::{Attempt, Ending};
use crate::decision::{Decision, Placement, Retry, Turn};
use crate::event::{Device, StudyEnd};

/// A span of time, to the precision that a reader needs.
pub fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 if duration.is_zero() => "0 s".to_owned(),
        0 => format!("{} ms", duration.as_millis().max(1)),
        1..60 if duration.subsec_millis() < 50 => format!("{seconds} s"),
        1..60 => format!("{:.1} s", duration.as_secs_f64()),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// How an attempt's process ended, and after how long.
pub fn ending(attempt: &Attempt) -> String {
    let after = span(attempt.ran_for);
    match &attempt.ending {
        Ending::Exited(code) => format!("exit code {code} after {after}"),
        Ending::Signalled(signal) => format!("signal {signal} after {after}"),
        Ending::TimedOut => format!("ended at its time limit, after {after}"),
        Ending::FellSilent => format!("ended for its silence, after {after}"),
        Ending::NotStarted(why) => format!("not started: {why}"),
        Ending::Lost => "lost: its supervisor left no record".to_owned(),
    }
}

/// What was decided.
pub fn decision(decision: &Decision) -> String {
    match decision {
        Decision::Accept => "accepted".to_owned(),
        Decision::Retry(retry) => retry_words(retry),
        Decision::GiveUp(_) => "given up".to_owned(),
        Decision::StopStudy(_) => "study stopped".to_owned(),
    }
}

/// Why, where the decision says so.
pub fn reason(decision: &Decision) -> Option<&str> {
    match decision {
        Decision::Accept => None,
        Decision::Retry(Retry { reason, .. }) | Decision::GiveUp(reason) | Decision::StopStudy(reason) => {
            Some(reason)
        }
    }
}

fn retry_words(retry: &Retry) -> String {
    let mut words = format!("retry in {}", span(retry.delay));
    match retry.placement {
        Placement::SameDevices => words.push_str(" on the same devices"),
        Placement::OtherDevices => words.push_str(" on other devices"),
        Placement::AnyDevices => {}
    }
    if retry.turn == Turn::Last {
        words.push_str(", after all others");
    }
    for new in &retry.overrides {
        words.push_str(&format!(" with {} = {}", new.name, new.value));
    }
    words
}

/// The devices at these positions.
pub fn devices(all: &[Device], positions: &[u16]) -> String {
    let names: Vec<String> = positions
        .iter()
        .filter_map(|position| all.get(usize::from(*position)))
        .map(|device| format!("{} {}", device.name, device.id))
        .collect();
    names.join(", ")
}

/// Why a study ended.
pub fn study_end(how: &StudyEnd) -> String {
    match how {
        StudyEnd::Completed => "complete".to_owned(),
        StudyEnd::Interrupted(signal) => format!("interrupted by signal {signal}"),
        StudyEnd::Stopped(reason) => format!("stopped: {reason}"),
    }
}

/// A number and its noun.
pub fn count(number: impl Into<u64>, noun: &str) -> String {
    match number.into() {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}

/// A command as one would type it, cut where it is long.
pub fn command(arguments: &[String]) -> String {
    let quoted: Vec<String> = arguments
        .iter()
        .map(|argument| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
            if !argument.is_empty() && argument.chars().all(plain) {
                argument.clone()
            } else {
                format!("'{}'", argument.replace('\'', "'\\''"))
            }
        })
        .collect();
    quoted.join(" ")
}

/// A number of bytes, to the precision that a reader needs.
pub fn bytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let of = |unit: u32| bytes as f64 / f64::from(unit);
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..0x10_0000 => format!("{} KiB", bytes >> 10),
        0x10_0000..0x4000_0000 => format!("{} MiB", bytes >> 20),
        0x4000_0000..0x19_0000_0000 => format!("{:.1} GiB", of(1 << 30)),
        _ => format!("{:.0} GiB", of(1 << 30)),
    }
}

/// A device's UUID, as short as people tell it apart: `GPU-01234567`.
pub fn short_uuid(uuid: &str) -> &str {
    let first = uuid.match_indices('-').nth(1);
    first.map_or(uuid, |(end, _)| &uuid[..end])
}
