//! What a person sees in a terminal.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::thread::JoinHandle;

use nix::pty::{Winsize, openpty};
use rustix::process::Signal;

use crate::support::Place;

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
        let (_, after) = printed.rsplit_once("\u{1b}[J").expect("the view was wiped");
        assert!(!after.contains(['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏', '█', '░']), "{after}");
        assert!(after.contains("interrupted by Ctrl-C"), "{after}");
    }
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
    let ends = openpty(None, None).expect("a terminal");
    let host = place.start_on(&["run", "study.toml", "--dir", "out"], ends.slave);
    place.wait_for("up");
    drop(ends.master);
    place.write("go", "");
    let ran = host.wait();
    assert_eq!(ran.code, 0, "{ran}");
    assert!(place.show().stdout.contains("complete: 2 succeeded"), "{}", place.show());
}

fn until_interrupted(place: &Place) {
    let interrupted = || {
        place
            .events()
            .iter()
            .any(|stamped| matches!(stamped.event, reprieve::event::Event::Interrupted { .. }))
    };
    crate::support::until("the first interrupt", interrupted);
}
