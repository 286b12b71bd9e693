//! Experiments that do not end, do not end alone, or say too much.

use reprieve::attempt::{Attempt, Ending};

use crate::support::{Place, runs, unique_seconds, until};

/// Runs one experiment, and says how it exited and the attempt it made.
fn attempt(keys: &str, script: &str) -> (i32, Attempt, Place) {
    let place = Place::of(&format!(
        "name = \"s\"\nslots = 1\npolicy = {{ settings = {{ max_retries = 0, retry_once = [] }} }}\n\
         [[experiments]]\nname = \"e\"\n{keys}\nmeasure = {{ shell = '''\n{script}\n''' }}\n"
    ));
    let ran = place.run();
    let attempts = place.attempts();
    assert_eq!(attempts.len(), 1, "{ran}");
    assert_eq!(ran.stdout.contains("leftover process"), leftovers(&attempts[0]), "{ran}");
    (ran.code, attempts[0].clone(), place)
}

/// Whether the attempt says that what it left behind was ended.
fn leftovers(attempt: &Attempt) -> bool {
    attempt.facts.iter().any(|fact| fact.name == "leftovers-ended")
}

#[test]
fn what_ignores_the_termination_signal_is_killed_after_its_grace() {
    let seconds = unique_seconds();
    let script = format!("trap '' TERM\nsh -c \"trap '' TERM; sleep {seconds}; :\"");
    let (code, attempt, _) = attempt("timeout = \"200ms\"\ngrace = \"100ms\"", &script);
    assert_eq!((code, attempt.ending), (100, Ending::TimedOut));
    assert!(!runs(&seconds));
}

#[test]
fn what_ends_politely_at_its_time_limit_may_say_so() {
    let script = "trap 'echo saved; exit 0' TERM\nwhile :; do sleep 0.02; done";
    let (code, attempt, _) = attempt("timeout = \"200ms\"\ngrace = \"60s\"", script);
    assert_eq!((code, attempt.ending, &*attempt.stdout_tail), (100, Ending::TimedOut, "saved\n"));
}

#[test]
fn what_falls_silent_is_ended_and_what_speaks_is_not() {
    let script = "for i in 1 2 3 4 5; do echo $i; sleep 0.3; done; sleep 600";
    let (code, attempt, _) = attempt("silence = \"1s\"", script);
    assert_eq!((code, attempt.ending, &*attempt.stdout_tail), (100, Ending::FellSilent, "1\n2\n3\n4\n5\n"));
}

#[test]
fn what_hides_in_a_session_of_its_own_does_not_outlive_the_attempt() {
    let seconds = unique_seconds();
    let script = format!(
        "( setsid sh -c 'touch up; exec sleep {seconds}' & )\n\
         while ! [ -e up ]; do sleep 0.02; done"
    );
    let (code, attempt, _) = attempt("", &script);
    assert_eq!((code, leftovers(&attempt)), (0, true));
    assert!(!runs(&seconds));
}

/// A daemon as the textbooks make them: two forks, a session, no open
/// descriptors, another directory, another name.
#[test]
fn a_daemon_does_not_outlive_its_attempt() {
    for _ in 0..10 {
        let seconds = unique_seconds();
        let script = format!(
            "( setsid sh -c '( cd /; exec perl -e \"\\$0 = q(kworker); sleep {seconds}\" {seconds} ) &' <&- >&- 2>&- & )\n\
             sleep 0.05"
        );
        let (code, attempt, _) = attempt("", &script);
        assert_eq!((code, leftovers(&attempt)), (0, true));
        assert!(!runs(&seconds));
    }
}

#[test]
fn a_leftover_that_holds_the_output_open_delays_nothing() {
    let seconds = unique_seconds();
    let (code, attempt, _) = attempt("", &format!("sleep {seconds} &\necho done"));
    assert_eq!((code, &*attempt.stdout_tail, leftovers(&attempt)), (0, "done\n", true));
    assert!(!runs(&seconds));
}

#[test]
fn a_leftover_that_ignores_the_termination_signal_is_killed() {
    let seconds = unique_seconds();
    let script = format!(
        "(trap '' TERM; touch up; sleep {seconds}; sleep {seconds}) &\n\
         while ! [ -e up ]; do sleep 0.02; done"
    );
    let (code, _, _) = attempt("grace = \"100ms\"", &script);
    assert_eq!(code, 0);
    assert!(!runs(&seconds));
}

#[test]
fn output_of_any_size_and_kind_is_kept_whole_and_told_in_part() {
    let script =
        "head -c 10000000 /dev/zero | tr '\\0' '\\377'\nprintf 'the end\\n'\nprintf '\\033[31m\\0' >&2";
    let (code, attempt, place) = attempt("", script);
    assert_eq!(code, 0);
    let file = place.path("out/attempts/0000-e/measure-1/stdout.log");
    assert_eq!(std::fs::metadata(file).expect("it is there").len(), 10_000_008);
    assert!(attempt.stdout_tail.len() <= 4096 && attempt.stdout_tail.ends_with("the end\n"));
    assert_eq!(attempt.stderr_tail, "\u{1b}[31m\0");
    let shown = place.show();
    assert_eq!(shown.code, 0);
    assert!(!shown.stdout.contains('\u{1b}'), "{shown}");
}

