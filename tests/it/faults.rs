//! Hosts that are killed at every step, and systems that refuse.
//!
//! `strace` injects errors into the real binary; where it is not there, or may
//! not trace, those tests say so.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use reprieve::attempt::Ending;
use reprieve::state::StudyState;
use reprieve::study::Study;

use crate::support::{Host, Place, Ran, until};

/// One that succeeds, one that does so at the second attempt, one that fails,
/// and one with all stages, on two slots.
const STUDY: &str = r#"
name = "s"
slots = 2
policy = { settings = { delay_seconds = 0.03 } }
[[experiments]]
name = "good"
measure = { shell = 'sleep 0.02; echo good >> done' }
[[experiments]]
name = "passing"
measure = { shell = '[ -e tried ] || { touch tried; exit 75; }; echo passing >> done' }
[[experiments]]
name = "bad"
measure = { shell = 'echo bad >> done; echo "ValueError: no" >&2; exit 1' }
[[experiments]]
name = "staged"
prepare = { shell = 'echo prepared >> done' }
measure = { shell = 'echo measured >> done' }
finish = { shell = 'echo finished >> done' }
"#;

const DONE: [&str; 6] = ["bad", "finished", "good", "measured", "passing", "prepared"];

/// Whether the study has come to its end: now, or just before the fault.
fn is_complete(ran: &Ran) -> bool {
    ran.code == 100 || ran.code == 2 && ran.stderr.contains("is complete")
}

/// What holds once the study is complete, whatever happened on the way:
/// nothing was lost, and nothing was done twice.
fn check_complete(place: &Place, ran: &Ran) {
    assert!(is_complete(ran), "{ran}");
    let mut done = place.lines("done");
    done.sort();
    // What fails for no reason that is known is tried once more.
    done.dedup_by(|a, b| a == b && *a == "bad");
    assert_eq!(done, DONE);
    let attempts = place.attempts();
    assert!(attempts.iter().all(|attempt| attempt.ending != Ending::Lost), "{attempts:?}");
    let state = replay(place);
    assert_eq!(
        (state.progress(state.started_at()).succeeded, state.progress(state.started_at()).failed),
        (3, 1)
    );
}

fn replay(place: &Place) -> StudyState {
    let events = place.events();
    let reprieve::event::Event::StudyStarted(started) = &events[0].event else { panic!("no start") };
    let study = Study::parse(&started.source).expect("it was a study");
    let mut state = StudyState::new(std::sync::Arc::new(study), started.devices.clone());
    for event in &events {
        state.apply(event);
    }
    state
}

fn journal_lines(place: &Place) -> usize {
    fs::read(place.path("out/journal.jsonl"))
        .map_or(0, |text| text.iter().filter(|byte| **byte == b'\n').count())
}

/// Kills the host once the journal has this many lines, or tells how it ended before that.
fn kill_at(place: &Place, mut host: Host<'_>, lines: usize) -> Option<Ran> {
    let mut ended = false;
    until("a line or the end", || {
        ended = host.ended().is_some();
        ended || journal_lines(place) >= lines
    });
    match ended {
        true => Some(host.wait()),
        false => {
            host.kill();
            None
        }
    }
}

#[expect(clippy::print_stdout, reason = "the figures are worth knowing")]
#[test]
fn a_host_that_is_killed_at_any_line_of_its_journal_loses_nothing_and_repeats_nothing() {
    let mut kills = 0;
    for first in 1.. {
        let place = Place::of(STUDY);
        let mut end = kill_at(&place, place.start_run(), first);
        let untouched = end.is_some();
        // Every other study, those that go on are killed too, a line further each time.
        let mut lines = first;
        while end.is_none() {
            kills += 1;
            if journal_lines(&place) < 2 {
                // The study had not begun: there is nothing to go on with.
                break;
            }
            lines = if first % 2 == 0 { journal_lines(&place).max(lines) + 1 } else { usize::MAX };
            end = kill_at(&place, place.start(&["resume", "out"]), lines);
        }
        if let Some(ran) = end {
            check_complete(&place, &ran);
        }
        if untouched {
            println!("{kills} kills, {first} studies, 0 lost, 0 repeated");
            assert!(first > 15, "the study has {first} lines only");
            return;
        }
    }
}

