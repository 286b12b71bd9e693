//! What a person sees in a terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::thread::JoinHandle;

use nix::fcntl::OFlag;
use nix::pty::{Winsize, grantpt, openpty, posix_openpt, ptsname_r, unlockpt};
use rustix::process::Signal;

use crate::guest;
use crate::support::{Host, Place, until};

/// A terminal: the end for a program, and what it will have printed once every program has ended.
fn terminal(columns: u16) -> (OwnedFd, JoinHandle<String>) {
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let ends = openpty(Some(&size), None).expect("a terminal");
    let printed = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // Linux ends a terminal's stream with EIO once nobody holds its other end.
        let _ = File::from(ends.master).read_to_end(&mut bytes);
        String::from_utf8(bytes).expect("what is printed is UTF-8")
    });
    (ends.slave, printed)
}

/// The text without its escape sequences, a line of the screen each.
fn lines(printed: &str) -> Vec<String> {
    let plain = console::strip_ansi_codes(printed).into_owned();
    plain.split(['\r', '\n']).map(str::to_owned).filter(|line| !line.is_empty()).collect()
}

const STUDY: &str = r#"
name = "s"
slots = 2
policy = { settings = { max_retries = 1, delay_seconds = 0.3 } }
[[experiments]]
name = "llama-{size}-fp16-flash-attention-batch-128-sequence-4096"
matrix = { size = ["8b", "70b"] }
measure = { shell = 'sleep 0.3; echo "ConnectionResetError: [Errno 104] Connection reset by peer, which is said at some length" >&2; exit 1' }
[[experiments]]
name = "長い名前の実験-とても長い名前の実験-とても長い名前の実験-{n}"
matrix = { n = [1, 2] }
measure = { shell = 'touch up-$REPRIEVE_PARAMETER_N; sleep 600' }
"#;

#[test]
fn no_line_is_broken_at_any_width_and_nothing_stays_after_the_end() {
    for columns in [40, 60, 80, 120] {
        let place = Place::of(STUDY);
        let (end, printed) = terminal(columns);
        let host = place.start_on(&["run", "study.toml", "--dir", "out"], end);
        place.wait_for("up-1");
        place.wait_for("up-2");
        host.signal(Signal::INT);
        until_interrupted(&place);
        host.signal(Signal::INT);
        assert_eq!(host.wait().code, 130);
        let printed = printed.join().expect("the terminal was read");
        let all = lines(&printed);
        for line in all.iter().filter(|line| !line.contains("recorded in") && !line.contains("hint:")) {
            let width = console::measure_text_width(line);
            assert!(width <= usize::from(columns), "{width} of {columns} columns: {line}");
        }
        assert!(all.iter().any(|line| line.contains("llama") && line.contains('…')), "names are shortened");
        assert!(all.iter().any(|line| line.ends_with("length")), "evidence is told whole");
        let (_, after) = printed.rsplit_once("\u{1b}[J").expect("the view was wiped");
        assert!(!after.contains(['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏', '█', '░']), "{after}");
        assert!(after.contains("interrupted by Ctrl-C"), "{after}");
    }
}

/// What `reprieve policy` tells people.
#[test]
fn what_is_told_of_a_policy_fits_a_terminal_and_is_told_whole() {
    let place = Place::of(STUDY_OF_FAILURES);
    place.write("panic.wasm", guest::component(include_str!("../policy/guests/panic.wat"), "guest"));
    assert_eq!(place.run().code, 100);
    for (arguments, told) in [
        (
            &["policy", "inspect", "standard"][..],
            "A class that is in `retry` too is retried as `retry` says.",
        ),
        (&["policy", "test", "standard"], "await-memory or quarantine"),
        (&["policy", "test", "panic.wasm"], "and 32 more"),
        (&["policy", "replay", "standard", "--settings", "{}", "--study", "out"], "retry 1 of 3"),
    ] {
        let (end, printed) = terminal(80);
        place.start_on(arguments, end).wait();
        let all = lines(&printed.join().expect("the terminal was read"));
        for line in &all {
            let width = console::measure_text_width(line);
            assert!(width <= 80, "{width} columns: {line}");
        }
        let text: Vec<&str> = all.iter().flat_map(|line| line.split_whitespace()).collect();
        assert!(text.join(" ").contains(told), "{all:#?}");
    }
}

const STUDY_OF_FAILURES: &str = r#"
name = "s"
slots = 1
policy = { settings = { max_retries = 0 } }
[[experiments]]
name = "llama-70b-fp16-flash-attention-batch-128-sequence-4096"
measure = { shell = 'echo "ConnectionResetError: [Errno 104] Connection reset by peer, which is said at length" >&2; exit 1' }
"#;

#[test]
fn a_dumb_terminal_is_not_told_to_move_its_cursor() {
    let place = Place::of("name = \"s\"\nslots = 1\n[[experiments]]\nname = \"e\"\nmeasure = [\"false\"]\n")
        .env("TERM", "dumb");
    let (end, printed) = terminal(80);
    assert_eq!(place.start_on(&["run", "study.toml", "--dir", "out"], end).wait().code, 100);
    let printed = printed.join().expect("the terminal was read");
    assert!(printed.contains("attempt 1 on slot 0") && !printed.contains("\u{1b}["), "{printed}");
}

