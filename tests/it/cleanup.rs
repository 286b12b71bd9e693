//! Devices between experiments, on a machine whose memory real processes hold.

use std::path::Path;
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use reprieve::attempt::FailureClass;
use reprieve::cleanup::StepOutcome;
use reprieve::event::{AttemptEnded, Event};

use crate::guest;
use crate::machine::{Device, Fault, Machine};
use crate::support::Place;

/// Holds 65 GiB of the first device in a session of its own, whatever becomes of its parent.
const ORPHAN: &str = "setsid sh -c 'echo 70000000000 > \"$STAND_IN_MACHINE/holders/GPU-0/$$\"; exec sleep 600' & \
                      while ! ls $STAND_IN_MACHINE/holders/GPU-0/ | grep -q .; do sleep 0.02; done";

fn study(experiments: &str) -> Place {
    Place::of(&format!(
        "name = \"s\"\n[policy.settings]\nmemory_timeout_seconds = 1\nmax_retries = 0\n\
         [defaults]\ngrace = \"300ms\"\n{experiments}"
    ))
}

fn experiment(name: &str, shell: &str) -> String {
    format!("[[experiments]]\nname = \"{name}\"\nmeasure = {{ shell = '''{shell}''' }}\n")
}

fn text(path: &Path) -> String {
    path.to_str().expect("it is UTF-8").to_owned()
}

fn ended(place: &Place) -> Vec<AttemptEnded> {
    let ended = |event| if let Event::AttemptEnded(ended) = event { Some(ended) } else { None };
    place.events().into_iter().filter_map(|stamped| ended(stamped.event)).collect()
}

/// The name of each step, and how it went.
fn steps(ended: &AttemptEnded) -> Vec<(&'static str, StepOutcome)> {
    let cleanup = ended.cleanup.as_ref().expect("its supervisor cleaned up");
    cleanup.steps.iter().map(|report| (report.step.action.name(), report.outcome.clone())).collect()
}

#[test]
fn an_orphan_that_holds_memory_is_ended_and_the_next_experiment_waits_for_its_memory() {
    let machine = Machine::new([Device { release_ms: 400, ..Device::new("GPU-0") }]);
    // What the stand-in still holds for those that have gone, the next one would see.
    let place = study(&(experiment("leaves", ORPHAN) + &experiment("next", "true"))).on(&machine);
    assert_snapshot!(place.run(), @"
    exit code 0
    --- stdout
    study `s`: 2 experiments on NVIDIA Stand-in 80GB, judged by standard 0.1.0
    recorded in out
    TIME  leaves  measure  attempt 1 on NVIDIA Stand-in 80GB GPU-0
    TIME  leaves  measure  ok in SPAN (attempt 1)
                               1 leftover process ended
    TIME  next    measure  attempt 1 on NVIDIA Stand-in 80GB GPU-0
    TIME  next    measure  ok in SPAN (attempt 1)

    complete: 2 succeeded; 0 retries, SPAN
    ");
    let ended = ended(&place);
    let cleanup = ended[0].cleanup.as_ref().expect("its supervisor cleaned up");
    let awaited = cleanup.steps.last().expect("it has steps");
    assert_eq!(
        (awaited.step.action.name(), &awaited.outcome),
        ("await-memory", &StepOutcome::Done(String::new()))
    );
    assert!(awaited.took.as_millis() >= 300, "the memory came back after 400 ms: {awaited:?}");
    assert_eq!(awaited.released_bytes, 70_000_000_000);
    assert_eq!(
        ended[0].attempt.memory[0].peak_bytes - ended[0].attempt.memory[0].baseline_bytes,
        70_000_000_000
    );
    // The second one found nothing to do.
    assert!(steps(&ended[1]).iter().all(|(_, outcome)| !matches!(outcome, StepOutcome::Failed(_))));
}

#[test]
fn a_device_whose_memory_does_not_come_back_gets_no_further_experiment_and_the_rest_go_on() {
    let machine = Machine::new([Device::new("GPU-0"), Device::new("GPU-1")]);
    let mut stranger = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().expect("it starts");
    let hold = format!(
        "case $CUDA_VISIBLE_DEVICES in GPU-0) echo 70000000000 > $STAND_IN_MACHINE/holders/GPU-0/{};; esac; sleep 0.3",
        stranger.id()
    );
    let place = study(&(1..=4).map(|n| experiment(&format!("e{n}"), &hold)).collect::<String>()).on(&machine);
    let ran = place.run();
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.stdout.contains("quarantined GPU-0: 65.2 GiB in use, 65.2 GiB above its baseline"), "{ran}");
    assert!(ran.stdout.contains(&format!("pid {} (sleep)", stranger.id())), "{ran}");
    assert!(ran.stdout.contains("to do: end what holds the memory"), "{ran}");
    let on_sick = ended(&place).iter().filter(|ended| ended.devices[0].quarantine.is_some()).count();
    assert_eq!(on_sick, 1, "{ran}");
    // It was another's, so it lives.
    assert!(stranger.try_wait().expect("it is ours to ask").is_none());
    stranger.kill().expect("it runs");
    stranger.wait().expect("it was killed");
}

