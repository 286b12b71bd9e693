//! Each command as a person or a script meets it.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::Place;

const STUDY: &str = r#"
name = "grid"
slots = 2
[[experiments]]
name = "b{batch}"
matrix = { batch = [1, 8] }
timeout = "10m"
prepare = ["fetch", "a model"]
measure = ["bench", "--batch", "{batch}"]
[[experiments]]
name = "pair"
devices = 2
silence = "90s"
measure = { shell = 'echo "$HOME"' }
"#;

#[test]
fn check_prints_the_plan_and_starts_nothing() {
    let place = Place::of(STUDY);
    assert_snapshot!(place.reprieve(&["check", "study.toml"]), @r#"
    exit code 0
    --- stdout
    study `grid`: 3 experiments on 2 slots, judged by standard 0.1.0

    b1  (1 device, batch = 1)
      prepare  fetch 'a model', timeout 10 min 00 s
      measure  bench --batch 1, timeout 10 min 00 s
    b8  (1 device, batch = 8)
      prepare  fetch 'a model', timeout 10 min 00 s
      measure  bench --batch 8, timeout 10 min 00 s
    pair  (2 devices)
      measure  /bin/sh -c 'echo "$HOME"', silence 1 min 30 s

    3 experiments, 5 commands; nothing was started
    not in PATH here: `bench`, `fetch`
    "#);
    let names: Vec<_> = std::fs::read_dir(place.path("")).expect("it is there").flatten().collect();
    assert_eq!(names.len(), 3, "the study and two files of output: {names:?}");
}

#[test]
fn check_prints_a_script_as_it_was_written() {
    let place = Place::of(
        "name = \"s\"\nslots = 1\n[[experiments]]\nname = \"e\"\nmeasure = { timeout = \"1m\", shell = '''\n\
         for n in 1 2; do\n    echo \"$n\"\ndone\n''' }\n",
    );
    assert_snapshot!(place.reprieve(&["check", "study.toml"]), @r#"
    exit code 0
    --- stdout
    study `s`: 1 experiment on 1 slot, judged by standard 0.1.0

    e  (1 device)
      measure  /bin/sh -c, timeout 1 min 00 s
               | for n in 1 2; do
               |     echo "$n"
               | done

    1 experiment, 1 command; nothing was started
    "#);
}

#[test]
fn check_prints_the_plan_for_machines() {
    let place = Place::of(STUDY);
    let plan = place.reprieve(&["check", "--json", "study.toml"]).json();
    assert_eq!(plan.len(), 3);
    assert_eq!(plan[1]["version"], 1);
    assert_eq!(plan[1]["name"], "b8");
    assert_eq!(plan[1]["stages"][1]["command"], json!(["bench", "--batch", "8"]));
    assert_eq!(plan[1]["stages"][1]["timeout_ms"], 600_000);
    assert_eq!(plan[2]["devices"], 2);
}

#[test]
fn show_tells_one_experiment_or_all() {
    let place = Place::of(
        "name = \"s\"\nslots = 1\npolicy = { settings = { delay_seconds = 0.01 } }\n\
         [[experiments]]\nname = \"good\"\nmeasure = [\"true\"]\n\
         [[experiments]]\nname = \"bad\"\nmeasure = [\"/bin/sh\", \"-c\", \"echo 'ValueError: no' >&2; exit 2\"]\n",
    );
    assert_eq!(place.run().code, 100);
    assert_snapshot!(place.show(), @r"
    exit code 0
    --- stdout
    study `s` (s-ID): 2 experiments

    good: succeeded
      measure 1 at TIME: exit code 0 after SPAN
        output: out/attempts/0000-good/measure-1
        accepted (standard)

    bad: failed
      measure 1 at TIME: exit code 2 after SPAN
        configuration: ValueError: no
        output: out/attempts/0001-bad/measure-1
        given up (standard): configuration failures do not pass by themselves

    complete: 1 succeeded, 1 failed, 0 not done, 0 retried
    ");
    let bad = place.reprieve(&["show", "out", "bad"]).stdout;
    assert!(bad.contains("bad: failed") && !bad.contains("good:"), "{bad}");
    assert_snapshot!(place.reprieve(&["show", "out", "ugly"]), @r"
    exit code 2
    --- stderr
    error: the study has no experiment `ugly`
    hint: `reprieve show out` names all of them
    ");
    let told = place.reprieve(&["show", "--json", "out", "bad"]).json();
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["version"], &told[0]["outcome"]), (&json!(1), &json!("failed")));
    assert_eq!(told[0]["events"][1]["attempt"]["ending"], json!({ "exited": 2 }));
}

#[test]
fn run_tells_machines_every_event_with_the_version() {
    let place = Place::of("name = \"s\"\nslots = 1\n[[experiments]]\nname = \"e\"\nmeasure = [\"true\"]\n");
    let ran = place.reprieve(&["run", "study.toml", "--dir", "out", "--json"]);
    let told: Vec<_> =
        ran.json().iter().map(|line| (line["version"].clone(), line["event"].clone())).collect();
    let events = ["study-started", "attempt-started", "attempt-ended", "decided", "study-ended"];
    assert_eq!(told, events.map(|event| (json!(1), json!(event))));
}

#[test]
fn machines_can_join_the_numbers_of_events_to_experiments() {
    let place = Place::of(
        "name = \"s\"\nslots = 1\n[[experiments]]\nname = \"b{batch}\"\nmatrix = { batch = [1, 8] }\n\
         labels = { suite = \"latency\" }\nrepeats = 2\nmeasure = [\"false\"]\n",
    );
    let ran = place.reprieve(&["run", "study.toml", "--dir", "out", "--json"]).json();
    let planned = ran[0]["planned"].as_array().expect("the first line names them").clone();
    assert_eq!(planned.len(), 4);
    assert_eq!(
        planned[3],
        json!({
            "experiment": 3,
            "name": "b8#2",
            "parameters": [{ "name": "batch", "value": "8" }],
            "labels": [{ "name": "suite", "value": "latency" }],
            "adjustable": [],
            "devices": 1,
            "repeat": 2,
            "directory": "attempts/0003-b8#2",
        })
    );
    assert!(place.path("out/attempts/0003-b8#2/measure-1/record.json").exists());
    let lines = place.lines("out/experiments.jsonl");
    let parse = |line: &String| serde_json::from_str(line).expect("every line is JSON");
    assert_eq!(lines.iter().map(parse).collect::<Vec<serde_json::Value>>(), planned);
    assert!(ran[1..].iter().all(|line| line.get("planned").is_none()));
    let shown = place.reprieve(&["show", "--json", "out", "b8#2"]).json();
    assert_eq!((&shown[0]["experiment"], &shown[0]["name"]), (&json!(3), &json!("b8#2")));
    assert_eq!(shown[0]["events"][0]["experiment"], json!(3));
}

#[test]
fn exec_exits_as_its_command_does() {
    let place = Place::new();
    let exec = |dir: &str, script: &str| {
        let settings = r#"{"delay_seconds": 0.01}"#;
        place.reprieve(&["exec", "--dir", dir, "--settings", settings, "--", "/bin/sh", "-c", script]).code
    };
    assert_eq!(exec("good", "true"), 0);
    assert_eq!(exec("bad", "exit 3"), 3);
    assert_eq!(exec("killed", "kill -SEGV $$"), 139);
    assert_eq!(exec("flaky", "echo >> n; [ $(wc -l < n) -ge 3 ] || exit 75"), 0);
    assert_eq!(exec("reported", r#"echo '{"retryable": false}' > "$REPRIEVE_REPORT""#), 100);
    assert_eq!(place.lines("n").len(), 3);
    assert_eq!(place.reprieve(&["exec", "--dir", "missing", "--", "./no-such-program"]).code, 127);
}

#[test]
fn exec_prints_what_its_last_attempt_printed_and_nothing_else_to_stdout() {
    let place = Place::new();
    let settings = r#"{"delay_seconds": 0.01}"#;
    let script = "echo >> n; wc -l < n; echo \"try $(wc -l < n)\" >&2; [ $(wc -l < n) -ge 2 ] || exit 75";
    let args = ["exec", "--dir", "out", "--settings", settings, "--", "/bin/sh", "-c", script];
    assert_snapshot!(place.reprieve(&args), @r"
    exit code 0
    --- stdout
    2
    --- stderr
    study `exec`: 1 experiment on 1 slot, judged by standard 0.1.0
    recorded in out
    TIME  sh  measure  attempt 1 on slot 0
    TIME  sh  measure  failed: exit code 75 after SPAN (attempt 1)
                           unknown: exit code 75: try 1
    TIME  sh  measure  retry in 10 ms at TIME (standard): the experiment called its unknown failure worth retrying: exit code 75 (EX_TEMPFAIL); retry 1 of 3
    TIME  sh  measure  attempt 2 on slot 0
    TIME  sh  measure  ok in SPAN (attempt 2)

    complete: 1 succeeded; 1 retry, SPAN
    try 2
    ");
    let ran = place.reprieve(&["exec", "--json", "--dir", "json", "--", "echo", "hello"]);
    assert_eq!(ran.json().len(), 5, "{ran}");
}

#[test]
fn exec_passes_arguments_on_as_they_are() {
    let place = Place::new();
    let ran = place.reprieve(&[
        "exec",
        "--dir",
        "out",
        "--",
        "/bin/sh",
        "-c",
        "printf '%s\\n' \"$@\" > given",
        "sh",
        "{a}",
        "{{b}}",
        "--json",
        "",
    ]);
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(place.lines("given"), ["{a}", "{{b}}", "--json", ""]);
}

#[test]
fn exec_heeds_its_limits_and_refuses_what_it_cannot_read() {
    let place = Place::new();
    let settings = r#"{"retry_once": []}"#;
    let ran = place.reprieve(&[
        "exec",
        "--dir",
        "out",
        "--timeout",
        "100ms",
        "--settings",
        settings,
        "--",
        "sleep",
        "600",
    ]);
    assert_eq!(ran.code, 124, "{ran}");
    assert!(ran.stderr.contains("ran past its time limit"), "{ran}");
    assert_snapshot!(place.reprieve(&["exec", "--settings", "[1]", "--", "true"]), @r#"
    exit code 2
    --- stderr
    error: `--settings` is not a JSON object: `[1]`
    hint: for example `{"max_retries": 5}`
    "#);
    assert_snapshot!(place.reprieve(&["exec", "--timeout", "soon", "--", "true"]), @r#"
    exit code 2
    --- stderr
    error: `--timeout` is no duration
    hint: write it like "250ms", "90s", "10m" or "1h 30m"; hours are the longest unit
    "#);
    assert_snapshot!(place.reprieve(&["exec", "--settings", "{\"max_retry\": 1}", "--", "true"]), @r"
    exit code 2
    --- stderr
    error: policy `standard` refuses its settings: unknown field `max_retry`, expected one of `max_retries`, `delay_seconds`, `backoff_factor`, `max_delay_seconds`, `jitter`, `retry`, `retry_once`, `retries_in_study`, `stop_after_failures_in_a_row`, `leftovers_grace_seconds`, `remove_shared_memory`, `memory_tolerance_mib`, `memory_timeout_seconds`, `cool_down_to_celsius`, `cool_down_timeout_seconds`
    hint: did you mean `max_retries`?
    ");
    assert!(!place.path("reprieve-studies").exists());
}

#[test]
fn what_cannot_be_printed_is_an_error() {
    let place = Place::of(STUDY);
    let reprieve = env!("CARGO_BIN_EXE_reprieve");
    for arguments in ["check study.toml", "check study.toml --json"] {
        let script = format!("exec '{reprieve}' {arguments} > /dev/full");
        let ran = place.start_under(&["/bin/sh", "-c", &script, "--"], &[]).wait();
        assert!(ran.code == 1 && ran.stderr.contains("No space left on device"), "{arguments}: {ran}");
    }
}

#[test]
fn every_command_has_its_help() {
    let place = Place::new();
    assert_snapshot!(place.reprieve(&["--help"]).stdout, @r"
    Run studies whose failures get a second chance, as a sandboxed policy decides

    Usage: reprieve [OPTIONS] <COMMAND>

    Commands:
      run     Run a study file to its end
      check   Check a study file and its policies, print the plan, and start nothing
      resume  Go on with a study where it stopped
      show    Tell what happened in a study, attempt by attempt
      exec    Run one command under a policy, without a study file
      gpu     Tell of this machine's devices, and of who is on them
      doctor  Check what studies need of this machine, and say what to do where it falls short
      policy  Look at a policy, try it out, share it, and ask it about the past
      help    Print this message or the help of the given subcommand(s)

    Options:
          --json     Print JSON lines for machines instead of text for people; errors stay text, on standard error
      -h, --help     Print help
      -V, --version  Print version
    ");
    assert_snapshot!(place.reprieve(&["run", "--help"]).stdout, @r"
    Run a study file to its end

    Usage: reprieve run [OPTIONS] <STUDY>

    Arguments:
      <STUDY>  The study file, in TOML or YAML

    Options:
          --policy <POLICY>  A policy to use instead of the study's own, with its default settings: a file, `oci://…` or `standard`
          --dir <DIR>        Where the journal and the attempts go; must not hold a study yet. [default: reprieve-studies/NAME-TIME-PID]
          --wait             Wait for devices that another study has, rather than fail at once
          --json             Print JSON lines for machines instead of text for people; errors stay text, on standard error
      -h, --help             Print help
    ");
    assert_snapshot!(place.reprieve(&["check", "--help"]).stdout, @r"
    Check a study file and its policies, print the plan, and start nothing

    Usage: reprieve check [OPTIONS] <STUDY>

    Arguments:
      <STUDY>  The study file, in TOML or YAML

    Options:
          --policy <POLICY>  A policy to use instead of the study's own, with its default settings: a file, `oci://…` or `standard`
          --json             Print JSON lines for machines instead of text for people; errors stay text, on standard error
      -h, --help             Print help
    ");
    assert_snapshot!(place.reprieve(&["resume", "--help"]).stdout, @r"
    Go on with a study where it stopped

    Usage: reprieve resume [OPTIONS] <DIR>

    Arguments:
      <DIR>  The study's directory

    Options:
          --failed      Run the failed experiments again too
          --wait        Wait for devices that another study has, rather than fail at once
          --as-started  Go on by the study as it was started, although its file has changed since
          --json        Print JSON lines for machines instead of text for people; errors stay text, on standard error
      -h, --help        Print help
    ");
}

#[test]
fn the_commands_that_need_no_study_file_have_theirs() {
    let place = Place::new();
    assert_snapshot!(place.reprieve(&["show", "--help"]).stdout, @r"
    Tell what happened in a study, attempt by attempt

    Usage: reprieve show [OPTIONS] <DIR> [EXPERIMENT]

    Arguments:
      <DIR>         The study's directory
      [EXPERIMENT]  Only this experiment

    Options:
          --json  Print JSON lines for machines instead of text for people; errors stay text, on standard error
      -h, --help  Print help
    ");
    assert_snapshot!(place.reprieve(&["exec", "--help"]).stdout, @r"
    Run one command under a policy, without a study file

    Usage: reprieve exec [OPTIONS] -- <COMMAND>...

    Arguments:
      <COMMAND>...  The command and its arguments, after `--`

    Options:
          --policy <POLICY>  A policy to use instead of the standard one: a file, or `oci://…`
          --settings <JSON>  Settings for the policy, a JSON object [default: {}]
          --timeout <TIME>   How long each attempt may run, for example `10m`
          --silence <TIME>   How long each attempt may print nothing, for example `2m`
          --dir <DIR>        Where the journal and the attempts go; must not hold a study yet. [default: reprieve-studies/exec-TIME-PID]
          --wait             Wait for devices that another study has, rather than fail at once
          --json             Print JSON lines for machines instead of text for people; errors stay text, on standard error
      -h, --help             Print help
    ");
}

#[test]
fn a_mistake_in_a_study_is_shown_where_it_is() {
    let place = Place::of(&STUDY.replace("timeout", "timeuot"));
    assert_snapshot!(place.run(), @r#"
    exit code 2
    --- stderr
    error: unknown key `timeuot`
     --> HERE/study.toml:7:1
      |
    7 | timeuot = "10m"
      | ^^^^^^^
      |
    hint: did you mean `timeout`?
    "#);
    assert!(!place.path("out").exists());
}

#[test]
fn a_study_may_be_yaml() {
    let place = Place::new();
    place.write("study.yaml", "name: s\nslots: 1\nexperiments:\n  - name: e\n    measure: [touch, made]\n");
    assert_eq!(place.reprieve(&["run", "study.yaml", "--dir", "out"]).code, 0);
    assert!(place.path("made").exists());
}

#[test]
fn a_study_that_is_not_there_is_told_so() {
    assert_snapshot!(Place::new().run(), @r"
    exit code 2
    --- stderr
    error: cannot read `study.toml`: No such file or directory (os error 2)
    ");
}

#[test]
fn a_policy_that_cannot_be_used_is_found_before_anything_starts() {
    let study = |policy: &str| {
        Place::of(&format!(
            "name = \"s\"\nslots = 1\npolicy = {policy}\n[[experiments]]\nname = \"e\"\nmeasure = [\"true\"]\n"
        ))
    };
    let missing = study("{ use = \"nowhere.wasm\" }");
    assert_snapshot!(missing.run(), @r"
    exit code 2
    --- stderr
    error: policy `HERE/nowhere.wasm` does not exist
    hint: look at the path; `standard` names the built-in policy, and `oci://…` one in a registry
    ");
    let text = study("{ use = \"./study.toml\" }");
    assert_snapshot!(text.run(), @r#"
    exit code 2
    --- stderr
    error: policy `HERE/./study.toml` is not WebAssembly: it begins with `name = \"s\"\nslots`
    hint: give what a compiler wrote for WebAssembly, `.wasm` or `.wat`
    "#);
    let settings = study("{ settings = { max_retry = 3 } }");
    assert_snapshot!(settings.run(), @r"
    exit code 2
    --- stderr
    error: policy `standard` refuses its settings: unknown field `max_retry`, expected one of `max_retries`, `delay_seconds`, `backoff_factor`, `max_delay_seconds`, `jitter`, `retry`, `retry_once`, `retries_in_study`, `stop_after_failures_in_a_row`, `leftovers_grace_seconds`, `remove_shared_memory`, `memory_tolerance_mib`, `memory_timeout_seconds`, `cool_down_to_celsius`, `cool_down_timeout_seconds`
     --> HERE/study.toml:3:25
      |
    3 | policy = { settings = { max_retry = 3 } }
      |                         ^^^^^^^^^^^^^
      |
    hint: did you mean `max_retries`?
    ");
    let instead = settings.reprieve(&["run", "study.toml", "--dir", "out", "--policy", "other.wasm"]);
    assert_snapshot!(instead, @r"
    exit code 2
    --- stderr
    error: policy `HERE/other.wasm` does not exist
    hint: look at the path; `standard` names the built-in policy, and `oci://…` one in a registry
    ");
    for place in [missing, text, settings] {
        assert!(!place.path("out").exists());
    }
}

#[test]
fn a_directory_that_holds_a_study_is_left_as_it_is() {
    let place = Place::of("name = \"s\"\nslots = 1\n[[experiments]]\nname = \"e\"\nmeasure = [\"true\"]\n");
    assert_eq!(place.run().code, 0);
    let before = std::fs::read(place.path("out/journal.jsonl")).expect("a journal");
    assert_snapshot!(place.run(), @r"
    exit code 2
    --- stderr
    error: `HERE/out` holds a study already
    hint: `reprieve resume HERE/out` goes on with it; a new one needs another `--dir`
    ");
    assert_eq!(std::fs::read(place.path("out/journal.jsonl")).expect("a journal"), before);
}

#[test]
fn a_study_runs_where_no_directory_was_named() {
    let place = Place::of("name = \"s\"\nslots = 1\n[[experiments]]\nname = \"e\"\nmeasure = [\"true\"]\n");
    assert_eq!(place.reprieve(&["run", "study.toml"]).code, 0);
    let made: Vec<_> = std::fs::read_dir(place.path("reprieve-studies")).expect("it is made").collect();
    assert_eq!(made.len(), 1);
}
