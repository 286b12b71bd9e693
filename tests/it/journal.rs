//! Large studies: what they take, and what their journals say.

use std::fs;
use std::sync::Arc;

use reprieve::event::Event;
use reprieve::state::{Outcome, StudyState};
use reprieve::study::Study;

use crate::support::{Place, until};

/// Runs this many experiments that do nothing; says the most memory that the host took, in KiB.
fn many(experiments: u32) -> (Place, u64) {
    let place = Place::of(&format!(
        "name = \"s\"\nslots = 4\n[[experiments]]\nname = \"e\"\nrepeats = {experiments}\nmeasure = [\"true\"]\n"
    ));
    let mut host = place.start_run();
    let status = format!("/proc/{}/status", host.pid());
    let mut peak_kib = 0;
    until("the study's end", || {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        peak_kib = now.unwrap_or(peak_kib);
        host.ended().is_some()
    });
    let ran = host.wait();
    assert_eq!(ran.code, 0, "{ran}");
    assert!(peak_kib > 0, "the host's memory was never seen");
    (place, peak_kib)
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
fn a_thousand_experiments_take_no_more_memory_than_a_hundred_and_replay_the_same() {
    let (_, few_kib) = many(100);
    let (place, many_kib) = many(1000);
    assert!(many_kib < few_kib + 16 * 1024, "{few_kib} KiB for 100, {many_kib} KiB for 1000");
    let state = replay(&place);
    assert!(state == replay(&place), "two replays differ");
    assert!(state.study().ids().all(|id| state.outcome(id) == Some(Outcome::Succeeded)));
    let shown = place.show().stdout;
    assert!(shown.ends_with("complete: 1000 succeeded, 0 failed, 0 not done, 0 retried\n"), "{shown}");
}
