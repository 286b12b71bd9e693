//! The words for what happened, the same in every command's output.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::attempt::{Attempt, Ending, Parameter};
use crate::cleanup::{Cleanup, StepOutcome};
use crate::decision::{Decision, Placement, PolicyFault, PolicyFaultKind, Retry, Turn};
use crate::event::{Device, StudyEnd};
use crate::samples::{DeviceSamples, Samples, Span};
use crate::size::size;
use crate::state::{Outcome, StudyState};
use crate::study::ExperimentId;

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
        Ending::Lost => "lost: its supervisor left no record of its end".to_owned(),
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

/// Why, without the evidence that stands beside it: reasons like to repeat it.
pub fn reason_beside(decision: &Decision, evidence: &str) -> String {
    let reason = reason(decision).unwrap_or_default();
    if evidence.is_empty() { reason.to_owned() } else { reason.replace(&format!(": {evidence}"), "") }
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
    words.push_str(&overrides(&retry.overrides));
    words
}

/// Parameters that are not as the study file has them, with a space before.
pub fn overrides(overrides: &[Parameter]) -> String {
    if overrides.is_empty() {
        return String::new();
    }
    let each: Vec<String> = overrides.iter().map(|new| format!("{} = {}", new.name, new.value)).collect();
    format!(" with {}", each.join(", "))
}

/// A local time of day, with the date where that is another than at the other moment.
pub fn clock(at: Timestamp, beside: Timestamp, zone: &TimeZone) -> String {
    let [at, beside] = [at, beside].map(|time| time.to_zoned_datetime(zone.clone()));
    let form = if at.date() == beside.date() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
    at.strftime(form).to_string()
}

/// The experiments that succeeded with other parameters than the study file's.
pub fn changed_ids(state: &StudyState) -> impl Iterator<Item = ExperimentId> + '_ {
    let changed = |id: &_| state.outcome(*id) == Some(Outcome::Succeeded) && !state.overrides(*id).is_empty();
    state.study().ids().filter(changed)
}

/// How many those are, where there are any.
pub fn changed(state: &StudyState) -> String {
    match changed_ids(state).count() {
        0 => String::new(),
        count => format!(" ({count} with changed parameters)"),
    }
}

/// The devices at these positions.
pub fn devices(all: &[Device], positions: &[u16]) -> String {
    let names: Vec<String> = positions
        .iter()
        .filter_map(|position| all.get(usize::from(*position)))
        .map(|device| format!("{} {}", device.name, short_uuid(&device.id)))
        .collect();
    names.join(", ")
}

/// How a policy failed to answer: its own last words first, where it had any.
pub fn fault(fault: &PolicyFault) -> String {
    let lines: Vec<&str> = fault.output_tail.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    // How Rust's runtime words a panic: the place, the message, and a note for its programmer.
    let panic = lines.iter().rposition(|line| line.contains("panicked at "));
    let said = match panic.and_then(|at| Some((lines[at].find("panicked at ")?, at))) {
        Some((from, at)) => {
            let message = lines[at + 1..].iter().take_while(|line| !line.starts_with("note: "));
            let whole: Vec<&str> = std::iter::once(&lines[at][from..]).chain(message.copied()).collect();
            whole.join(" ")
        }
        None => (*lines.last().unwrap_or(&"")).to_owned(),
    };
    match fault.kind {
        _ if said.is_empty() || said == fault.message => fault.message.clone(),
        PolicyFaultKind::Trap => format!("{said} ({})", fault.message),
        _ => format!("{} (it last said: {said})", fault.message),
    }
}

/// How a study ended.
pub fn study_end(how: &StudyEnd) -> String {
    match how {
        StudyEnd::Completed => "complete".to_owned(),
        StudyEnd::Interrupted(number) => format!("interrupted by {}", signal(*number)),
        StudyEnd::Stopped(_) => "stopped".to_owned(),
    }
}

/// Why it was stopped, where it was.
pub fn stop_reason(how: &StudyEnd) -> Option<&str> {
    match how {
        StudyEnd::Stopped(reason) => Some(reason),
        StudyEnd::Completed | StudyEnd::Interrupted(_) => None,
    }
}

/// A signal to the host, as whoever sent it knows it.
pub fn signal(number: i32) -> String {
    match number {
        1 => "a hang-up".to_owned(),
        2 => "Ctrl-C".to_owned(),
        15 => "SIGTERM".to_owned(),
        number => format!("signal {number}"),
    }
}

