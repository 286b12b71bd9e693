//! How soon the host knows that memory is back, and what waiting and sampling cost.
//!
//! On stand-ins for the driver, which read their machine from a file at every
//! question. It does not say what a real driver's answers cost.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark prints and waits")]

mod common;
#[expect(dead_code, unused_imports, reason = "the tests use the rest")]
#[path = "../../tests/it/machine.rs"]
mod machine;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{Spread, goal, process_cpu};
use machine::{Device, Machine};
use reprieve::clean::Devices;
use reprieve::cleanup::{CleanupAction, Consequence, Step, StepOutcome};
use stand_in_machine::MACHINE_VARIABLE;

const UUID: &str = "GPU-0";
const ROUNDS: u32 = 41;
/// The longest that memory takes to come back; the rounds are spread over it.
const LONGEST: Duration = Duration::from_millis(1500);
/// Over which CPU time is measured.
const SPAN: Duration = Duration::from_secs(10);

fn main() {
    // This program runs itself on the machine, since a library's path is read
    // from the environment.
    match std::env::var_os(MACHINE_VARIABLE) {
        Some(machine) => waiting(Path::new(&machine)),
        None => {
            common::machine();
            let machine = Machine::new([Device::new(UUID)]);
            let own = std::env::current_exe().expect("it runs");
            let ran = Command::new(own).envs(machine.env()).status().expect("it starts again");
            assert!(ran.success(), "the measurement has failed");
            sampling(&machine);
        }
    }
}

/// Waits for memory that comes back at a known moment, and for some that never does.
fn waiting(machine: &Path) {
    let devices = Devices::open(&[]).expect("the stand-in has a device");
    let holder = machine.join("holders").join(UUID).join(std::process::id().to_string());
    let late: Vec<f64> = (1..=ROUNDS)
        .map(|round| {
            hold(&holder);
            let freed = free_after(LONGEST * round / ROUNDS, holder.clone());
            assert_eq!(await_memory(&devices, LONGEST * 10), StepOutcome::Done(String::new()));
            let known = Instant::now();
            known.saturating_duration_since(freed.join().expect("it frees")).as_secs_f64() * 1e3
        })
        .collect();
    let worst = late.iter().copied().fold(0.0, f64::max);
    let late = Spread::of(late);
    println!("memory that came back was known after {late} ms; at most {worst:.1} ms");
    goal("milliseconds in the median", late.median, 10.0);
    hold(&holder);
    let before = process_cpu();
    assert!(matches!(await_memory(&devices, SPAN), StepOutcome::Failed(_)), "nobody gives it back");
    let share = (process_cpu() - before).as_secs_f64() / SPAN.as_secs_f64() * 100.0;
    println!("waiting {} s takes {share:.2} % of one CPU, the stand-in's share included", SPAN.as_secs());
    goal("percent of a CPU", share, 5.0);
}

fn hold(holder: &Path) {
    fs::write(holder, "70000000000").expect("the machine's directory is there");
}

fn free_after(wait: Duration, holder: PathBuf) -> thread::JoinHandle<Instant> {
    thread::spawn(move || {
        thread::sleep(wait);
        fs::remove_file(holder).expect("it was there");
        Instant::now()
    })
}

fn await_memory(devices: &Devices, timeout: Duration) -> StepOutcome {
    let action = CleanupAction::AwaitMemory { tolerance_bytes: 64 << 20, timeout };
    let mut cleanup = devices.clean(vec![Step { action, if_it_fails: Consequence::CarryOn }]);
    cleanup.steps.pop().expect("its one step").outcome
}

/// What a sample costs: the same study, sampled often and hardly ever.
fn sampling(machine: &Machine) {
    let dir = tempfile::tempdir_in(common::target()).expect("a temporary directory");
    let run = |every: &str| {
        let study = dir.path().join(format!("{every}.toml"));
        let text = format!(
            "name = \"s\"\nnvml = {{ sample_every = \"{every}\" }}\n[[experiments]]\nname = \"e\"\n\
             measure = [\"sleep\", \"{}\"]\n",
            SPAN.as_secs()
        );
        fs::write(&study, text).expect("it can be written");
        let before = children_cpu();
        let ran = Command::new(env!("CARGO_BIN_EXE_reprieve"))
            .args(["run", &format!("{every}.toml"), "--dir", every])
            .current_dir(dir.path())
            .envs(machine.env())
            .stdout(Stdio::null())
            .status();
        assert!(ran.expect("it starts").success());
        children_cpu() - before
    };
    let (often, hardly) = (run("10ms"), run("1h"));
    let samples = SPAN.as_secs_f64() / 0.01;
    let each = often.saturating_sub(hardly).as_secs_f64() * 1e3 / samples;
    println!("a sample of a device takes {each:.2} ms of CPU time, the stand-in's share included");
    println!(
        "an attempt of {} s that is hardly sampled: {:.0} ms",
        SPAN.as_secs(),
        hardly.as_secs_f64() * 1e3
    );
    goal("percent of a CPU, at one sample a second", each / 10.0, 0.5);
}

/// The CPU time of children that have ended: fields 16 and 17 of `/proc/self/stat`, in ticks of 10 ms.
fn children_cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux has it");
    let (_, rest) = stat.rsplit_once(')').expect("a name");
    let ticks: u64 = rest
        .split_ascii_whitespace()
        .skip(13)
        .take(2)
        .map(|field| field.parse::<u64>().expect("ticks"))
        .sum();
    Duration::from_millis(ticks * 10)
}
