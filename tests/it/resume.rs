//! Hosts that die, and those that go on after them.

use std::fs;

use insta::assert_snapshot;
use rustix::process::Signal;

use crate::guest;
use crate::support::{Place, glob, until};

/// Four experiments on three slots: `a` and `b` end once `go` is there, `c`
/// fails once before that, `d` ends at once.
const STUDY: &str = r#"
name = "s"
slots = 3
policy = { settings = { max_retries = 20, delay_seconds = 0.5 } }
[[experiments]]
name = "{x}"
matrix = { x = ["a", "b"] }
measure = { shell = 'echo run >> runs-$REPRIEVE_EXPERIMENT; while ! [ -e go ]; do sleep 0.02; done' }
[[experiments]]
name = "d"
measure = { shell = 'echo run >> runs-d' }
[[experiments]]
name = "c"
measure = { shell = 'echo run >> runs-c; [ -e go ] || exit 75' }
"#;

/// One experiment that ends once `go` is there.
const ONE: &str = r#"
name = "s"
slots = 1
[[experiments]]
name = "e"
measure = { shell = 'echo run >> runs; while ! [ -e go ]; do sleep 0.02; done' }
"#;

fn journal(place: &Place) -> std::path::PathBuf {
    place.path("out/journal.jsonl")
}

