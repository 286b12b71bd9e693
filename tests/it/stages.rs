//! The stages of an experiment: their order, and what each is told.

use insta::assert_snapshot;
use reprieve::attempt::Ending;

use crate::support::Place;

fn experiment(stages: &str) -> Place {
    Place::of(&format!(
        "name = \"s\"\nslots = 1\npolicy = {{ settings = {{ max_retries = 0 }} }}\n\
         [[experiments]]\nname = \"e\"\n{stages}"
    ))
}

#[test]
fn stages_run_in_their_order() {
    let place = experiment(
        "finish = { shell = 'echo $REPRIEVE_STAGE >> order' }\n\
         measure = { shell = 'echo $REPRIEVE_STAGE >> order' }\n\
         prepare = { shell = 'echo $REPRIEVE_STAGE >> order' }\n",
    );
    assert_eq!(place.run().code, 0);
    assert_eq!(place.lines("order"), ["prepare", "measure", "finish"]);
}

#[test]
fn finish_runs_after_a_measurement_that_failed_and_hides_nothing() {
    let place = experiment(
        "measure = { shell = 'echo \"the first failure\" >&2; exit 3' }\n\
         finish = { shell = 'echo run >> finished; echo \"the second failure\" >&2; exit 4' }\n",
    );
    assert_snapshot!(place.run(), @r"
    exit code 100
    --- stdout
    study `s`: 1 experiment on 1 slot, judged by standard 0.1.0
    recorded in out
    TIME  e  measure  attempt 1 on slot 0
    TIME  e  measure  failed: exit code 3 after SPAN (attempt 1)
                          unknown: exit code 3: the first failure
    TIME  e  measure  given up (standard): gave up after 1 attempt: unknown failure
    TIME  e  finish   attempt 1 on slot 0
    TIME  e  finish   failed: exit code 4 after SPAN (attempt 1)
                          unknown: exit code 4: the second failure
    TIME  e  finish   given up (standard): gave up after 1 attempt: unknown failure

    complete: 0 succeeded, 1 failed, 1 with a failed finish; 0 retries, SPAN
      failed  e  measure: unknown: exit code 3: the first failure
      finish  e  unknown: exit code 4: the second failure
    hint: `reprieve show out` tells every attempt and where its output is
    ");
    assert_eq!(place.lines("finished").len(), 1);
}

#[test]
fn a_finish_that_fails_does_not_spoil_a_success() {
    let place = experiment("measure = [\"true\"]\nfinish = [\"false\"]\n");
    assert_snapshot!(place.run(), @r"
    exit code 0
    --- stdout
    study `s`: 1 experiment on 1 slot, judged by standard 0.1.0
    recorded in out
    TIME  e  measure  attempt 1 on slot 0
    TIME  e  measure  ok in SPAN (attempt 1)
    TIME  e  finish   attempt 1 on slot 0
    TIME  e  finish   failed: exit code 1 after SPAN (attempt 1)
                          unknown: exit code 1
    TIME  e  finish   given up (standard): gave up after 1 attempt: unknown failure

    complete: 1 succeeded, 1 with a failed finish; 0 retries, SPAN
      finish  e  unknown: exit code 1
    hint: `reprieve show out` tells every attempt and where its output is
    ");
    let shown = place.show().stdout;
    assert!(shown.contains("e: succeeded, with a failed finish\n"), "{shown}");
    assert!(shown.contains("complete: 1 succeeded, 0 failed, 1 with a failed finish, 0 not done"), "{shown}");
}

#[test]
fn nothing_follows_a_prepare_that_failed() {
    let place = experiment(
        "prepare = [\"false\"]\nmeasure = { shell = 'echo m >> after' }\nfinish = { shell = 'echo f >> after' }\n",
    );
    assert_eq!(place.run().code, 100);
    assert_eq!(place.lines("after"), [""; 0]);
}

#[test]
fn a_stage_is_told_what_it_runs_for() {
    let place = Place::of(
        r#"
        name = "s"
        slots = 2
        [[experiments]]
        name = "lr{learning-rate}"
        devices = 2
        directory = "below"
        parameters = { learning-rate = 0.1 }
        environment = { HALF = "{learning-rate} / 2" }
        measure = { shell = 'pwd > where; env | grep -E "^(CUDA_VISIBLE_DEVICES|HALF|REPRIEVE_)" | grep -v LOCKS | sort' }
        "#,
    );
    std::fs::create_dir(place.path("below")).expect("a directory");
    let ran = place.run();
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(place.lines("below/where"), [place.path("below").to_string_lossy()]);
    let id = regex::Regex::new(r"s-\d{8}T\d{6}-\d+").expect("it is ours");
    let told = place.lines("out/attempts/0000-lr0.1/measure-1/stdout.log").join("\n");
    let told = told.replace(&*place.path("").to_string_lossy(), "HERE/");
    assert_snapshot!(id.replace_all(&told, "ID"), @r"
    CUDA_VISIBLE_DEVICES=0,1
    HALF=0.1 / 2
    REPRIEVE_ATTEMPT=1
    REPRIEVE_EXPERIMENT=lr0.1
    REPRIEVE_PARAMETER_LEARNING_RATE=0.1
    REPRIEVE_REPORT=HERE/out/attempts/0000-lr0.1/measure-1/report.json
    REPRIEVE_STAGE=measure
    REPRIEVE_STUDY=s
    REPRIEVE_TOKEN=ID/0/measure/1
    ");
}

#[test]
fn arguments_never_pass_through_a_shell() {
    let place = experiment(
        r#"
        parameters = { text = "$(touch pwned); `touch pwned` * ' \" " }
        measure = ["/bin/sh", "-c", 'printf "%s\n" "$@" > arguments', "sh", "{text}", "a b", "{{text}}", "*"]
        "#,
    );
    let ran = place.run();
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(place.lines("arguments"), ["$(touch pwned); `touch pwned` * ' \" ", "a b", "{text}", "*"]);
    assert!(!place.path("pwned").exists());
}

#[test]
fn what_cannot_be_started_is_a_failure_like_any_other() {
    let place = Place::of(
        r#"
        name = "s"
        slots = 1
        [[experiments]]
        name = "no-program"
        measure = ["there-is-no-such-program"]
        [[experiments]]
        name = "no-directory"
        directory = "nowhere"
        measure = ["true"]
        [[experiments]]
        name = "fine"
        measure = ["true"]
        "#,
    );
    assert_snapshot!(place.run(), @r"
    exit code 100
    --- stdout
    study `s`: 3 experiments on 1 slot, judged by standard 0.1.0
    recorded in out
    TIME  no-program    measure  attempt 1 on slot 0
    TIME  no-program    measure  failed: not started: `there-is-no-such-program`: not found in PATH (attempt 1)
                                     configuration: `there-is-no-such-program`: not found in PATH
    TIME  no-program    measure  given up (standard): configuration failures do not pass by themselves
    TIME  no-directory  measure  attempt 1 on slot 0
    TIME  no-directory  measure  failed: not started: directory `HERE/nowhere`: No such file or directory (os error 2) (attempt 1)
                                     configuration: directory `HERE/nowhere`: No such file or directory (os error 2)
    TIME  no-directory  measure  given up (standard): configuration failures do not pass by themselves
    TIME  fine          measure  attempt 1 on slot 0
    TIME  fine          measure  ok in SPAN (attempt 1)

    complete: 1 succeeded, 2 failed; 0 retries, SPAN
      failed  no-program    measure: configuration: `there-is-no-such-program`: not found in PATH
      failed  no-directory  measure: configuration: directory `HERE/nowhere`: No such file or directory (os error 2)
    hint: `reprieve show out` tells every attempt and where its output is
    ");
    assert!(matches!(place.attempts()[0].ending, Ending::NotStarted(_)));
}
