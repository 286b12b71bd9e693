//! Supervisors that are killed, and what they leave.

use rustix::process::{Pid, Signal, kill_process};

use crate::machine::{Device, Machine};
use crate::support::{Host, Place, glob, runs, unique_seconds, until};

/// One experiment that runs on, with a process in a session of its own, unless `go` is there.
fn study(seconds: &str) -> Place {
    Place::of(&format!(
        "name = \"s\"\nslots = 1\npolicy = {{ settings = {{ delay_seconds = 0.01 }} }}\n\
         [[experiments]]\nname = \"e\"\n\
         measure = {{ shell = 'echo words; echo run >> runs; [ -e go ] || {{ setsid sleep {seconds} & \
         touch left; sleep {seconds}; }}' }}\n"
    ))
}

/// Kills the supervisor of the only attempt that has begun.
fn kill_supervisor(place: &Place) {
    let locks = glob(&place.path("out/attempts"), 3, "supervisor.lock");
    let text = std::fs::read_to_string(locks.first().expect("a supervisor")).expect("it has written its PID");
    let pid = text.lines().next().and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
    kill_process(pid.expect("a PID"), Signal::KILL).expect("it runs");
}

fn begun<'a>(place: &'a Place, seconds: &str) -> Host<'a> {
    let host = place.start_run();
    place.wait_for("left");
    until("both processes", || runs(seconds));
    host
}

#[test]
fn what_a_killed_supervisor_leaves_is_ended_before_the_next_attempt() {
    let seconds = unique_seconds();
    let place = study(&seconds);
    let host = begun(&place, &seconds);
    place.write("go", "");
    kill_supervisor(&place);
    let ran = host.wait();
    assert_eq!((ran.code, place.lines("runs").len()), (0, 2), "{ran}");
    assert!(!runs(&seconds), "what it left still runs");
    let attempts = place.attempts();
    assert_eq!(attempts[0].stdout_tail, "words\n");
    assert!(attempts[0].facts.iter().any(|fact| fact.name == "leftovers-ended"), "{attempts:?}");
    assert!(ran.stdout.contains("lost: its supervisor left no record of its end"), "{ran}");
}

#[test]
fn what_a_host_and_its_supervisor_left_is_ended_by_the_next_host() {
    let seconds = unique_seconds();
    let place = study(&seconds);
    let host = begun(&place, &seconds);
    place.write("go", "");
    host.kill();
    kill_supervisor(&place);
    assert!(runs(&seconds), "nobody is there to end it");
    let ran = place.resume();
    assert_eq!((ran.code, place.lines("runs").len()), (0, 2), "{ran}");
    assert!(!runs(&seconds), "what it left still runs");
}

#[test]
fn a_device_of_a_killed_supervisor_is_clean_for_the_next_attempt() {
    let machine = Machine::new([Device::new("GPU-0")]);
    let place = Place::of(
        "name = \"s\"\npolicy = { settings = { delay_seconds = 0.01 } }\n[[experiments]]\nname = \"e\"\ndevices = 1\n\
         measure = { shell = '[ -e go ] || { echo 70000000000 > $STAND_IN_MACHINE/holders/GPU-0/$$; touch held; sleep 600; }' }\n",
    )
    .on(&machine);
    let host = place.start_run();
    place.wait_for("held");
    place.write("go", "");
    kill_supervisor(&place);
    let ran = host.wait();
    assert!(ran.code == 0 && !ran.stdout.contains("quarantined"), "{ran}");
}

/// What has left its parents and its environment behind is found by its control group alone.
#[expect(clippy::print_stdout, reason = "a test that cannot be run says so")]
#[test]
fn what_hides_from_a_killed_supervisor_is_found_by_its_control_group() {
    if let Err(error) = reprieve::process::can_group() {
        println!("SKIPPED: no control group can be made here: {error}");
        return;
    }
    let seconds = unique_seconds();
    let machine = Machine::new([Device::new("GPU-0")]);
    let place = Place::of(&format!(
        "name = \"s\"\npolicy = {{ settings = {{ delay_seconds = 0.01 }} }}\n[[experiments]]\nname = \"e\"\ndevices = 1\n\
         measure = {{ shell = 'echo run >> runs; [ -e go ] || {{ env -i setsid sleep {seconds} & touch left; sleep 600; }}' }}\n"
    ))
    .on(&machine);
    let host = begun(&place, &seconds);
    place.write("go", "");
    kill_supervisor(&place);
    let ran = host.wait();
    assert_eq!((ran.code, place.lines("runs").len()), (0, 2), "{ran}");
    assert!(!runs(&seconds), "what it left still runs");
}