/// A number and its noun.
pub fn count(number: impl Into<u64>, noun: &str) -> String {
    match number.into() {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}

/// A device's UUID, as short as people tell it apart: `GPU-01234567`.
pub fn short_uuid(uuid: &str) -> &str {
    let first = uuid.match_indices('-').nth(1);
    first.map_or(uuid, |(end, _)| &uuid[..end])
}

/// What a study runs on.
pub fn machine(devices: &[Device]) -> String {
    let number = devices.len() as u64;
    let Some(first) = devices.first() else { return count(number, "device") };
    let alike = devices.iter().all(|device| device.name == first.name);
    match number {
        _ if first.is_slot() => count(number, "slot"),
        1 => first.name.clone(),
        _ if alike && first.is_readable() => format!("{number} × {}", first.name),
        _ => count(number, "device"),
    }
}

/// What of a cleanup a person should know: what failed, and what was bounded.
pub fn cleanup(cleanup: Option<&Cleanup>) -> Vec<String> {
    let Some(cleanup) = cleanup else { return Vec::new() };
    let planned = cleanup.fault.iter().map(|fault| {
        format!("policy fault in the cleanup's plan: {}; the standard plan stands in", self::fault(fault))
    });
    let failed = cleanup.steps.iter().filter_map(|report| match &report.outcome {
        StepOutcome::Failed(why) => {
            Some(format!("cleanup: {} failed after {}: {why}", report.step.action.name(), span(report.took)))
        }
        StepOutcome::Done(_) | StepOutcome::Skipped(_) => None,
    });
    let bounded = cleanup.bounded.iter().map(|bounded| format!("cleanup bounded: {bounded}"));
    planned.chain(failed).chain(bounded).collect()
}

/// What a cleanup brought, a line for each step that brought or met something.
pub fn steps(cleanup: Option<&Cleanup>) -> Vec<String> {
    let Some(cleanup) = cleanup else { return Vec::new() };
    let fault = cleanup.fault.iter().map(|fault| {
        format!("policy fault in the cleanup's plan: {}; the standard plan stands in", self::fault(fault))
    });
    let steps = cleanup.steps.iter().filter_map(|report| {
        let name = report.step.action.name();
        let freed = match report.released_bytes {
            0 => String::new(),
            released => format!(", {} came free", size(released)),
        };
        match &report.outcome {
            StepOutcome::Done(what) if what.is_empty() && freed.is_empty() => None,
            StepOutcome::Done(what) => {
                let what = if what.is_empty() { String::new() } else { format!(": {what}") };
                Some(format!("cleanup: {name} took {}{what}{freed}", span(report.took)))
            }
            StepOutcome::Failed(why) => {
                Some(format!("cleanup: {name} failed after {}: {why}{freed}", span(report.took)))
            }
            StepOutcome::Skipped(_) => None,
        }
    });
    let bounded = cleanup.bounded.iter().map(|bounded| format!("cleanup bounded: {bounded}"));
    fault.chain(steps).chain(bounded).collect()
}

fn range(min: u32, max: u32, unit: &str) -> String {
    if min == max { format!("{min} {unit}") } else { format!("{min} to {max} {unit}") }
}

/// What each device did while an attempt ran.
pub fn samples(samples: Option<&Samples>) -> Vec<String> {
    let Some(samples) = samples else { return Vec::new() };
    let of = |device: &DeviceSamples| {
        let mut parts = Vec::new();
        if let Some(peak) = device.memory_peak_bytes {
            parts.push(format!("peak {}", size(peak)));
        }
        if let Some(energy) = device.energy_millijoules {
            #[expect(clippy::cast_precision_loss, reason = "one digit is shown")]
            parts.push(format!("{:.1} J", energy as f64 / 1e3));
        }
        if let Some(Span { min, max }) = device.power_milliwatts {
            parts.push(range(min / 1000, max / 1000, "W"));
        }
        if let Some(Span { min, max }) = device.temperature_celsius {
            parts.push(range(min, max, "°C"));
        }
        if let Some(throttled) = device.throttled_for.filter(|throttled| !throttled.is_zero()) {
            parts.push(format!("throttled for {}", span(throttled)));
        }
        match device.foreign_processes.len() {
            0 => {}
            1 => parts.push("1 process of others".to_owned()),
            several => parts.push(format!("{several} processes of others")),
        }
        format!("{}: {}", short_uuid(&device.uuid), parts.join(", "))
    };
    samples.devices.iter().filter(|device| device.taken > 0).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_by_its_message_and_its_place() {
        let told = |kind, output: &str| {
            let output_tail = output.to_owned();
            let message = "unreachable".to_owned();
            fault(&PolicyFault { kind, message, backtrace: Vec::new(), output_tail })
        };
        let panic = "starting\n\nthread '<unnamed>' (1) panicked at src/lib.rs:10:5:\nno rows\nat all\n\
                     note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n";
        let trap = PolicyFaultKind::Trap;
        assert_eq!(told(trap, panic), "panicked at src/lib.rs:10:5: no rows at all (unreachable)");
        assert_eq!(told(trap, "one\ntwo\n\n"), "two (unreachable)");
        assert_eq!(told(trap, ""), "unreachable");
        assert_eq!(told(trap, "one\nunreachable"), "unreachable");
        assert_eq!(told(PolicyFaultKind::Deadline, "round 9"), "unreachable (it last said: round 9)");
    }
}