#[test]
fn a_study_whose_last_device_is_sick_stops_and_goes_on_once_it_is_well() {
    let machine = Machine::new([Device::new("GPU-0")]);
    let mut stranger = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().expect("it starts");
    let hold = format!("echo 70000000000 > $STAND_IN_MACHINE/holders/GPU-0/{}", stranger.id());
    let place = study(&(experiment("e1", &hold) + &experiment("e2", "true"))).on(&machine);
    let ran = place.run();
    assert_eq!(ran.code, 75, "{ran}");
    assert!(ran.stdout.contains("because  1 experiment waits for devices. GPU-0 is quarantined"), "{ran}");
    // Nothing has changed: a resume finds it as it was, and starts nothing.
    let again = place.resume();
    assert_eq!(again.code, 75, "{again}");
    assert_eq!(ended(&place).len(), 1, "{again}");
    stranger.kill().expect("it runs");
    stranger.wait().expect("it was killed");
    let well = place.resume();
    assert_eq!(well.code, 0, "{well}");
    assert_eq!(ended(&place).len(), 2, "{well}");
}

#[test]
fn an_unclean_device_is_used_where_the_study_says_so() {
    let machine = Machine::new([Device::new("GPU-0")]);
    let mut stranger = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().expect("it starts");
    let hold = format!("echo 70000000000 > $STAND_IN_MACHINE/holders/GPU-0/{}", stranger.id());
    let place = study(&format!(
        "[cleanup]\nunclean = \"use\"\n{}{}",
        experiment("e1", &hold),
        experiment("e2", "true")
    ))
    .on(&machine);
    let ran = place.run();
    stranger.kill().expect("it runs");
    stranger.wait().expect("it was killed");
    assert_eq!(ran.code, 0, "{ran}");
    // It is told all the same.
    assert!(ran.stdout.contains("cleanup: await-memory failed after"), "{ran}");
}

#[test]
fn a_fault_that_the_driver_tells_of_is_the_failure_and_quarantines_its_device() {
    let machine = Machine::new([Device::new("GPU-0")]);
    let fall = "echo 79 >> $STAND_IN_MACHINE/xids/GPU-0; echo 'ValueError: no' >&2; sleep 0.5; exit 1";
    let place = study(&(experiment("e1", fall) + &experiment("e2", "true"))).on(&machine);
    let ran = place.run();
    assert_eq!(ran.code, 75, "{ran}");
    let ended = ended(&place);
    let failure = ended[0].attempt.failure.as_ref().expect("it failed");
    assert_eq!((failure.class, &*failure.evidence), (FailureClass::DeviceHardware, "Xid 79 on device 0"));
    assert!(ran.stdout.contains("quarantined GPU-0: the driver told of Xid 79"), "{ran}");
    assert!(ran.stdout.contains("to do: restart the machine"), "{ran}");
}