#[test]
fn no_colour_is_printed_where_it_is_not_wanted() {
    let place = Place::of("name = \"s\"\nslots = 1\n[[experiments]]\nname = \"e\"\nmeasure = [\"false\"]\n")
        .env("NO_COLOR", "1");
    let (end, printed) = terminal(80);
    assert_eq!(place.start_on(&["run", "study.toml", "--dir", "out"], end).wait().code, 100);
    let printed = printed.join().expect("the terminal was read");
    assert!(printed.contains("failed: exit code 1") && !printed.contains("\u{1b}[3"), "{printed}");
}

/// What a closed window leaves a program that was told to outlive it: a
/// terminal that refuses whatever is printed.
#[test]
fn a_terminal_that_is_closed_takes_nothing_with_it() {
    let place = Place::of(
        "name = \"s\"\nslots = 1\n[[experiments]]\nname = \"e-{n}\"\nmatrix = { n = [1, 2] }\n\
         measure = { shell = 'touch up; until [ -e go ]; do sleep 0.02; done' }\n",
    );
    let (theirs, ours) = ends();
    let host = place.start_on(&["run", "study.toml", "--dir", "out"], theirs);
    place.wait_for("up");
    drop(ours);
    place.write("go", "");
    let ran = host.wait();
    assert_eq!(ran.code, 0, "{ran}");
    assert!(place.show().stdout.contains("complete: 2 succeeded"), "{}", place.show());
}

/// Both ends of a terminal. The programs' one keeps it; nobody inherits the other.
fn ends() -> (OwnedFd, File) {
    let ours = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).expect("a terminal");
    grantpt(&ours).and_then(|()| unlockpt(&ours)).expect("it is ours");
    let name = ptsname_r(&ours).expect("it has a name");
    let theirs = File::options().read(true).write(true).custom_flags(OFlag::O_NOCTTY.bits()).open(name);
    (theirs.expect("it is unlocked").into(), File::from(OwnedFd::from(ours)))
}

/// A host on a terminal that is its own: what is typed there reaches it as signals.
fn on_its_own_terminal<'a>(place: &'a Place, end: OwnedFd) -> Host<'a> {
    // The tests themselves may run under `nohup`.
    let script = "exec env --default-signal=HUP setsid -c \"$0\" \"$@\" <&1";
    place.start_under_on(&["sh", "-c", script], &["run", "study.toml", "--dir", "out"], end)
}

fn is_stopped(host: &Host<'_>) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", host.pid())).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('T'))
}

const WAITING: &str = "name = \"s\"\nslots = 1\n[[experiments]]\nname = \"e\"\nrepeats = 3\n\
                       measure = { shell = 'echo run >> runs; until [ -e go ]; do sleep 0.02; done' }\n";

#[test]
fn ctrl_z_stops_the_host_alone_and_fg_goes_on_then_ctrl_c_drains() {
    for _ in 0..3 {
        let place = Place::of(WAITING);
        let (theirs, mut keys) = ends();
        let host = on_its_own_terminal(&place, theirs);
        place.wait_for("runs");
        let mut screen = keys.try_clone().expect("it can be shared");
        std::thread::spawn(move || screen.read_to_end(&mut Vec::new()));
        // A host that leads its session is stopped by its shell only: the kernel
        // lets nobody type that, as nobody could continue it (POSIX, orphaned groups).
        keys.write_all(b"\x1a").expect("it can be typed");
        host.signal(Signal::STOP);
        until("the stop", || is_stopped(&host));
        host.signal(Signal::CONT);
        until("the end of the stop", || !is_stopped(&host));
        keys.write_all(b"\x03").expect("it can be typed");
        until_interrupted(&place);
        place.write("go", "");
        let ran = host.wait();
        assert_eq!((ran.code, place.lines("runs").len()), (130, 1), "{ran}");
        assert_eq!((place.resume().code, place.lines("runs").len()), (0, 3));
    }
}

#[test]
fn a_terminal_that_goes_away_drains_the_study_and_it_resumes() {
    for _ in 0..3 {
        let place = Place::of(WAITING);
        let (theirs, ours) = ends();
        let host = on_its_own_terminal(&place, theirs);
        place.wait_for("runs");
        drop(ours);
        until_interrupted(&place);
        place.write("go", "");
        let ran = host.wait();
        assert_eq!((ran.code, place.lines("runs").len()), (129, 1), "{ran}");
        assert_eq!((place.resume().code, place.lines("runs").len()), (0, 3));
    }
}

fn until_interrupted(place: &Place) {
    let interrupted = || {
        place
            .events()
            .iter()
            .any(|stamped| matches!(stamped.event, reprieve::event::Event::Interrupted { .. }))
    };
    until("the first interrupt", interrupted);
}
