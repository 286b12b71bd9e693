//! Signals to the host: the first drains, the second ends, and resume goes on.

use insta::assert_snapshot;
use reprieve::event::{Event, Stamped};
use rustix::process::Signal;

use crate::support::{Place, runs, unique_seconds};

/// Two experiments, one after the other, each of which ends once `go` is there.
const GATED: &str = r#"
name = "s"
slots = 1
[[experiments]]
name = "e{n}"
matrix = { n = [1, 2] }
[experiments.measure]
shell = '''
echo run >> runs-$REPRIEVE_PARAMETER_N
while ! [ -e go ]; do sleep 0.02; done
'''
"#;

#[test]
fn the_first_interrupt_lets_what_runs_end_and_starts_nothing_new() {
    let place = Place::of(GATED);
    let host = place.start_run();
    place.wait_for("runs-1");
    host.signal(Signal::INT);
    host.says("Ctrl-C");
    place.write("go", "");
    assert_snapshot!(host.wait(), @r"
    exit code 130
    --- stdout
    study `s`: 2 experiments on 1 slot, judged by standard 0.1.0
    recorded in out
    TIME  e1  measure  attempt 1 on slot 0
    Ctrl-C: nothing new starts; 1 attempt may go on for 1 min 00 s, a second one ends it
    TIME  e1  measure  ok in SPAN (attempt 1)

    interrupted by Ctrl-C: 1 succeeded, 1 not done; 0 retries, SPAN
    hint: `reprieve resume out` goes on with the rest
    ");
    assert_snapshot!(place.resume(), @r"
    exit code 0
    --- stdout
    resuming `s`: 2 experiments on 1 slot, judged by standard 0.1.0
    recorded in out
    TIME  e2  measure  attempt 1 on slot 0
    TIME  e2  measure  ok in SPAN (attempt 1)

    complete: 2 succeeded; 0 retries, SPAN
    ");
    assert_eq!((place.lines("runs-1").len(), place.lines("runs-2").len()), (1, 1));
}

#[test]
fn a_second_interrupt_ends_what_runs_at_once() {
    let seconds = unique_seconds();
    let place = Place::of(&format!(
        "name = \"s\"\nslots = 1\n[[experiments]]\nname = \"e\"\ngrace = \"1h\"\n\
         measure = {{ shell = '''\n[ -e up ] && exit 0\n\
         trap '' TERM INT\ntouch up\nsleep {seconds}\n''' }}\n"
    ));
    let host = place.start_run();
    place.wait_for("up");
    host.signal(Signal::INT);
    host.says("Ctrl-C");
    host.signal(Signal::INT);
    assert_snapshot!(host.wait(), @r"
    exit code 130
    --- stdout
    study `s`: 1 experiment on 1 slot, judged by standard 0.1.0
    recorded in out
    TIME  e  measure  attempt 1 on slot 0
    Ctrl-C: nothing new starts; 1 attempt may go on for 1 min 00 s, a second one ends it
    Ctrl-C: ending what runs at once
    TIME  e  measure  interrupted: runs again on resume

    interrupted by Ctrl-C: 0 succeeded, 1 not done; 0 retries, SPAN
    hint: `reprieve resume out` goes on with the rest
    ");
    assert!(!runs(&seconds));
    assert_snapshot!(place.resume(), @r"
    exit code 0
    --- stdout
    resuming `s`: 1 experiment on 1 slot, judged by standard 0.1.0
    recorded in out
    TIME  e  measure  attempt 2 on slot 0
    TIME  e  measure  ok in SPAN (attempt 2)

    complete: 1 succeeded; 0 retries, SPAN
    ");
    let numbers: Vec<u32> = place.attempts().iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, [1, 2]);
}

#[test]
fn a_termination_signal_drains_too_and_says_so_in_the_exit_code() {
    let place = Place::of(GATED);
    let host = place.start_run();
    place.wait_for("runs-1");
    host.signal(Signal::TERM);
    host.says("SIGTERM");
    place.write("go", "");
    assert_eq!(host.wait().code, 143);
    assert_eq!(place.resume().code, 0);
}

#[test]
fn what_runs_on_after_the_grace_is_ended_politely_and_runs_again_on_resume() {
    let place = Place::of(
        r#"
        name = "s"
        slots = 1
        interrupt_grace = "100ms"
        [[experiments]]
        name = "e"
        grace = "1h"
        finish = { shell = 'echo finished >> order' }
        [experiments.measure]
        shell = '''
        echo began >> order
        [ -e go ] && exit 0
        trap 'echo polite >> order; exit 1' TERM
        touch up
        while :; do sleep 0.02; done
        '''
        "#,
    );
    let host = place.start_run();
    place.wait_for("up");
    host.signal(Signal::INT);
    assert_snapshot!(host.wait(), @r"
    exit code 130
    --- stdout
    study `s`: 1 experiment on 1 slot, judged by standard 0.1.0
    recorded in out
    TIME  e  measure  attempt 1 on slot 0
    Ctrl-C: nothing new starts; 1 attempt may go on for 100 ms, a second one ends it
    the grace is over: ending what runs
    TIME  e  measure  interrupted: runs again on resume
    TIME  e  finish   attempt 1 on slot 0
    TIME  e  finish   ok in SPAN (attempt 1)

    interrupted by Ctrl-C: 0 succeeded, 1 not done; 0 retries, SPAN
    hint: `reprieve resume out` goes on with the rest
    ");
    // What was judged is `finish`, which is run once `measure` has started.
    let judged = |stamped: &&Stamped| matches!(stamped.event, Event::Decided(_));
    assert_eq!(place.events().iter().filter(judged).count(), 1);
    place.write("go", "");
    let resumed = place.resume();
    assert_eq!(resumed.code, 0, "{resumed}");
    assert_eq!(place.lines("order"), ["began", "polite", "finished", "began", "finished"]);
}

#[test]
fn an_interrupt_does_not_wait_for_a_retry() {
    let place = Place::of(
        r#"
        name = "s"
        slots = 1
        policy = { settings = { delay_seconds = 1000 } }
        [[experiments]]
        name = "e"
        measure = ["/bin/sh", "-c", "exit 75"]
        "#,
    );
    let host = place.start_run();
    host.says("retry in");
    host.signal(Signal::INT);
    let ran = host.wait();
    assert_eq!(ran.code, 130, "{ran}");
    assert!(place.show().stdout.contains("e: waits for its next attempt"));
}

#[test]
fn a_failure_while_draining_is_retried_only_after_resume() {
    let place = Place::of(
        r#"
        name = "s"
        slots = 1
        policy = { settings = { delay_seconds = 0.01 } }
        [[experiments]]
        name = "e"
        [experiments.measure]
        shell = '''
        echo run >> runs
        [ -e go ] && exit 0
        while ! [ -e go ]; do sleep 0.02; done
        exit 75
        '''
        "#,
    );
    let host = place.start_run();
    place.wait_for("runs");
    host.signal(Signal::INT);
    host.says("Ctrl-C");
    place.write("go", "");
    assert_eq!((host.wait().code, place.lines("runs").len()), (130, 1));
    assert_eq!((place.resume().code, place.lines("runs").len()), (0, 2));
}

#[test]
fn a_hang_up_drains_a_study_unless_nohup_says_otherwise() {
    let study = "name = \"s\"\nslots = 1\n[[experiments]]\nname = \"e\"\nrepeats = 2\n\
                 measure = { shell = 'touch up; while ! [ -e go ]; do sleep 0.02; done' }\n";
    // The tests themselves may run under `nohup`.
    for (under, code) in [(&["env", "--default-signal=HUP"][..], 129), (&["nohup"][..], 0)] {
        let place = Place::of(study);
        let host = place.start_under(under, &["run", "study.toml", "--dir", "out"]);
        place.wait_for("up");
        host.signal(Signal::HUP);
        if code != 0 {
            host.says("nothing new starts");
        }
        place.write("go", "");
        let ran = host.wait();
        assert_eq!(ran.code, code, "{ran}");
    }
}