#[test]
fn a_device_that_asks_for_a_reset_gets_no_first_experiment() {
    let machine = Machine::new([Device::new("GPU-0"), Device::new("GPU-1")]);
    machine.device("GPU-0", |device| {
        device.fields.insert(230, 1);
    });
    let place =
        study(&(1..=3).map(|n| experiment(&format!("e{n}"), "true")).collect::<String>()).on(&machine);
    let ran = place.run();
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.stdout.contains("quarantined GPU-0: the driver says that it needs a reset"), "{ran}");
    let devices = place.events().into_iter().filter_map(|stamped| match stamped.event {
        Event::AttemptStarted(started) => Some(started.devices),
        _ => None,
    });
    assert!(devices.flatten().all(|device| device == 1), "{ran}");
}

#[test]
fn a_device_that_is_lost_after_an_attempt_is_quarantined_whatever_the_attempt_was() {
    let machine = Machine::new([Device::new("GPU-0")]);
    machine.fault(Fault {
        function: "*".to_owned(),
        device: Some("GPU-0".to_owned()),
        when_file: Some("lost".to_owned()),
        code: Some(15),
        ..Fault::default()
    });
    let place =
        study(&(experiment("e1", "touch $STAND_IN_MACHINE/lost") + &experiment("e2", "true"))).on(&machine);
    let ran = place.run();
    assert_eq!(ran.code, 75, "{ran}");
    // The first failure is the story: the measurement was one.
    assert_eq!(ended(&place)[0].attempt.failure, None);
    assert!(ran.stdout.contains("quarantined GPU-0: it cannot be read: the device is lost"), "{ran}");
}

/// An experiment that maps a file for longer than a moment is seen to use it;
/// another program's file of the same kind looks the same in every other way.
#[test]
fn what_an_attempt_left_in_shared_memory_is_removed_and_what_others_left_is_not() {
    let name = |what: &str| format!("/dev/shm/psm_reprieve_{what}_{}", std::process::id());
    let place = study(&experiment(
        "e",
        &format!("touch up; exec 8> {}; (exec 9> {}; exec sleep 600) & sleep 1", name("left"), name("held")),
    ));
    let host = place.start_run();
    place.wait_for("up");
    std::fs::write(name("others"), "").expect("it can be written");
    let ran = host.wait();
    assert_eq!(ran.code, 0, "{ran}");
    let is_there = |what: &str| std::path::Path::new(&name(what)).exists();
    let steps = steps(&ended(&place)[0]);
    let there = ["left", "held", "others"].map(is_there);
    for what in ["left", "held", "others"] {
        let _ = std::fs::remove_file(name(what));
    }
    assert!(there[2], "another's file is gone: {steps:?}");
    // In a container that shares `/dev/shm` with processes it cannot see, nothing is removed.
    match &steps[1].1 {
        StepOutcome::Skipped(why) if why.contains("cannot be seen") => {}
        outcome => assert_eq!(there, [false, false, true], "{outcome:?}"),
    }
}

/// A study whose plans, before and after each attempt, are to run this hook.
fn with_hook(hook: &str) -> Place {
    let place = Place::of(&format!(
        "name = \"s\"\nslots = 1\n[cleanup]\npolicy = {{ use = \"./hooker.wasm\" }}\nhooks.clocks = {hook}\n{}",
        experiment("e", "echo measure >> told")
    ));
    place.write("hooker.wasm", guest::component(include_str!("../policy/guests/hooker.wat"), "planner"));
    place
}

#[test]
fn a_hook_is_run_where_a_plan_says_so_and_knows_its_experiment() {
    let place = with_hook("{ command = [\"sh\", \"-c\", \"echo hook of $REPRIEVE_EXPERIMENT >> told\"] }");
    let ran = place.run();
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(place.lines("told"), ["hook of e", "measure", "hook of e"]);
    let done = ("run-hook", StepOutcome::Done(String::new()));
    assert!(steps(&ended(&place)[0]).starts_with(&[done.clone(), done]), "{ran}");
}

#[test]
fn a_hook_that_fails_or_hangs_costs_its_step_and_nothing_else() {
    let failed = |hook| {
        let place = with_hook(hook);
        let ran = place.run();
        assert_eq!((ran.code, place.lines("told")), (0, vec!["measure".to_owned()]), "{ran}");
        match steps(&ended(&place)[0]).swap_remove(1) {
            ("run-hook", StepOutcome::Failed(why)) => why,
            step => panic!("{step:?}"),
        }
    };
    assert_eq!(failed("{ command = [\"sh\", \"-c\", \"exit 3\"] }"), "`clocks` ended with exit code 3");
    let hangs = failed("{ command = [\"sleep\", \"600\"], timeout = \"100ms\" }");
    assert_eq!(hangs, "`clocks` took longer than 100ms and was ended");
    assert!(failed("{ command = [\"not-there\"] }").contains("not found in PATH"));
}

