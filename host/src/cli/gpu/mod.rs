//! `reprieve gpu`: the devices of this machine, as they are now.
//!
//! A machine without devices is a normal one, and no error.

pub(super) mod health;
pub(super) mod processes;
mod table;

use std::io::{IsTerminal, Write};
use std::thread;
use std::time::Duration;

use serde::Serialize;

use crate::exit_code;
use crate::gpu::{Gpus, Unavailable, Versions};
use crate::reading::{Reading, ReadingError};
use crate::reporter::Versioned;

use self::health::{Health, health};
use self::processes::{Process, processes};
use self::table::Table;
use super::Failed;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Go on until interrupted, with a new reading every so many seconds.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=86_400))]
    watch: Option<u64>,
}

/// All devices at one moment.
#[derive(Serialize)]
pub(super) struct Shown {
    /// Why there is nothing to show; `null` where there is.
    pub(super) unavailable: Option<String>,
    pub(super) versions: Versions,
    pub(super) devices: Vec<ShownDevice>,
    /// Those that could not even be named.
    pub(super) unread: Vec<Unread>,
}

/// One device.
#[derive(Serialize)]
pub(super) struct ShownDevice {
    pub(super) uuid: String,
    pub(super) name: String,
    /// `null` where it could not be had.
    pub(super) reading: Option<Reading>,
    pub(super) error: Option<ReadingError>,
    pub(super) health: Health,
    /// Who is on it, with names.
    pub(super) processes: Vec<Process>,
}

/// A device without a name.
#[derive(Serialize)]
pub(super) struct Unread {
    /// As NVML numbers it.
    pub(super) index: u32,
    pub(super) error: ReadingError,
}

pub(super) fn run(args: &Args, json: bool) -> Result<u8, Failed> {
    let gpus = match Gpus::open(None) {
        Ok(gpus) => gpus,
        Err(error) => return without(&error, json),
    };
    let every = args.watch.map(Duration::from_secs);
    let redraw = every.is_some() && !json && std::io::stdout().is_terminal();
    loop {
        let shown = show(&gpus);
        if json {
            Versioned::new(&shown).print()?;
        } else {
            print(&Table(&shown).to_string(), redraw)?;
        }
        match every {
            Some(every) => wait(every),
            None => return Ok(exit_code::SUCCESS),
        }
        if !json && !redraw {
            writeln!(anstream::stdout())?;
        }
    }
}

/// What there is to say without NVML: a machine without devices is fine, one
/// whose driver fails is not.
fn without(error: &Unavailable, json: bool) -> Result<u8, Failed> {
    let fine = matches!(error, Unavailable::NoNvml(_));
    if json {
        Versioned::new(Shown {
            unavailable: Some(error.to_string()),
            versions: Versions::default(),
            devices: Vec::new(),
            unread: Vec::new(),
        })
        .print()?;
    } else if fine {
        writeln!(
            anstream::stdout(),
            "no devices: {error}\nhint: studies run without; `reprieve doctor` says more"
        )?;
    } else {
        let said = error.to_string();
        let more = if said.contains("hint: ") { "" } else { "\nhint: `reprieve doctor` says more" };
        return Err(Failed::Devices(said + more));
    }
    Ok(if fine { exit_code::SUCCESS } else { exit_code::INTERNAL })
}

/// Reads all devices, side by side: a silent one holds up no other.
pub(super) fn show(gpus: &Gpus) -> Shown {
    let found = gpus.devices();
    let readings: Vec<_> = thread::scope(|scope| {
        let asking: Vec<_> = found.iter().map(|device| scope.spawn(|| gpus.read(&device.id))).collect();
        asking.into_iter().map(|asking| asking.join().expect("reading does not panic")).collect()
    });
    let devices = found
        .into_iter()
        .zip(readings)
        .map(|(device, reading)| {
            let (reading, error) = match reading {
                Ok(reading) => (Some(reading), None),
                Err(error) => (None, Some(error)),
            };
            ShownDevice {
                uuid: device.id,
                name: device.name,
                health: health(reading.as_ref(), error.as_ref()),
                processes: reading.as_ref().map(|reading| processes(&reading.processes)).unwrap_or_default(),
                reading,
                error,
            }
        })
        .collect();
    let unread =
        gpus.unread().iter().map(|(index, error)| Unread { index: *index, error: error.clone() }).collect();
    Shown { unavailable: None, versions: gpus.versions().clone(), devices, unread }
}

/// Prints a screen. Drawn over the last one, line by line, so that it does not flicker.
fn print(text: &str, redraw: bool) -> std::io::Result<()> {
    /// The control sequences of ECMA-48: to the top left, clear to the line's
    /// end, clear to the screen's end.
    const HOME: &str = "\x1b[H";
    const CLEAR_LINE: &str = "\x1b[K\n";
    const CLEAR_REST: &str = "\x1b[J";
    let mut out = anstream::stdout().lock();
    if redraw {
        let text = text.replace('\n', CLEAR_LINE);
        write!(out, "{HOME}{text}{CLEAR_REST}")?;
    } else {
        write!(out, "{text}")?;
    }
    out.flush()
}

#[expect(clippy::disallowed_methods, reason = "nothing else is done meanwhile")]
fn wait(span: Duration) {
    thread::sleep(span);
}
