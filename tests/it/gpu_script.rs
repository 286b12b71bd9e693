//! The script for machines with a real GPU, `tests/gpu/run`, on stand-ins: that
//! it is ready, sees what it is to see, and fails where an aim is missed.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::machine::{Device, Fault, Machine};
use crate::support::Place;

/// In the order in which they run.
const SITUATIONS: [&str; 6] = [
    "exits clean",
    "is killed",
    "leaves an orphan",
    "wants too much",
    "a neighbour has it",
    "faults on the device",
];

/// What the script came to, with one run of each situation; `None`, with the
/// reason printed, where this machine cannot run it.
#[expect(clippy::print_stdout, reason = "a test that cannot be run says so")]
fn run_on(machine: &Machine, place: &Place) -> Option<Output> {
    if !Command::new("python3").args(["-c", "import os; os.pidfd_open"]).status().is_ok_and(|s| s.success()) {
        println!("SKIPPED: there is no Python of 3.9 or newer");
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/gpu/run");
    let library = |name: &str| machine.path(stand_in_machine::LIBRARIES).join(name);
    let ran = Command::new(script)
        .arg(place.path("results"))
        .env_remove("CUDA_VISIBLE_DEVICES")
        .env("REPRIEVE_BIN", env!("CARGO_BIN_EXE_reprieve"))
        .env("REPRIEVE_LOCKS", place.path(""))
        .env("REPRIEVE_NVML_LIBRARY", library("libnvidia-ml.so.1"))
        .env("REPRIEVE_CUDA_LIBRARY", library("libcuda.so.1"))
        .env("RUNS", "1")
        .output();
    Some(ran.expect("the script starts"))
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("it is UTF-8")
}

#[test]
fn every_situation_ends_with_a_clean_device_and_a_row_of_the_table() {
    let machine = Machine::new([Device { release_ms: 300, ..Device::new("GPU-0") }]);
    let place = Place::new();
    let Some(ran) = run_on(&machine, &place) else { return };
    let (stdout, stderr) = (text(&ran.stdout), text(&ran.stderr));
    assert_eq!(ran.status.code(), Some(0), "{stdout}{stderr}");
    let table = fs::read_to_string(place.path("results/RESULTS.md")).expect("there is a table");
    assert!(stdout.contains(&table), "{stdout}");
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert_eq!(rows.len(), SITUATIONS.len(), "{table}");
    for (row, situation) in rows.iter().zip(SITUATIONS) {
        assert!(row.starts_with(&format!("| {situation} |")), "{table}");
        assert!(row.ends_with("| 0 | 0 | 0 | 0 |"), "{table}");
    }
    let runs: Vec<serde_json::Value> = (place.lines("results/runs.jsonl").iter())
        .map(|line| serde_json::from_str(line).expect("every line is JSON"))
        .collect();
    assert_eq!(runs.len(), SITUATIONS.len());
    // The memory was there to be handed over, and the neighbour was seen.
    assert!(runs.iter().all(|run| run["peak_bytes"].as_u64() > Some(40 << 30)), "{runs:?}");
    assert!(runs.iter().all(|run| run["foreign_seen"] == 1), "{runs:?}");
}

#[test]
fn a_neighbour_whose_memory_was_touched_is_an_aim_missed() {
    let machine = Machine::new([Device::new("GPU-0")]);
    machine.fault(Fault { function: "cuMemcpyDtoH_v2".into(), corrupt: true, ..Fault::default() });
    let place = Place::new();
    let Some(ran) = run_on(&machine, &place) else { return };
    assert_eq!(ran.status.code(), Some(1), "{}", text(&ran.stdout));
    let table = fs::read_to_string(place.path("results/RESULTS.md")).expect("there is a table");
    assert!(table.contains("| 0 | 0 | 1 | 0 |"), "{table}");
}

#[test]
fn without_a_gpu_it_is_skipped_with_the_reason() {
    let place = Place::new();
    let Some(ran) = run_on(&Machine::new([]), &place) else { return };
    let stdout = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(0), "{stdout}{}", text(&ran.stderr));
    assert_eq!(stdout, "SKIPPED: no GPU\n");
    assert!(!place.path("results").exists());
}