/// Eight experiments on three slots, each with its line when it has done its work.
const EIGHT: &str = r#"
name = "s"
slots = 3
policy = { settings = { delay_seconds = 0.02 } }
[[experiments]]
name = "e{n}"
matrix = { n = [1, 2, 3, 4, 5, 6, 7, 8] }
measure = { shell = '[ -e tried-$REPRIEVE_PARAMETER_N ] || { touch tried-$REPRIEVE_PARAMETER_N; exit 75; }; sleep 0.1; echo $REPRIEVE_PARAMETER_N >> done' }
"#;

/// `REPRIEVE_KILLS=N` tries as many as are asked for.
#[expect(clippy::print_stdout, reason = "the figures are worth knowing")]
#[test]
fn hosts_that_are_killed_at_random_lose_nothing_and_repeat_nothing() {
    use rand::{RngExt, SeedableRng};
    let wanted = std::env::var("REPRIEVE_KILLS").map_or(200, |text| text.parse().expect("a number"));
    let mut random = rand::rngs::ChaCha8Rng::seed_from_u64(7);
    let (mut kills, mut studies) = (0_u32, 0_u32);
    while kills < wanted {
        studies += 1;
        let place = Place::of(EIGHT);
        let mut host = place.start_run();
        let ran = loop {
            std::thread::sleep(std::time::Duration::from_millis(random.random_range(0..400)));
            if kills >= wanted || host.ended().is_some() {
                break host.wait();
            }
            host.kill();
            kills += 1;
            // Where the study had not begun, there is nothing to go on with.
            let begun = journal_lines(&place) >= 2;
            host =
                if begun { place.start(&["resume", "out"]) } else { break place.reprieve(&["--version"]) };
        };
        if journal_lines(&place) < 2 {
            continue;
        }
        assert!(ran.code == 0 || ran.code == 2 && ran.stderr.contains("is complete"), "{ran}");
        let mut done = place.lines("done");
        done.sort();
        assert_eq!(done, ["1", "2", "3", "4", "5", "6", "7", "8"]);
        assert!(place.attempts().iter().all(|attempt| attempt.ending != Ending::Lost));
        assert_eq!(replay(&place).progress(jiff::Timestamp::UNIX_EPOCH).succeeded, 8);
    }
    println!("{kills} kills at random, {studies} studies, 0 lost, 0 repeated");
}

/// Whether the command can be traced here.
#[expect(clippy::print_stdout, reason = "a test that cannot be run says so")]
fn can_trace() -> bool {
    let traced = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    let can = traced.is_ok_and(|traced| traced.status.success());
    if !can {
        println!("SKIPPED: `strace` is not here, or may not trace");
    }
    can
}

/// Runs the study with this injected into the nth such call on its journal,
/// for every n until the study ends as if nothing were injected. Each time it
/// must stop with an error of the journal, or be killed, and a resume completes it.
fn inject_at_each(call: &str, what: &str) -> BTreeMap<i32, u32> {
    let mut codes = BTreeMap::new();
    for nth in 1.. {
        let place = Place::of(STUDY);
        let inject = format!("inject={call}:{what}:when={nth}");
        let journal = place.path("out/journal.jsonl");
        let journal = journal.to_str().expect("it is UTF-8");
        let strace = ["strace", "-o", "/dev/null", "-P", journal, "-e", &inject];
        let ran = place.start_under(&strace, &["run", "study.toml", "--dir", "out"]).wait();
        if ran.code == 100 {
            check_complete(&place, &ran);
            assert!(nth > 10, "only {nth} calls were met");
            return codes;
        }
        *codes.entry(ran.code).or_default() += 1;
        if what.starts_with("error") {
            assert!(ran.code == 74 && ran.stderr.contains("journal"), "{ran}");
        }
        if journal_lines(&place) < 2 {
            // The study had not begun.
            continue;
        }
        let resumed = place.resume();
        check_complete(&place, &resumed);
    }
    codes
}

#[test]
fn a_sync_that_fails_stops_the_study_at_once_and_it_resumes() {
    if can_trace() {
        let codes = inject_at_each("fdatasync", "error=EIO");
        assert_eq!(codes.keys().copied().collect::<Vec<_>>(), [74]);
    }
}

#[test]
fn a_disk_that_is_full_stops_the_study_at_once_and_it_resumes() {
    if can_trace() {
        let codes = inject_at_each("write", "error=ENOSPC");
        assert_eq!(codes.keys().copied().collect::<Vec<_>>(), [74]);
    }
}

