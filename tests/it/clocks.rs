//! Clocks that jump while a delay is waited out: a wall clock that is set, a
//! machine that is suspended.
//!
//! A library of a few lines answers for the system's clocks in the real binary.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Host, Place};

/// Adds what the file `$CLOCKS` says to the clocks that it names: `wall`, and
/// `boot` for that which goes on while the machine is suspended.
const LIBRARY: &str = r#"
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *at) {
    long result = syscall(SYS_clock_gettime, id, at), wall = 0, boot = 0;
    const char *path = getenv("CLOCKS");
    FILE *file = path ? fopen(path, "r") : NULL;
    if (file) { if (fscanf(file, "%ld %ld", &wall, &boot) != 2) wall = boot = 0; fclose(file); }
    if (id == CLOCK_REALTIME) at->tv_sec += wall;
    if (id == CLOCK_BOOTTIME) at->tv_sec += boot;
    return (int)result;
}
"#;

/// A study whose only experiment waits this long for its second attempt, under
/// such clocks; `None` where nothing is there to compile them.
#[expect(clippy::print_stdout, reason = "a test that cannot be run says so")]
fn place(delay_seconds: u32) -> Option<Place> {
    let place = Place::of(&format!(
        "name = \"s\"\nslots = 1\npolicy = {{ settings = {{ delay_seconds = {delay_seconds} }} }}\n\
         limits = {{ max_delay = \"2h\" }}\n[[experiments]]\nname = \"e\"\n\
         measure = {{ shell = '[ -e tried ] || {{ touch tried; exit 75; }}' }}\n"
    ));
    place.write("clocks.c", LIBRARY);
    let [source, library, clocks] = ["clocks.c", "clocks.so", "clocks"].map(|name| place.path(name));
    let made = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).status();
    if !made.is_ok_and(|made| made.success()) {
        println!("SKIPPED: there is no `cc` that makes a library");
        return None;
    }
    let text = |path: &std::path::Path| path.to_str().expect("it is UTF-8").to_owned();
    Some(place.env("CLOCKS", &text(&clocks)).env("LD_PRELOAD", &text(&library)))
}

fn jump(place: &Place, wall_seconds: i64, boot_seconds: i64) {
    place.write("clocks.new", format!("{wall_seconds} {boot_seconds}"));
    std::fs::rename(place.path("clocks.new"), place.path("clocks")).expect("it is there");
}

fn waiting(place: &Place) -> (Host<'_>, Instant) {
    let began = Instant::now();
    let host = place.start_run();
    host.says("retry in");
    (host, began)
}

#[test]
fn a_wall_clock_that_is_set_makes_no_delay_shorter_or_longer() {
    for hour in [3600, -3600] {
        let Some(place) = place(2) else { return };
        let (host, began) = waiting(&place);
        jump(&place, hour, 0);
        // One that waited for the clock to come back would wait an hour.
        let ran = host.wait();
        assert_eq!((ran.code, place.attempts().len()), (0, 2), "{ran}");
        assert!(began.elapsed() >= Duration::from_secs(2), "it was tried again after {:?}", began.elapsed());
    }
}

#[test]
fn a_delay_goes_on_while_the_machine_is_suspended() {
    let Some(place) = place(3600) else { return };
    let (host, _) = waiting(&place);
    // Suspended for an hour: the wall clock and the time since boot have gone on, timers have not.
    jump(&place, 3600, 3600);
    let ran = host.wait();
    assert_eq!((ran.code, place.attempts().len()), (0, 2), "{ran}");
}

#[test]
fn a_delay_that_a_suspended_machine_has_not_waited_out_is_not_cut_short() {
    let Some(place) = place(3602) else { return };
    let (host, began) = waiting(&place);
    jump(&place, 3600, 3600);
    let ran = host.wait();
    assert_eq!((ran.code, place.attempts().len()), (0, 2), "{ran}");
    assert!(began.elapsed() >= Duration::from_secs(2), "it was tried again after {:?}", began.elapsed());
}