/// What a plan runs before it ends leftovers is no leftover, and ends none.
#[test]
fn a_hook_that_hangs_takes_no_grace_from_what_was_left_and_a_limit_none_from_a_hook() {
    let study = |hook: &str, keys: &str, shell: &str| {
        let place = Place::of(&format!(
            "name = \"s\"\nslots = 1\n[policy.settings]\nmax_retries = 0\nretry_once = []\n[cleanup]\n\
             policy = {{ use = \"./hooker.wasm\" }}\nhooks.clocks = {hook}\n[[experiments]]\nname = \"e\"\n{keys}\n\
             measure = {{ shell = '''{shell}''' }}\n"
        ));
        place.write("hooker.wasm", guest::component(include_str!("../policy/guests/hooker.wat"), "planner"));
        let ran = place.run();
        (ran, place)
    };
    let polite = "setsid sh -c 'trap \"echo polite >> told; exit\" TERM; touch up; while :; do sleep 0.02; done' &\n\
                  while ! [ -e up ]; do sleep 0.02; done";
    let hangs = "{ command = [\"sh\", \"-c\", \"[ -e up ] || exit 0; sleep 600; :\"], timeout = \"200ms\" }";
    let (ran, place) = study(hangs, "grace = \"60s\"", polite);
    assert_eq!((ran.code, place.lines("told")), (0, vec!["polite".to_owned()]), "{ran}");
    assert!(matches!(steps(&ended(&place)[0])[1].1, StepOutcome::Failed(_)), "{ran}");
    // One that was ended at its time limit, with what it had started still to be ended.
    let works = "{ command = [\"sh\", \"-c\", \"sleep 0.3; echo hook >> told\"] }";
    let stubborn = "setsid sh -c 'trap \"\" TERM; while :; do sleep 0.02; done' & sleep 600";
    let (ran, place) = study(works, "timeout = \"200ms\"\ngrace = \"100ms\"", stubborn);
    assert_eq!((ran.code, place.lines("told").len()), (100, 2), "{ran}");
    let done = ("run-hook", StepOutcome::Done(String::new()));
    assert_eq!(steps(&ended(&place)[0]), [done.clone(), done], "{ran}");
}

#[test]
fn a_hook_without_a_command_is_refused_before_anything_starts() {
    let place = Place::of(
        "name = \"s\"\n[cleanup.hooks.clocks]\ncommand = []\n[[experiments]]\nname = \"e\"\nmeasure = [\"true\"]\n",
    );
    let ran = place.run();
    assert_eq!(ran.code, 2, "{ran}");
    assert!(ran.stderr.contains("the hook `clocks` has no `command`"), "{ran}");
}

#[test]
fn a_policy_moves_an_experiment_to_another_device() {
    let machine = Machine::new([Device::new("GPU-0"), Device::new("GPU-1")]);
    let place = Place::of(&format!(
        "name = \"s\"\nlimits = {{ max_attempts = 3 }}\npolicy = {{ use = \"./mover.wasm\" }}\n{}",
        experiment("e", "echo $CUDA_VISIBLE_DEVICES >> on; exit 1")
    ))
    .on(&machine);
    place.write("mover.wasm", guest::component(include_str!("../policy/guests/mover.wat"), "guest"));
    let ran = place.run();
    assert_eq!(ran.code, 100, "{ran}");
    assert_eq!(place.lines("on"), ["GPU-0", "GPU-1", "GPU-0"], "{ran}");
}