#[test]
fn a_host_that_is_killed_in_a_sync_loses_nothing_and_repeats_nothing() {
    if can_trace() {
        inject_at_each("fdatasync", "signal=KILL");
    }
}

/// What a host does before it goes on: it takes the lock, cuts, and writes that it resumes.
#[expect(clippy::print_stdout, reason = "the figures are worth knowing")]
#[test]
fn a_host_that_is_killed_in_any_step_of_its_recovery_changes_nothing() {
    if !can_trace() {
        return;
    }
    let mut kills = 0;
    for call in ["openat", "flock", "ftruncate", "write", "fdatasync"] {
        for nth in 1..=3 {
            let place = Place::of(STUDY);
            if kill_at(&place, place.start_run(), 8).is_some() {
                continue;
            }
            let inject = format!("inject={call}:signal=KILL:when={nth}");
            let journal = place.path("out/journal.jsonl");
            let journal = journal.to_str().expect("it is UTF-8");
            let strace = ["strace", "-o", "/dev/null", "-P", journal, "-e", &inject];
            let ran = place.start_under(&strace, &["resume", "out"]).wait();
            kills += u32::from(!is_complete(&ran));
            check_complete(&place, &place.resume());
        }
    }
    println!("{kills} hosts killed in their recovery, 0 lost, 0 repeated");
    assert!(kills > 5, "only {kills} were killed");
}

