//! The devices as a table: one line each, with what is wrong and who is on it below.

use std::fmt;

use anstyle::{AnsiColor, Style};

use crate::reading::{ClockReason, Reading};
use crate::reporter::words;
use crate::size::size;

use super::health::Verdict;
use super::processes::in_pid_namespace;
use super::{Shown, ShownDevice};

const HEAD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const DOUBT: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default();

const TITLES: [&str; 8] = ["device", "name", "memory used", "heat", "power", "busy", "clock", "health"];
/// Numbers, whose ends stand below each other.
const RIGHT: [bool; 8] = [false, false, true, true, true, true, false, false];

/// From here on the device is close to slowing itself down.
const NEAR_SLOWDOWN_CELSIUS: u32 = 5;

pub(super) struct Table<'a>(pub(super) &'a Shown);

struct Cell {
    text: String,
    style: Style,
}

fn cell(text: impl Into<String>, style: Style) -> Cell {
    Cell { text: text.into(), style }
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(shown) = self;
        let version = |version: &Option<String>| version.clone().unwrap_or_else(|| "unknown".to_owned());
        let (driver, cuda) = (version(&shown.versions.driver), version(&shown.versions.cuda));
        writeln!(f, "{FAINT}driver {driver}, up to CUDA {cuda}{FAINT:#}\n")?;
        if shown.devices.is_empty() && shown.unread.is_empty() {
            return writeln!(f, "no devices");
        }
        let rows: Vec<_> = shown.devices.iter().map(row).collect();
        let width = |column: usize| {
            let cells = rows.iter().map(|row| row[column].text.chars().count());
            cells.chain([TITLES[column].len()]).max().unwrap_or_default()
        };
        let widths: [usize; 8] = std::array::from_fn(width);
        if !rows.is_empty() {
            line(f, &TITLES.map(|title| cell(title, HEAD)), &widths)?;
        }
        for (device, row) in shown.devices.iter().zip(&rows) {
            line(f, row, &widths)?;
            below(f, device)?;
        }
        for unread in &shown.unread {
            let error = indented(&unread.error.to_string());
            writeln!(f, "device {}: {BAD}{error}{BAD:#}", unread.index)?;
        }
        let anyone = shown.devices.iter().any(|device| !device.processes.is_empty());
        if anyone && in_pid_namespace() {
            writeln!(
                f,
                "\n{FAINT}in a PID namespace: a process may be another than its name says, or left out{FAINT:#}"
            )?;
        }
        Ok(())
    }
}

fn line(f: &mut fmt::Formatter<'_>, cells: &[Cell; 8], widths: &[usize; 8]) -> fmt::Result {
    for (column, (Cell { text, style }, width)) in cells.iter().zip(widths).enumerate() {
        let gap = " ".repeat(width - text.chars().count());
        let (before, after) = if RIGHT[column] { (&*gap, "") } else { ("", &*gap) };
        let last = column + 1 == cells.len();
        let end = if last { "\n" } else { "  " };
        write!(f, "{before}{style}{text}{style:#}{}{end}", if last { "" } else { after })?;
    }
    Ok(())
}

fn row(device: &ShownDevice) -> [Cell; 8] {
    let plain = Style::new();
    let health = cell(device.health.verdict.name(), style_of(device.health.verdict));
    let uuid = cell(words::short_uuid(&device.uuid), plain);
    // All are of one maker.
    let name = cell(device.name.strip_prefix("NVIDIA ").unwrap_or(&device.name), plain);
    let Some(reading) = &device.reading else {
        let [memory, heat, power, busy, clock] = std::array::from_fn(|_| cell("-", FAINT));
        return [uuid, name, memory, heat, power, busy, clock, health];
    };
    let memory = format!("{} of {}", size(reading.memory_used_bytes), size(reading.memory_total_bytes));
    let near = |celsius| {
        reading.slowdown_celsius.is_some_and(|slowdown: u32| celsius + NEAR_SLOWDOWN_CELSIUS >= slowdown)
    };
    let heat_style = if reading.temperature_celsius.is_some_and(near) { DOUBT } else { plain };
    let told =
        |value: Option<String>, style| value.map_or_else(|| cell("-", FAINT), |text| cell(text, style));
    let throttled = if reading.throttled() == Some(true) { BAD } else { plain };
    [
        uuid,
        name,
        cell(memory, plain),
        told(reading.temperature_celsius.map(|celsius| format!("{celsius} °C")), heat_style),
        told(reading.power_milliwatts.map(|milliwatts| format!("{} W", (milliwatts + 500) / 1000)), plain),
        told(reading.utilization_percent.map(|percent| format!("{percent} %")), plain),
        told(clock(reading), throttled),
        health,
    ]
}

fn style_of(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Healthy => GOOD,
        Verdict::Unknown => FAINT,
        Verdict::Worn => DOUBT,
        Verdict::Sick => BAD,
    }
}

/// The clock, and what holds it down.
fn clock(reading: &Reading) -> Option<String> {
    let mhz = reading.sm_clock_mhz.map(|mhz| format!("{mhz} MHz"));
    let mut held: Vec<&str> = reading.clock_reasons.iter().flatten().map(|reason| held_by(*reason)).collect();
    held.dedup();
    let held = (!held.is_empty()).then(|| held.join(", "));
    match (held, mhz) {
        (Some(held), Some(mhz)) => Some(format!("{mhz}, {held}")),
        (held, mhz) => held.or(mhz),
    }
}

fn held_by(reason: ClockReason) -> &'static str {
    match reason {
        ClockReason::GpuIdle => "idle",
        ClockReason::ApplicationsClocksSetting => "set",
        ClockReason::SwPowerCap => "power limit",
        ClockReason::HwSlowdown => "slowed down",
        ClockReason::SyncBoost => "in step",
        ClockReason::SwThermalSlowdown | ClockReason::HwThermalSlowdown => "heat",
        ClockReason::HwPowerBrakeSlowdown => "power brake",
        ClockReason::DisplayClockSetting => "display",
    }
}

/// What is wrong with a device, and who is on it.
fn below(f: &mut fmt::Formatter<'_>, device: &ShownDevice) -> fmt::Result {
    let style = style_of(device.health.verdict);
    for reason in &device.health.reasons {
        writeln!(f, "  {style}{}{style:#}", indented(reason))?;
    }
    for process in &device.processes {
        let name = process.name.as_deref().unwrap_or("not visible here");
        let user = process.user.as_ref().map(|user| format!(" of {user}")).unwrap_or_default();
        let memory = process.memory_bytes.map(|bytes| format!(", {}", size(bytes))).unwrap_or_default();
        writeln!(f, "  {:>7}  {name}{user}{memory}", process.pid)?;
    }
    Ok(())
}

/// The lines after the first, as far in as the first.
fn indented(text: &str) -> String {
    text.replace('\n', "\n  ")
}
