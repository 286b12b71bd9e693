//! Devices are leased to one experiment at a time, and to as many experiments as there are devices for.

use insta::assert_snapshot;
use reprieve::event::Event;

use crate::support::Place;

#[test]
fn no_device_is_ever_held_twice() {
    // `mkdir` fails where another experiment is on the device.
    let place = Place::of(
        r#"
        name = "s"
        slots = 2
        order = "shuffled"
        [defaults]
        [defaults.measure]
        shell = '''
        held=
        for device in $(echo "$CUDA_VISIBLE_DEVICES" | tr , ' '); do
            mkdir "on-$device" || exit 1
            held="$held on-$device"
        done
        echo "$CUDA_VISIBLE_DEVICES" >> leases
        sleep 0.03
        rmdir $held
        '''
        [[experiments]]
        name = "one"
        repeats = 8
        [[experiments]]
        name = "both"
        devices = 2
        repeats = 3
        "#,
    );
    let ran = place.run();
    assert_eq!(ran.code, 0, "{ran}");
    let leases = place.lines("leases");
    assert_eq!(leases.len(), 11);
    assert_eq!(leases.iter().filter(|lease| lease.contains(',')).count(), 3);
    for device in ["0", "1"] {
        assert!(leases.iter().any(|lease| lease == device), "nothing ran on {device} alone");
    }
}

#[test]
fn experiments_run_side_by_side() {
    // Each ends only once the other has begun.
    let place = Place::of(
        r#"
        name = "s"
        slots = 2
        [[experiments]]
        name = "e{n}"
        matrix = { n = [1, 2] }
        timeout = "60s"
        [experiments.measure]
        shell = '''
        touch "up-$REPRIEVE_PARAMETER_N"
        while ! [ -e up-1 -a -e up-2 ]; do sleep 0.02; done
        '''
        "#,
    );
    let ran = place.run();
    assert_eq!(ran.code, 0, "{ran}");
}

#[test]
fn an_experiment_that_waits_for_its_retry_holds_no_device() {
    // The one device must go to `other` while `flaky` waits for what `other` makes.
    let place = Place::of(
        r#"
        name = "s"
        slots = 1
        policy = { settings = { delay_seconds = 0.05 } }
        [[experiments]]
        name = "flaky"
        measure = { shell = '[ -e made ] || exit 75' }
        [[experiments]]
        name = "other"
        measure = { shell = 'touch made' }
        "#,
    );
    assert_eq!(place.run().code, 0);
    let started: Vec<u32> = place
        .events()
        .iter()
        .filter_map(|stamped| match &stamped.event {
            Event::AttemptStarted(started) => Some(started.experiment.0),
            _ => None,
        })
        .collect();
    assert_eq!(started, [0, 1, 0]);
}

#[test]
fn an_experiment_that_needs_several_devices_is_not_overtaken_for_ever() {
    let place = Place::of(
        r#"
        name = "s"
        slots = 2
        defaults = { measure = { shell = 'echo $REPRIEVE_EXPERIMENT $CUDA_VISIBLE_DEVICES >> order; sleep 0.05' } }
        [[experiments]]
        name = "first"
        [[experiments]]
        name = "both"
        devices = 2
        [[experiments]]
        name = "later"
        "#,
    );
    assert_eq!(place.run().code, 0);
    let order = place.lines("order");
    assert_eq!(order[..2], ["first 0", "both 0,1"]);
    assert!(order[2].starts_with("later"));
}

#[test]
fn an_experiment_that_needs_more_devices_than_there_are_is_told_before_anything_starts() {
    let place = Place::of(
        "name = \"s\"\nslots = 2\n[[experiments]]\nname = \"small\"\nmeasure = [\"true\"]\n\
         [[experiments]]\nname = \"big\"\ndevices = 3\nmeasure = [\"true\"]\n",
    );
    assert_snapshot!(place.run(), @r"
    exit code 2
    --- stderr
    error: the experiment needs 3 devices, and the study has 2 slots
     --> HERE/study.toml:8:11
      |
    8 | devices = 3
      |           ^
    ");
    assert!(!place.path("out").exists());
}

/// What two experiments on two slots find in `CUDA_VISIBLE_DEVICES`.
fn seen(head: &str, variable: &str) -> Vec<String> {
    let place = Place::of(&format!(
        "name = \"s\"\nslots = 2\n{head}\n[[experiments]]\nname = \"e\"\nrepeats = 2\n\
         measure = {{ shell = 'echo \"${{CUDA_VISIBLE_DEVICES-unset}}\" > seen-$REPRIEVE_EXPERIMENT; touch up-$REPRIEVE_EXPERIMENT; while ! [ -e up-e#1 -a -e up-e#2 ]; do sleep 0.02; done' }}\n"
    ))
    .env("CUDA_VISIBLE_DEVICES", variable);
    let ran = place.run();
    assert_eq!(ran.code, 0, "{ran}");
    let mut seen = [place.lines("seen-e#1"), place.lines("seen-e#2")].concat();
    seen.sort();
    seen
}

#[test]
fn slots_are_the_devices_that_the_host_was_given_where_there_are_enough() {
    assert_eq!(seen("", "5,GPU-8932f937,7"), ["5", "GPU-8932f937"]);
}

#[test]
fn a_variable_that_names_fewer_devices_than_slots_is_left_as_it_is() {
    assert_eq!(seen("", "3"), ["3", "3"]);
    assert_eq!(seen("", ""), ["", ""]);
    assert_eq!(seen("defaults = { environment = { CUDA_VISIBLE_DEVICES = \"4\" } }", "3"), ["4", "4"]);
}