/// A machine that loses its power keeps what was synced, and may keep any part
/// of the rest (`tests/fuzz/journal.rs` cuts the journal at every byte). So: what
/// was written and not yet synced, at each moment that others act on it.
#[test]
fn nothing_is_acted_on_that_a_loss_of_power_could_undo() {
    if !can_trace() {
        return;
    }
    let place = Place::of(STUDY);
    let traced = "trace=write,fdatasync,fsync,rename,mkdir,execve,exit_group";
    let strace = ["strace", "-f", "-y", "-qq", "-o", "trace", "-e", traced];
    let ran = place.start_under(&strace, &["run", "study.toml", "--dir", "out"]).wait();
    check_complete(&place, &ran);
    let (mut unsynced, mut moments) = (BTreeMap::<String, usize>::new(), BTreeMap::<&str, u32>::new());
    for line in place.lines("trace") {
        let Some((_, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        let file = || call.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let at = |name: &str| file().ends_with(name);
        match call.split('(').next().unwrap_or_default() {
            "write" if at("journal.jsonl") || at("record.json.unfinished") => {
                *unsynced.entry(file()).or_default() += 1;
            }
            "fdatasync" | "fsync" => drop(unsynced.remove(&file())),
            // Its own name, and that of the journal in it.
            "mkdir" if call.contains("/out\"") => {
                let out = place.path("out");
                let names = out.ancestors().take(2).map(|dir| (dir.display().to_string(), 1));
                unsynced.extend(names);
                *moments.entry("made").or_default() += 1;
            }
            "execve" if call.contains("\"supervise\"") => {
                let names = ["/out", "journal.jsonl", &place.path("").display().to_string()]
                    .map(|name| name.trim_end_matches('/').to_owned());
                let lost = |file: &String| names.iter().any(|name| file.ends_with(&**name));
                // What an attempt's record needs comes later.
                let early = !moments.contains_key("recorded");
                assert!(
                    !unsynced.keys().any(|file| file.ends_with("journal.jsonl") || early && lost(file)),
                    "{line}: {unsynced:?}"
                );
                *moments.entry("started").or_default() += 1;
            }
            "rename" if call.contains("record.json") => {
                let from = call.split('"').nth(1).expect("its path");
                assert!(!unsynced.contains_key(from), "{line}: {unsynced:?}");
                let dir = std::path::Path::new(from).parent().expect("its directory");
                unsynced.extend(dir.ancestors().take(3).map(|dir| (dir.display().to_string(), 1)));
                *moments.entry("recorded").or_default() += 1;
            }
            _ => {}
        }
    }
    assert_eq!(unsynced, BTreeMap::new(), "at the end");
    assert_eq!(moments["made"], 1);
    assert!(moments["started"] >= 6 && moments["started"] == moments["recorded"], "{moments:?}");
}

/// Each of a supervisor's own writes fails, or ends it, once: its attempt is
/// then lost and run again, and nobody waits for it.
#[test]
fn a_supervisor_that_cannot_leave_its_record_costs_its_attempt_and_nothing_else() {
    if !can_trace() {
        return;
    }
    for (call, what) in [
        ("fdatasync", "error=EIO"),
        ("fdatasync", "signal=KILL"),
        ("write", "error=EIO"),
        ("rename", "error=EIO"),
        // There is room again a little later.
        ("write", "error=ENOSPC:when=1..3"),
    ] {
        let place = Place::of(
            "name = \"s\"\nslots = 1\npolicy = { settings = { delay_seconds = 0.01 } }\n\
             [[experiments]]\nname = \"e\"\nmeasure = { shell = 'echo run >> runs' }\n",
        );
        let record = place.path("out/attempts/0000-e/measure-1/record.json.unfinished");
        let record = record.to_str().expect("it is UTF-8");
        let inject = format!("inject={call}:{what}");
        let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", record, "-e", &inject];
        let ran = place.start_under(&strace, &["run", "study.toml", "--dir", "out"]).wait();
        let endings: Vec<Ending> = place.attempts().into_iter().map(|attempt| attempt.ending).collect();
        let is_kept = what.contains("ENOSPC");
        let expected = if is_kept { vec![Ending::Exited(0)] } else { vec![Ending::Lost, Ending::Exited(0)] };
        assert_eq!((ran.code, endings), (0, expected), "{call} {what}: {ran}");
    }
}

#[test]
fn a_file_size_limit_is_an_error_of_the_journal_and_ends_nobody() {
    // In blocks of 512 bytes: the journal tears somewhere within each event of the study.
    for blocks in [6, 8, 10, 12, 14] {
        let place = Place::of(STUDY);
        let limited = format!("ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let ran = place.start_under(&["sh", "-c", &limited], &["run", "study.toml", "--dir", "out"]).wait();
        assert!(ran.code == 74 && ran.stderr.contains("File too large"), "{ran}");
        assert!(
            ran.stderr.contains(
                "hint: what ran goes on; make room, or let it be written to, then `reprieve resume"
            ),
            "{ran}"
        );
        let resumed = place.resume();
        check_complete(&place, &resumed);
    }
}

#[test]
fn a_directory_that_cannot_be_written_is_told_before_anything_is_started() {
    let place = Place::of(STUDY);
    place.write("file", "");
    let ran = place.reprieve(&["run", "study.toml", "--dir", "file/out"]);
    assert!(ran.code == 2 && ran.stderr.contains("cannot make the study's directory"), "{ran}");
    assert!(!place.path("done").exists());
}

/// Root may write anywhere but on a file system that is mounted read-only.
#[test]
fn a_read_only_file_system_is_told_before_anything_is_started() {
    if can_trace() {
        let place = Place::of(STUDY);
        let strace = ["strace", "-o", "/dev/null", "-e", "inject=mkdir,mkdirat:error=EROFS"];
        let ran = place.start_under(&strace, &["run", "study.toml", "--dir", "out"]).wait();
        assert!(ran.code == 2 && ran.stderr.contains("Read-only file system"), "{ran}");
        assert!(!place.path("done").exists());
    }
}

/// A disk that is full fails every experiment that follows: none is to be spent on it.
#[test]
fn an_attempt_s_directory_that_cannot_be_made_stops_the_study_and_it_resumes() {
    let place = Place::of(
        "name = \"s\"\nslots = 1\n[[experiments]]\nname = \"a\"\nmeasure = { shell = 'touch out/attempts/0001-b' }\n\
         [[experiments]]\nname = \"b\"\nmeasure = { shell = 'echo b >> done' }\n",
    );
    let ran = place.run();
    assert!(ran.code == 74 && ran.stderr.contains("cannot prepare the attempt's directory"), "{ran}");
    assert!(
        ran.stderr
            .contains("hint: what ran goes on; make room, or let it be written to, then `reprieve resume "),
        "{ran}"
    );
    fs::remove_file(place.path("out/attempts/0001-b")).expect("it is there");
    let ran = place.resume();
    assert_eq!((ran.code, place.lines("done")), (0, vec!["b".to_owned()]), "{ran}");
}

#[test]
fn a_host_that_is_stopped_and_continued_goes_on() {
    use rustix::process::Signal;
    let place = Place::of(STUDY);
    let host = place.start_run();
    place.wait_for("done");
    host.signal(Signal::STOP);
    // What runs needs no host, and comes to its end meanwhile.
    std::thread::sleep(std::time::Duration::from_millis(300));
    host.signal(Signal::CONT);
    check_complete(&place, &host.wait());
}
