//! Studies that hosts of released versions began and did not end: this one goes on with each.
//!
//! Before a version is released, `REPRIEVE_KEEP=1 cargo test -p reprieve --test
//! it kept::` writes what its host leaves into `kept/VERSION`, which is never
//! changed afterwards.

use std::fs;
use std::path::{Path, PathBuf};

use reprieve::attempt::Ending;
use reprieve::event::Event;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Place, glob, until};

/// An experiment for each way in which a host's death can find one. What they
/// do, they tell by the number of the attempt: of their files nothing is kept.
const STUDY: &str = r#"
name = "kept"
slots = 3
policy = { settings = { delay_seconds = 1.0 } }
[[experiments]]
name = "good"
measure = ["true"]
[[experiments]]
name = "bad"
measure = { shell = 'echo "ValueError: no" >&2; exit 1' }
[[experiments]]
name = "passing"
measure = { shell = '[ $REPRIEVE_ATTEMPT -gt 1 ] || exit 75' }
[[experiments]]
name = "waiting"
prepare = ["true"]
measure = { shell = '[ $REPRIEVE_ATTEMPT -gt 2 ] || exit 75' }
finish = ["true"]
[[experiments]]
name = "ended-unseen"
measure = { shell = 'touch up-0; while ! [ -e go ]; do sleep 0.02; done; echo "the end"' }
[[experiments]]
name = "killed"
measure = { shell = '[ $REPRIEVE_ATTEMPT -gt 1 ] && exit 0; touch up-1; exec sleep 600' }
[[experiments]]
name = "untouched"
devices = 3
measure = ["true"]
"#;

/// What the directory of a study is called in what is kept.
const SOMEWHERE: &str = "/somewhere";

/// The attempts that no journal settles, by their experiments.
const UNSETTLED: [&str; 2] = ["0004-ended-unseen", "0005-killed"];

/// What a later host reads of such an attempt.
const FILES: [&str; 3] = ["assignment.json", "supervisor.lock", "record.json"];

fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/it/kept")
}

/// A file of a study as if that had been elsewhere: paths changed, and the
/// checksums of the journal's lines with them.
fn moved(text: &str, from: &str, to: &str) -> String {
    let line = |line: &str| match line.strip_prefix("{\"crc32c\":\"").and_then(|rest| rest.split_once("\","))
    {
        Some((_, body)) => {
            let body = body.replace(from, to);
            format!("{{\"crc32c\":\"{:08x}\",{body}\n", crc32c::crc32c(body.as_bytes()))
        }
        None => line.replace(from, to) + "\n",
    };
    text.lines().map(line).collect()
}

/// Runs the study up to a host's death, and keeps what is left.
fn keep(dir: &Path) {
    let place = Place::of(STUDY);
    let here = place.path("");
    let place = place.env("XDG_CACHE_HOME", &here.join("cache").to_string_lossy());
    let host = place.start_run();
    for up in ["up-0", "up-1"] {
        place.wait_for(up);
    }
    until("a second wait", || {
        let waits =
            |event: &Event| matches!(event, Event::Decided(to) if (to.experiment.0, to.attempt) == (3, 2));
        place.events().iter().any(|stamped| waits(&stamped.event))
    });
    host.kill();
    let [unseen, killed] = UNSETTLED.map(|name| place.path("out/attempts").join(name).join("measure-1"));
    let lock = fs::read_to_string(killed.join("supervisor.lock")).expect("its supervisor has begun");
    let supervisor = lock.lines().next().and_then(|pid| Pid::from_raw(pid.parse().ok()?)).expect("its PID");
    kill_process(supervisor, Signal::KILL).expect("it runs");
    place.write("go", "");
    until("its record", || unseen.join("record.json").exists());
    let here = here.to_string_lossy();
    let copy = |from: &Path| {
        let to = dir.join(from.strip_prefix(place.path("out")).expect("it is there"));
        fs::create_dir_all(to.parent().expect("it has a directory")).expect("a directory");
        let text = fs::read_to_string(from).expect("it is text");
        fs::write(to, moved(&text, here.trim_end_matches('/'), SOMEWHERE)).expect("it can be written");
    };
    copy(&place.path("out/journal.jsonl"));
    let files = FILES.iter().flat_map(|name| [unseen.join(name), killed.join(name)]);
    files.filter(|file| file.exists()).for_each(|file| copy(&file));
    // What runs on is not left behind.
    assert_eq!(place.resume().code, 100);
}

/// A place with the study that is kept there.
fn restored(dir: &Path) -> Place {
    let place = Place::new();
    let here = place.path("").to_string_lossy().trim_end_matches('/').to_owned();
    let attempts = FILES.iter().flat_map(|name| glob(&dir.join("attempts"), 3, name));
    for from in attempts.chain([dir.join("journal.jsonl")]) {
        let to = place.path("out").join(from.strip_prefix(dir).expect("it is below"));
        fs::create_dir_all(to.parent().expect("it has a directory")).expect("a directory");
        let text = fs::read_to_string(&from).expect("it is text");
        fs::write(to, moved(&text, SOMEWHERE, &here)).expect("it can be written");
    }
    place
}

#[test]
fn a_study_that_a_host_of_any_released_version_began_goes_on_to_its_end() {
    let this = kept().join(env!("CARGO_PKG_VERSION"));
    if std::env::var_os("REPRIEVE_KEEP").is_some() && !this.exists() {
        keep(&this);
    }
    let versions: Vec<PathBuf> =
        fs::read_dir(kept()).expect("some are kept").map(|entry| entry.expect("it reads").path()).collect();
    assert!(versions.contains(&this), "nothing is kept of this version: see the head of this file");
    for version in versions {
        let place = restored(&version);
        let before = place.events().len();
        let shown = place.show();
        assert!(
            shown.stdout.contains("not ended: 2 succeeded, 1 failed, 4 not done"),
            "{version:?}: {shown}"
        );
        let ran = place.resume();
        assert_eq!(ran.code, 100, "{version:?}: {ran}");
        let shown = place.show().stdout;
        assert!(shown.contains("complete: 6 succeeded, 1 failed, 0 not done"), "{version:?}: {shown}");
        // What had ended was not run again, what was killed was, and what ended unseen was believed.
        let later = place.events().split_off(before);
        let ended: Vec<(u32, Ending, String)> = later
            .into_iter()
            .filter_map(|stamped| match stamped.event {
                Event::AttemptEnded(ended) => {
                    Some((ended.experiment.0, ended.attempt.ending, ended.attempt.stdout_tail))
                }
                _ => None,
            })
            .collect();
        let of = |id: u32| -> Vec<&Ending> {
            ended.iter().filter(|(one, ..)| *one == id).map(|(_, ending, _)| ending).collect()
        };
        assert!([0, 1, 2].iter().all(|id| of(*id).is_empty()), "{version:?}: {ended:?}");
        assert!(ended.contains(&(4, Ending::Exited(0), "the end\n".to_owned())), "{version:?}: {ended:?}");
        assert_eq!(of(5), [&Ending::Lost, &Ending::Exited(0)], "{version:?}");
    }
}