#[test]
fn what_an_experiment_prints_cannot_command_the_terminal() {
    let place = Place::of(
        "name = \"s\"\nslots = 1\n[[experiments]]\nname = \"e\"\n\
         measure = { shell = '''printf 'ValueError: \\033]0;owned\\007 \\033[2J bad\\n' >&2; exit 1''' }\n",
    );
    let ran = place.run();
    let shown = place.show();
    for text in [&ran.stdout, &shown.stdout] {
        assert!(text.contains("ValueError") && !text.contains(['\u{1b}', '\u{7}']), "{text:?}");
    }
}

#[test]
fn a_study_that_reaches_its_time_limit_starts_nothing_more() {
    let place = Place::of(
        r#"
        name = "s"
        slots = 1
        limits = { max_duration = "300ms" }
        [[experiments]]
        name = "e"
        repeats = 1000
        measure = { shell = 'echo run >> runs; sleep 0.1' }
        "#,
    );
    let ran = place.run();
    assert_eq!(ran.code, 75, "{ran}");
    assert!(ran.stdout.contains("the study's time limit is reached"), "{ran}");
    assert!(place.lines("runs").len() < 1000);
    assert!(place.attempts().iter().all(|attempt| attempt.failure.is_none()), "what ran ended normally");
}

#[test]
fn output_beyond_its_bound_gives_up_its_beginning_and_says_so() {
    let (code, attempt, place) = attempt("", "head -c 200000000 /dev/zero; echo the end");
    assert_eq!(code, 0);
    let size = |name: &str| {
        let file = place.path("out/attempts/0000-e/measure-1").join(name);
        std::fs::metadata(file).expect("it is there").len()
    };
    let dropped = attempt.facts.iter().find(|fact| fact.name == "output-dropped-bytes").expect("it is told");
    let kept = size("stdout.log") + size("stdout.log.before");
    assert_eq!(kept + dropped.value.parse::<u64>().expect("a number"), 200_000_008);
    assert!(kept <= 130 << 20 && attempt.stdout_tail.ends_with("the end\n"), "{kept}");
}

#[test]
fn a_gibibyte_of_output_takes_no_memory() {
    let place = Place::of(
        "name = \"s\"\nslots = 1\n[[experiments]]\nname = \"e\"\n\
         measure = { shell = 'yes \"$(printf \"\\377\\376 not UTF-8\")\" | head -c 1073741824; echo the end' }\n",
    );
    let mut host = place.start_run();
    let peak = |pid: u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        kib.unwrap_or(0_u64)
    };
    let mut most = (0, 0);
    until("its end", || {
        let lock = std::fs::read_to_string(place.path("out/attempts/0000-e/measure-1/supervisor.lock"));
        let supervisor = lock.ok().and_then(|text| text.lines().next()?.parse().ok()).map_or(0, peak);
        most = (most.0.max(peak(host.pid())), most.1.max(supervisor));
        host.ended().is_some()
    });
    assert_eq!(host.wait().code, 0);
    assert!(place.attempts()[0].stdout_tail.ends_with("the end\n"));
    // A debug build of the host takes some 40 MiB before it has begun.
    assert!(most.0 > 0 && most.1 > 0 && most.0 < 96 << 10 && most.1 < 64 << 10, "{most:?} KiB");
}

#[test]
fn a_storm_of_forks_is_ended_with_all_it_has_made() {
    let seconds = unique_seconds();
    // Each has a session of its own and two children at most, and hears no termination signal.
    let storm = format!(
        "trap '' TERM\nn=0\nwhile [ $n -lt 300 ]; do setsid sh -c \"trap '' TERM; sleep {seconds} & sleep {seconds}; :\" & n=$((n+1)); done\n\
         touch up; sleep {seconds}; :"
    );
    let (code, attempt, _) = attempt("timeout = \"700ms\"\ngrace = \"100ms\"", &storm);
    assert_eq!((code, attempt.ending), (100, Ending::TimedOut));
    assert!(!runs(&seconds));
}

/// A thousand that stay, and ten lines of processes that each make the next and
/// end, so that none of them lives for long: the hardest to catch.
#[test]
fn a_storm_that_rages_while_it_is_ended_leaves_nobody_and_takes_no_other() {
    let seconds = unique_seconds();
    let name = format!("st{}", std::process::id());
    let storm = format!(
        "exec perl -e '$0 = q({name}); $SIG{{TERM}} = q(IGNORE); \
         for (1..10) {{ if (!fork) {{ setpgrp; for (1..1000000) {{ if (fork) {{ exit }} }} exit }} }} \
         for (1..1000) {{ if (!fork) {{ setpgrp; sleep 600; exit }} }} sleep 600' {seconds}"
    );
    // One that is called like them, and is nobody's here.
    let mut other = std::process::Command::new("perl")
        .args(["-e", &format!("$0 = q({name}); sleep 600")])
        .spawn()
        .expect("perl starts");
    let (code, attempt, _) = attempt("timeout = \"700ms\"\ngrace = \"100ms\"", &storm);
    assert_eq!((code, attempt.ending), (100, Ending::TimedOut));
    let of_name = || {
        let entries = std::fs::read_dir("/proc").expect("Linux has it").filter_map(Result::ok);
        let names = entries.filter_map(|entry| std::fs::read_to_string(entry.path().join("comm")).ok());
        names.filter(|comm| comm.trim_end() == name).count()
    };
    // Zombies would have their name still.
    assert_eq!(of_name(), 1, "others than the bystander are left");
    assert!(other.try_wait().expect("it is ours").is_none(), "a process of nobody's was ended");
    other.kill().and_then(|()| other.wait()).expect("it is ours");
}