#[test]
fn an_attempt_that_outlived_its_host_is_not_run_again() {
    let place = Place::of(ONE);
    let host = place.start_run();
    place.wait_for("runs");
    host.kill();
    place.write("go", "");
    until("the record", || !glob(&place.path("out/attempts"), 3, "record.json").is_empty());
    assert_snapshot!(place.resume(), @r"
    exit code 0
    --- stdout
    resuming `s`: 1 experiment on 1 slot, judged by standard 0.1.0
    recorded in out
    TIME  e  measure  attempt 1 on slot 0, begun at TIME, is taken over
    TIME  e  measure  ok in SPAN (attempt 1)

    complete: 1 succeeded; 0 retries, SPAN
    ");
    assert_eq!(place.lines("runs").len(), 1);
}

#[test]
fn an_attempt_that_still_runs_is_taken_over() {
    let place = Place::of(ONE);
    let host = place.start_run();
    place.wait_for("runs");
    host.kill();
    let next = place.start(&["resume", "out"]);
    next.says("resuming");
    place.write("go", "");
    let ran = next.wait();
    assert_eq!((ran.code, place.lines("runs").len()), (0, 1), "{ran}");
}

#[test]
fn an_interrupt_reaches_an_attempt_that_was_taken_over() {
    let place = Place::of(&ONE.replace("slots = 1", "slots = 1\ninterrupt_grace = \"10ms\""));
    let host = place.start_run();
    place.wait_for("runs");
    host.kill();
    let next = place.start(&["resume", "out"]);
    next.says("resuming");
    next.signal(Signal::INT);
    assert_eq!(next.wait().code, 130);
    place.write("go", "");
    assert_eq!((place.resume().code, place.lines("runs").len()), (0, 2));
}

#[test]
fn what_ran_waited_and_ended_when_the_host_died_each_goes_its_way() {
    let place = Place::of(STUDY);
    let host = place.start_run();
    for file in ["runs-a", "runs-b", "runs-d", "runs-c"] {
        place.wait_for(file);
    }
    host.says("retry in");
    until("the end of d", || place.show().stdout.contains("d: succeeded"));
    host.kill();
    place.write("go", "");
    let ran = place.resume();
    assert_eq!(ran.code, 0, "{ran}");
    for (file, runs) in [("runs-a", 1), ("runs-b", 1), ("runs-d", 1)] {
        assert_eq!(place.lines(file).len(), runs, "{file}");
    }
    assert!(place.lines("runs-c").len() >= 2);
    let progress = place.show().stdout;
    assert!(progress.contains("complete: 4 succeeded, 0 failed, 0 not done"), "{progress}");
}

#[test]
fn a_host_that_dies_again_and_again_loses_nothing() {
    let place = Place::of(
        "name = \"s\"\nslots = 2\n[[experiments]]\nname = \"e\"\nrepeats = 12\n\
         measure = { shell = 'echo run >> \"runs-$REPRIEVE_EXPERIMENT\"; sleep 0.05' }\n",
    );
    let host = place.start_run();
    place.wait_for("out/journal.jsonl");
    place.wait_for("runs-e#1");
    host.kill();
    for done in [3, 6, 9] {
        let mut host = place.start(&["resume", "out"]);
        until("some experiments", || {
            place.path(&format!("runs-e#{done}")).exists() || host.ended().is_some()
        });
        host.kill();
    }
    let ran = place.resume();
    assert_eq!(ran.code, 0, "{ran}");
    for n in 1..=12 {
        assert_eq!(place.lines(&format!("runs-e#{n}")).len(), 1, "experiment {n}");
    }
}

#[test]
fn a_study_that_is_complete_is_not_resumed() {
    let place = Place::of("name = \"s\"\nslots = 1\n[[experiments]]\nname = \"e\"\nmeasure = [\"true\"]\n");
    assert_eq!(place.run().code, 0);
    assert_snapshot!(place.resume(), @r"
    exit code 2
    --- stderr
    error: the study in `HERE/out` is complete, and no experiment of it failed
    hint: `reprieve show HERE/out` tells what happened
    ");
}

#[test]
fn two_hosts_never_run_one_study() {
    let place = Place::of(ONE);
    let host = place.start_run();
    place.wait_for("runs");
    let refused = place.resume();
    assert_snapshot!(refused, @r"
    exit code 74
    --- stderr
    error: another host runs the study in `HERE/out`
    hint: wait for it, or end it first
    ");
    let pid = format!(", PID {},", host.pid());
    assert!(refused.stderr.contains(&pid) || !refused.stderr.contains("PID"), "not {pid}: {refused}");
    assert_snapshot!(place.run(), @r"
    exit code 2
    --- stderr
    error: `HERE/out` holds a study already
    hint: `reprieve resume HERE/out` goes on with it; a new one needs another `--dir`
    ");
    place.write("go", "");
    assert_eq!((host.wait().code, place.lines("runs").len()), (0, 1));
}

#[test]
fn a_line_that_a_crash_tore_is_passed_over_and_cut() {
    let place = Place::of(ONE);
    let host = place.start_run();
    host.says("attempt 1");
    place.wait_for("runs");
    host.kill();
    let whole = fs::read(journal(&place)).expect("a journal");
    let torn = [&whole[..], b"{\"crc32c\":\"0011"].concat();
    fs::write(journal(&place), torn).expect("the journal can be written");
    assert_snapshot!(place.show(), @r"
    exit code 0
    --- stdout
    study `s` (s-ID): 1 experiment

    e: running
      measure 1 at TIME: running for SPAN on slot 0
        output: out/attempts/0000-e/measure-1

    not ended: 0 succeeded, 0 failed, 1 not done, 0 retried
    no host is at work on it
    hint: `reprieve resume out` goes on
    the journal's last line is torn: 15 bytes were passed over
    ");
    place.write("go", "");
    assert_eq!((place.resume().code, place.lines("runs").len()), (0, 1));
    assert!(!place.show().stdout.contains("torn"));
}

#[test]
fn a_start_that_the_journal_lost_is_found_by_its_files() {
    let place = Place::of(ONE);
    let host = place.start_run();
    place.wait_for("runs");
    host.says("attempt 1");
    host.kill();
    // The line of the attempt's start is torn: the crash came between both.
    let whole = fs::read(journal(&place)).expect("a journal");
    fs::write(journal(&place), &whole[..whole.len() - 9]).expect("the journal can be written");
    place.write("go", "");
    let ran = place.resume();
    assert_eq!((ran.code, place.lines("runs").len()), (0, 1), "{ran}");
}

#[test]
fn a_journal_that_is_damaged_before_its_end_is_refused_with_the_place() {
    let place = Place::of("name = \"s\"\nslots = 1\n[[experiments]]\nname = \"e\"\nmeasure = [\"true\"]\n");
    assert_eq!(place.run().code, 0);
    let mut bytes = fs::read(journal(&place)).expect("a journal");
    let second = bytes.iter().position(|byte| *byte == b'\n').expect("a first line") + 1;
    bytes[second + 40] ^= 1;
    fs::write(journal(&place), bytes).expect("the journal can be written");
    for ran in [place.show(), place.resume()] {
        let place = format!("is damaged at byte {second}: checksum");
        assert!(ran.code == 74 && ran.stderr.contains(&place), "{ran}");
    }
}

#[test]
fn a_journal_of_a_later_host_is_refused() {
    let place = Place::new();
    fs::create_dir(place.path("out")).expect("a directory");
    let rest = "\"journal_version\":2,\"host_version\":\"9.0.0\"}";
    let sum = crc32c::crc32c(rest.as_bytes());
    place.write("out/journal.jsonl", format!("{{\"crc32c\":\"{sum:08x}\",{rest}\n"));
    assert_snapshot!(place.resume(), @r"
    exit code 74
    --- stderr
    error: the journal `HERE/out/journal.jsonl` has format 2, and this host reads up to 1
    hint: use reprieve `9.0.0` or later
    ");
    assert_eq!(place.show().code, 74);
}

#[test]
fn a_directory_that_holds_no_study_is_told_so() {
    let place = Place::new();
    fs::create_dir(place.path("out")).expect("a directory");
    assert_snapshot!(place.resume(), @r"
    exit code 74
    --- stderr
    error: cannot read the journal `HERE/out/journal.jsonl`: No such file or directory (os error 2)
    hint: is `HERE/out` the directory of a study?
    ");
    assert_snapshot!(place.show(), @r"
    exit code 74
    --- stderr
    error: cannot read the journal `out/journal.jsonl`: No such file or directory (os error 2)
    hint: is `out` the directory of a study?
    ");
    assert_snapshot!(place.reprieve(&["resume", "nowhere"]), @r"
    exit code 74
    --- stderr
    error: cannot read the journal `nowhere/journal.jsonl`: No such file or directory (os error 2)
    hint: is `nowhere` the directory of a study?
    ");
    place.write("out/journal.jsonl", "");
    assert_snapshot!(place.show(), @r"
    exit code 74
    --- stderr
    error: the journal `out/journal.jsonl` is empty: nothing was started
    hint: run the study afresh
    ");
}

#[test]
fn show_tells_what_runs_now_and_what_ended_unseen() {
    let place = Place::of(ONE);
    let host = place.start_run();
    host.says("attempt 1");
    assert_snapshot!(place.show(), @r"
    exit code 0
    --- stdout
    study `s` (s-ID): 1 experiment

    e: running
      measure 1 at TIME: running for SPAN on slot 0
        output: out/attempts/0000-e/measure-1

    not ended: 0 succeeded, 0 failed, 1 not done, 0 retried
    a host is at work on it
    ");
    place.wait_for("runs");
    host.kill();
    place.write("go", "");
    until("the record", || !glob(&place.path("out/attempts"), 3, "record.json").is_empty());
    until("the supervisor's end", || !place.show().stdout.contains("running for"));
    assert_snapshot!(place.show(), @r"
    exit code 0
    --- stdout
    study `s` (s-ID): 1 experiment

    e: not done
      measure 1 at TIME: no longer running; `reprieve resume` takes in how it ended
        output: out/attempts/0000-e/measure-1

    not ended: 0 succeeded, 0 failed, 1 not done, 0 retried
    no host is at work on it
    hint: `reprieve resume out` goes on
    ");
}

#[test]
fn failed_experiments_run_again_where_a_person_asks_for_it() {
    let place = Place::of(
        r#"
        name = "s"
        slots = 1
        limits = { max_attempts = 2 }
        policy = { settings = { delay_seconds = 0.01 } }
        [[experiments]]
        name = "good"
        measure = { shell = 'echo run >> good' }
        [[experiments]]
        name = "bad"
        prepare = { shell = 'echo run >> prepared' }
        measure = { shell = 'echo run >> bad; [ $(wc -l < bad) -ge 4 ] || exit 75' }
        [[experiments]]
        name = "worse"
        measure = { shell = 'echo "ModuleNotFoundError: no" >&2; exit 1' }
        "#,
    );
    assert_eq!((place.run().code, place.lines("bad").len()), (100, 2));
    assert_snapshot!(place.resume(), @r"
    exit code 2
    --- stderr
    error: the study in `HERE/out` is complete
    hint: `reprieve show HERE/out` tells what happened; `reprieve resume HERE/out --failed` runs again what failed
    ");
    // Numbers go on, so that no attempt's files are another's; limits count afresh.
    assert_snapshot!(place.reprieve(&["resume", "out", "--failed"]), @r"
    exit code 100
    --- stdout
    resuming `s`: 3 experiments on 1 slot, judged by standard 0.1.0
    recorded in out
    2 experiments that had failed will run again
    TIME  bad    prepare  attempt 2 on slot 0
    TIME  bad    prepare  ok in SPAN (attempt 2)
    TIME  bad    measure  attempt 3 on slot 0
    TIME  bad    measure  failed: exit code 75 after SPAN (attempt 3)
                              unknown: exit code 75: the program says that the failure will pass
    TIME  bad    measure  retry in 10 ms at TIME (standard): the experiment called its unknown failure worth retrying: exit code 75 (EX_TEMPFAIL); retry 1 of 3
    TIME  worse  measure  attempt 2 on slot 0
    TIME  worse  measure  failed: exit code 1 after SPAN (attempt 2)
                              configuration: ModuleNotFoundError: no
    TIME  worse  measure  given up (standard): configuration failures do not pass by themselves
    TIME  bad    measure  attempt 4 on slot 0
    TIME  bad    measure  ok in SPAN (attempt 4)

    complete: 2 succeeded, 1 failed; 2 retries, SPAN
      failed  worse  measure: configuration: ModuleNotFoundError: no
    hint: `reprieve show out` tells every attempt and where its output is
    ");
    assert_eq!(
        [place.lines("good").len(), place.lines("prepared").len(), place.lines("bad").len()],
        [1, 2, 4]
    );
    assert!(place.show().stdout.contains("complete: 2 succeeded, 1 failed, 0 not done, 2 retried"));
}

#[test]
fn the_summary_names_failures_from_before_a_resume_too() {
    let place = Place::of(
        r#"
        name = "s"
        slots = 1
        policy = { settings = { stop_after_failures_in_a_row = 1 } }
        [[experiments]]
        name = "e{n}"
        matrix = { n = [1, 2] }
        measure = { shell = 'echo "ModuleNotFoundError: no $REPRIEVE_PARAMETER_N" >&2; exit 1' }
        "#,
    );
    assert_eq!(place.run().code, 75);
    let said = place.resume().stdout;
    let failed: Vec<&str> = said.lines().filter(|line| line.starts_with("  failed")).collect();
    let line = |n| format!("  failed  e{n}  measure: configuration: ModuleNotFoundError: no {n}");
    assert_eq!(failed, [line(1), line(2)]);
}

#[test]
fn a_study_whose_file_has_changed_is_shown_the_change_and_goes_on_only_when_told() {
    let place = Place::of(ONE);
    let host = place.start_run();
    place.wait_for("runs");
    host.kill();
    place.write("go", "");
    place.write("study.toml", ONE.replace("slots = 1", "slots = 2"));
    assert_snapshot!(place.resume(), @r#"
    exit code 2
    --- stderr
    error: `HERE/study.toml` has changed since the study was started:
    --- as started
    +++ now
    @@ -1,6 +1,6 @@
     
     name = "s"
    -slots = 1
    +slots = 2
     [[experiments]]
     name = "e"
     measure = { shell = 'echo run >> runs; while ! [ -e go ]; do sleep 0.02; done' }
    hint: `reprieve resume HERE/out --as-started` goes on by the study as it was; a changed one is run anew with `reprieve run`
    "#);
    assert_eq!(place.reprieve(&["resume", "out", "--as-started"]).code, 0);
    assert_eq!(place.lines("runs").len(), 1);
}

#[test]
fn a_study_whose_file_is_gone_goes_on() {
    let place = Place::of(ONE);
    let host = place.start_run();
    place.wait_for("runs");
    host.kill();
    place.write("go", "");
    fs::remove_file(place.path("study.toml")).expect("it was there");
    assert_eq!(place.resume().code, 0);
}

/// The journal as if the wall clock had stood in the year 2100 when a decision was made.
fn decided_in_2100(journal: &str) -> String {
    let later = |line: &str| {
        let (_, body) = line.split_once("\",").expect("a checksum comes first");
        let at = body.find("\"at\":\"").expect("every event has its time") + "\"at\":\"".len();
        let body = format!("{}2100{}", &body[..at], &body[at + 4..]);
        format!("{{\"crc32c\":\"{:08x}\",{body}", crc32c::crc32c(body.as_bytes()))
    };
    let lines = journal
        .lines()
        .map(|line| if line.contains("\"event\":\"decided\"") { later(line) } else { line.to_owned() });
    lines.map(|line| line + "\n").collect()
}

#[test]
fn a_wall_clock_that_was_set_back_makes_no_delay_longer() {
    let place = Place::of(
        "name = \"s\"\nslots = 1\npolicy = { settings = { delay_seconds = 1.0 } }\n[[experiments]]\nname = \"e\"\n\
         measure = { shell = '[ -e tried ] || { touch tried; exit 75; }' }\n",
    );
    let host = place.start_run();
    host.says("retry in");
    host.kill();
    let written = fs::read_to_string(journal(&place)).expect("a journal");
    fs::write(journal(&place), decided_in_2100(&written)).expect("the journal can be written");
    // It would wait for the year 2100, and the test for nothing.
    let ran = place.resume();
    assert_eq!((ran.code, place.attempts().len()), (0, 2), "{ran}");
}

#[test]
fn a_policy_that_was_replaced_meanwhile_is_told() {
    let place = Place::of(
        "name = \"s\"\nslots = 1\npolicy = { use = \"./policy.wasm\" }\n[[experiments]]\nname = \"e\"\n\
         measure = { shell = 'touch up; while ! [ -e go ]; do sleep 0.02; done' }\n",
    );
    place.write("policy.wasm", guest::component(include_str!("../policy/guests/accept.wat"), "guest"));
    let host = place.start_run();
    place.wait_for("up");
    host.kill();
    place.write("policy.wasm", guest::component(include_str!("../policy/guests/counter.wat"), "guest"));
    place.write("go", "");
    let ran = place.resume();
    assert!(ran.stdout.contains("is not what judged this study until now"), "{ran}");
}
