//! Large studies: what they take, and what their journals say.

use std::fs;
use std::sync::Arc;

use reprieve::event::Event;
use reprieve::state::{Outcome, StudyState};
use reprieve::study::Study;

use crate::support::{Place, until};

/// What a host took.
#[derive(Default)]
struct Took {
    /// The most memory, in KiB.
    peak_kib: u64,
    /// The most files that it had open at a time.
    files: usize,
}

/// Runs this many experiments that do nothing.
fn many(experiments: u32) -> (Place, Took) {
    let place = Place::of(&format!(
        "name = \"s\"\nslots = 4\n[[experiments]]\nname = \"e\"\nrepeats = {experiments}\nmeasure = [\"true\"]\n"
    ));
    let mut host = place.start_run();
    let status = format!("/proc/{}/status", host.pid());
    let files = format!("/proc/{}/fd", host.pid());
    let mut took = Took::default();
    until("the study's end", || {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        took.peak_kib = now.unwrap_or(took.peak_kib);
        took.files = took.files.max(fs::read_dir(&files).map_or(0, Iterator::count));
        host.ended().is_some()
    });
    let ran = host.wait();
    assert_eq!(ran.code, 0, "{ran}");
    assert!(took.peak_kib > 0 && took.files > 0, "the host was never seen");
    (place, took)
}

/// What the journal says, and for which outcomes.
fn replay(place: &Place) -> StudyState {
    let events = place.events();
    let Event::StudyStarted(started) = &events[0].event else { panic!("a journal begins with a start") };
    let study = Arc::new(Study::parse(&started.source).expect("the study reads"));
    let mut state = StudyState::new(study, started.devices.clone());
    for event in &events {
        state.apply(event);
    }
    state
}

#[test]
fn a_thousand_experiments_take_no_more_memory_and_files_than_a_hundred_and_replay_the_same() {
    let (_, Took { peak_kib: few_kib, files: few_files }) = many(100);
    let (place, Took { peak_kib: many_kib, files: many_files }) = many(1000);
    assert!(many_kib < few_kib + 16 * 1024, "{few_kib} KiB for 100, {many_kib} KiB for 1000");
    // Supervisors come and go: one more may have been seen at once.
    assert!(many_files < few_files + 16, "{few_files} open files for 100, {many_files} for 1000");
    let state = replay(&place);
    assert!(state == replay(&place), "two replays differ");
    assert!(state.study().ids().all(|id| state.outcome(id) == Some(Outcome::Succeeded)));
    let shown = place.show().stdout;
    assert!(shown.ends_with("complete: 1000 succeeded, 0 failed, 0 not done, 0 retried\n"), "{shown}");
}
