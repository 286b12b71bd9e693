//! Supervisors that are killed, and what they leave.

use std::process::{Child, Command};

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

/// The supervisors of all attempts that have begun.
fn supervisors(place: &Place) -> Vec<i32> {
    let locks = glob(&place.path("out/attempts"), 3, "supervisor.lock");
    let pid = |text: String| text.lines().next()?.parse().ok();
    locks.iter().filter_map(|lock| pid(std::fs::read_to_string(lock).ok()?)).collect()
}

fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).expect("a PID"), Signal::KILL).expect("it runs");
}

/// Kills the supervisor of the only attempt that has begun.
fn kill_supervisor(place: &Place) {
    kill(*supervisors(place).first().expect("it has written its PID"));
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

/// A second crash during a recovery changes nothing: what was left does not outlive that one either.
#[test]
fn what_a_supervisor_left_is_ended_though_the_next_one_is_killed_over_it() {
    let seconds = unique_seconds();
    let place = Place::of(&format!(
        "name = \"s\"\nslots = 1\npolicy = {{ settings = {{ delay_seconds = 0.01 }} }}\n\
         [[experiments]]\nname = \"e\"\ngrace = \"1h\"\nmeasure = {{ shell = '''\n\
         [ -e go ] && exit 0\n\
         setsid sh -c 'trap \"[ -e go ] && exit\" TERM; touch left; while :; do sleep 0.02; done' {seconds} &\n\
         sleep 600\n''' }}\n"
    ));
    let host = place.start_run();
    place.wait_for("left");
    let mut killed = supervisors(&place);
    for _ in 0..2 {
        kill(*killed.last().expect("the first one"));
        until("the next supervisor", || supervisors(&place) != killed[killed.len() - 1..]);
        killed.extend(supervisors(&place));
    }
    assert!(runs(&seconds), "it has not heard of its end yet");
    place.write("go", "");
    kill(killed[2]);
    let ran = host.wait();
    assert_eq!((ran.code, runs(&seconds)), (0, false), "{ran}");
}

/// A process of ours that gets this PID; `None` where the kernel does not let
/// itself be told which comes next (`CONFIG_CHECKPOINT_RESTORE`, and root).
fn bystander(pid: i32) -> Option<Child> {
    for _ in 0..200 {
        std::fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).ok()?;
        let mut child = Command::new("sleep").arg("600").spawn().expect("it starts");
        if child.id() == u32::try_from(pid).expect("PIDs are positive") {
            return Some(child);
        }
        child.kill().and_then(|()| child.wait()).expect("it is ours");
    }
    None
}

#[expect(clippy::print_stdout, reason = "the figures are worth knowing")]
#[test]
fn whoever_has_got_the_pid_of_a_dead_supervisor_is_left_alone() {
    let study = "name = \"s\"\nslots = 25\npolicy = { settings = { delay_seconds = 0.01 } }\n\
                 [[experiments]]\nname = \"e\"\nrepeats = 25\n\
                 measure = { shell = '[ -e go ] && exit 0; echo up >> up; sleep 600' }\n";
    let (mut forced, mut harmed) = (0, 0);
    for _ in 0..4 {
        let place = Place::of(study);
        let host = place.start_run();
        until("all of them", || place.lines("up").len() == 25);
        host.kill();
        let dead = supervisors(&place);
        dead.iter().for_each(|pid| kill(*pid));
        let is_free = |pid: &i32| !std::path::Path::new(&format!("/proc/{pid}")).exists();
        until("their PIDs to be free", || dead.iter().all(is_free));
        let mut bystanders: Vec<Child> = dead.iter().filter_map(|pid| bystander(*pid)).collect();
        if bystanders.is_empty() {
            println!("SKIPPED: the next PID cannot be chosen here");
            return;
        }
        place.write("go", "");
        let ran = place.resume();
        assert_eq!(ran.code, 0, "{ran}");
        for child in &mut bystanders {
            forced += 1;
            harmed += u32::from(child.try_wait().expect("it is ours").is_some());
            child.kill().and_then(|()| child.wait()).expect("it is ours");
        }
    }
    println!("{forced} processes with a dead supervisor's PID, {harmed} harmed");
    assert_eq!(harmed, 0);
}
