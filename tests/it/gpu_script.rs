//! The script that proves cleanup on a real GPU, on stand-ins for one: that it
//! can be trusted on the day when there is a GPU.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::machine::{Device, Fault, Machine};

#[expect(clippy::print_stdout, reason = "a test that cannot be run says so")]
/// Runs the script once for each situation; `None` where there is no Python.
fn script(results: &Path, machine: &Machine) -> Option<Output> {
    if !Command::new("python3").arg("--version").output().is_ok_and(|python| python.status.success()) {
        println!("SKIPPED: there is no `python3`");
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join("tests/gpu/run");
    let mut command = Command::new(script);
    command.arg(results).args(["--times", "1"]).env("REPRIEVE", env!("CARGO_BIN_EXE_reprieve"));
    Some(command.envs(machine.env()).output().expect("the script is there"))
}

fn results() -> (TempDir, std::path::PathBuf) {
    let dir = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let path = dir.path().join("RESULTS.md");
    (dir, path)
}

#[test]
fn every_situation_is_met_and_its_row_written() {
    let machine = Machine::new([Device { release_ms: 100, ..Device::new("GPU-0") }]);
    let (_dir, results) = results();
    let Some(ran) = script(&results, &machine) else { return };
    let text = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{text}{}", String::from_utf8_lossy(&ran.stderr));
    let table = std::fs::read_to_string(&results).expect("it is written");
    assert_eq!(table.lines().filter(|line| line.starts_with("| ")).count(), 7, "{table}");
    assert!(table.contains("| leaves an orphan that holds 80 % | 1 | ok | 0 |"), "{table}");
    assert!(table.contains("Every aim was met."), "{table}");
}

#[test]
fn a_device_that_does_not_come_clean_is_an_aim_that_was_missed() {
    let machine = Machine::new([Device::new("GPU-0")]);
    // The driver asks for a reset from the first reading after an orphan on.
    machine.fault(Fault {
        function: "nvmlDeviceGetTemperature".into(),
        code: Some(15),
        from_call: 1,
        ..Fault::default()
    });
    let (_dir, results) = results();
    let Some(ran) = script(&results, &machine) else { return };
    assert_eq!(ran.status.code(), Some(1));
    let table = std::fs::read_to_string(&results).expect("it is written");
    assert!(table.contains("Missed:"), "{table}");
}

#[test]
fn a_machine_without_a_gpu_is_skipped_in_so_many_words() {
    let machine = Machine::new([]);
    let (_dir, results) = results();
    let Some(ran) = script(&results, &machine) else { return };
    let text = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && text.starts_with("SKIPPED: "), "{text}");
    assert!(!results.exists(), "no table of nothing");
}