#[test]
fn a_device_is_one_study_s_at_a_time() {
    let machine = Machine::new([Device::new("GPU-0")]);
    let first = study(&experiment("long", "touch up; while ! [ -e done ]; do sleep 0.02; done")).on(&machine);
    let running = first.start_run();
    first.wait_for("up");
    let second = study(&experiment("e", "true")).on(&machine).env("REPRIEVE_LOCKS", &text(&first.path("")));
    let refused = second.run();
    assert_eq!(refused.code, 75, "{refused}");
    assert!(refused.stderr.contains("`GPU-0` is another study's: study `s` of process "), "{refused}");
    assert!(refused.stderr.contains("hint: `--wait` waits for it"), "{refused}");
    assert!(!second.path("out").exists(), "{refused}");
    let waiting = second.start(&["run", "study.toml", "--dir", "out", "--wait"]);
    waiting.warns("waiting for");
    first.write("done", "");
    assert_eq!(running.wait().code, 0);
    let waited = waiting.wait();
    assert_eq!(waited.code, 0, "{waited}");
}

#[test]
fn a_killed_host_s_devices_are_free_once_its_supervisors_have_gone() {
    let machine = Machine::new([Device::new("GPU-0")]);
    let first = study(&experiment("long", "touch up; while ! [ -e done ]; do sleep 0.02; done; touch over"))
        .on(&machine);
    let running = first.start_run();
    first.wait_for("up");
    running.kill();
    // The second study begins at once, and its attempt waits for the first one's, which nobody disturbs.
    let over = first.path("over");
    let second = study(&experiment("e", &format!("ls {}", over.display())))
        .on(&machine)
        .env("REPRIEVE_LOCKS", &text(&first.path("")));
    let beginning = second.start_run();
    beginning.says("attempt 1 on");
    first.write("done", "");
    let ran = beginning.wait();
    assert_eq!(ran.code, 0, "{ran}");
}

#[test]
fn a_study_names_its_nvml_and_how_often_devices_are_sampled() {
    let machine = Machine::new([Device::new("GPU-0")]);
    let nvml = machine.nvml();
    let place = Place::of(&format!(
        "name = \"s\"\nnvml = {{ library = \"{}\", sample_every = \"50ms\" }}\n{}",
        nvml.display(),
        experiment("e", "sleep 0.5")
    ))
    .env("STAND_IN_MACHINE", &text(&machine.path("")));
    let ran = place.run();
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.stdout.contains("on NVIDIA Stand-in 80GB"), "{ran}");
    let samples = ended(&place)[0].samples.clone().expect("its devices were sampled");
    assert!(samples.devices[0].taken >= 5, "half a second is ten times 50 ms: {samples:?}");
}

#[test]
fn a_planner_that_fails_is_told_and_the_standard_plan_stands_in() {
    let machine = Machine::new([Device::new("GPU-0")]);
    let place = Place::of(&format!(
        "name = \"s\"\ncleanup = {{ policy = {{ use = \"./traps.wasm\" }} }}\n{}",
        experiment("leaves", ORPHAN)
    ))
    .on(&machine);
    let traps = "(module (func (export \"reprieve:policy/cleanup-policy@0.1.0#plan\") (param i32) (result i32) unreachable))";
    place.write("traps.wasm", guest::component(traps, "planner"));
    let ran = place.run();
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.stdout.contains("policy fault in the cleanup's plan"), "{ran}");
    assert!(ran.stdout.contains("the standard plan stands in"), "{ran}");
    let ended = ended(&place);
    let cleanup = ended[0].cleanup.as_ref().expect("its supervisor cleaned up");
    assert_eq!(cleanup.by, "standard");
    assert!(matches!(steps(&ended[0])[0], ("end-leftovers", StepOutcome::Done(_))), "{cleanup:?}");
}

#[test]
fn a_policy_that_plans_nothing_named_for_the_cleanup_is_refused_before_anything_starts() {
    let decides = include_str!("../policy/guests/accept.wat");
    let place = Place::of(
        "name = \"s\"\ncleanup = { policy = { use = \"./decides.wasm\" } }\n[[experiments]]\nname = \"e\"\nmeasure = [\"true\"]\n",
    );
    place.write("decides.wasm", guest::component(decides, "guest"));
    let ran = place.run();
    assert_eq!(ran.code, 2, "{ran}");
    assert!(ran.stderr.contains("plans no cleanup"), "{ran}");
    assert!(!place.path("out").exists());
}
