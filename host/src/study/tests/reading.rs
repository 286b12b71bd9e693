//! Studies that are as they should be, and what is read from them.

use std::time::Duration;

use super::*;

const TOML: &str = r#"
name = "first-night"
seed = 7
order = "interleaved"
repeats = 1
slots = 2
interrupt_grace = "30s"

[policy]
use = "standard"
fallback = "give-up"
settings = { max_retries = 3, jitter = "full", classes = ["network", "hang"], factor = 1.5, off = -1 }
limits = { fuel = 1_000_000, deadline = "1s" }

[policy.prepare]
settings = { max_retries = 9 }

[policy.finish]
use = "./mine.wasm"

[limits]
max_attempts = 20
max_delay = "1h"
max_duration = "12h"

[[patterns]]
class = "network"
regex = "weights mirror said no"

[defaults]
environment = { HF_HOME = "/data/hf", OMP_NUM_THREADS = 8 }
parameters = { dtype = "bf16", lr = 1e-4 }
labels = { team = "perf" }
prepare = ["huggingface-cli", "download", "{model}"]
timeout = "1h"
grace = "5s"

[[experiments]]
name = "llama-{model}-b{batch}"
devices = 2
directory = "runs/{model}"
environment = { MODEL = "{model}", OMP_NUM_THREADS = 1 }
parameters = { dtype = "fp8" }
labels = { size = "big" }
adjustable = ["batch"]
matrix = { model = ["8b", "70b"], batch = [1, 8] }
repeats = 3
measure = { command = ["python", "bench.py", "--batch", "{batch}", "--lr", "{lr}", 7], timeout = "10m", silence = "2m", grace = "10s" }
finish = { shell = "stop-tracking ${HOME}" }

[[experiments]]
name = "baseline"
matrix = { model = ["tiny"] }
measure = ["true"]
"#;

const YAML: &str = r#"
name: first-night
seed: 7
order: interleaved
repeats: 1
slots: 2
interrupt_grace: 30s
policy:
  use: standard
  fallback: give-up
  settings: { max_retries: 3, jitter: full, classes: [network, hang], factor: 1.5, off: -1 }
  limits: { fuel: 1000000, deadline: 1s }
  prepare:
    settings: { max_retries: 9 }
  finish:
    use: ./mine.wasm
limits:
  max_attempts: 20
  max_delay: 1h
  max_duration: 12h
patterns:
  - class: network
    regex: weights mirror said no
defaults:
  environment: { HF_HOME: /data/hf, OMP_NUM_THREADS: 8 }
  parameters: { dtype: bf16, lr: 1e-4 }
  labels: { team: perf }
  prepare: [huggingface-cli, download, "{model}"]
  timeout: 1h
  grace: 5s
experiments:
  - name: llama-{model}-b{batch}
    devices: 2
    directory: runs/{model}
    environment: { MODEL: "{model}", OMP_NUM_THREADS: 1 }
    parameters: { dtype: fp8 }
    labels: { size: big }
    adjustable: [batch]
    matrix: { model: [8b, 70b], batch: [1, 8] }
    repeats: 3
    measure:
      command: [python, bench.py, --batch, "{batch}", --lr, "{lr}", 7]
      timeout: 10m
      silence: 2m
      grace: 10s
    finish: { shell: "stop-tracking ${HOME}" }
  - name: baseline
    matrix: { model: [tiny] }
    measure: ["true"]
"#;

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

#[test]
fn toml_and_yaml_say_the_same() {
    assert_eq!(toml(TOML), yaml(YAML));
}

#[test]
fn the_study_s_own_settings_are_read() {
    let study = toml(TOML);
    assert_eq!((study.name.as_str(), study.seed, study.slots), ("first-night", 7, Some(2)));
    assert_eq!(study.order, Order::Interleaved);
    assert_eq!(study.interrupt_grace, Duration::from_secs(30));
    let limits = Limits { max_attempts: 20, max_delay: minutes(60), max_duration: Some(minutes(12 * 60)) };
    assert_eq!(study.limits, limits);
    let pattern = PatternSpec { class: FailureClass::Network, regex: "weights mirror said no".to_owned() };
    assert_eq!(study.patterns, [pattern]);
}

#[test]
fn what_is_left_out_has_the_documented_default() {
    let study = toml("name = 'a'\nexperiments = [{ name = 'x', measure = ['true'] }]");
    assert_eq!((study.seed, study.slots, study.order), (0, None, Order::Sequential));
    assert_eq!(study.interrupt_grace, minutes(1));
    let limits = Limits { max_attempts: 100, max_delay: minutes(24 * 60), max_duration: None };
    assert_eq!(study.limits, limits);
    assert_eq!(*study.policies.of(Stage::Measure), PolicySpec::default());
    assert_eq!(study.devices_of(ExperimentId(0)), 1);
    let command = study.experiment(ExperimentId(0)).command(Stage::Measure, &[]).unwrap();
    assert_eq!((command.timeout, command.silence, command.grace), (None, None, Duration::from_secs(10)));
    assert_eq!(command.directory, Path::new("/studies/"));
}

#[test]
fn a_stage_s_policy_is_the_study_s_but_for_what_it_says() {
    let policies = toml(TOML).policies;
    let retries = |stage| policies.of(stage).settings.get("max_retries").cloned();
    assert_eq!(retries(Stage::Measure), Some(3.into()));
    assert_eq!(retries(Stage::Prepare), Some(9.into()));
    assert_eq!(policies.of(Stage::Prepare).limits.fuel, Some(1_000_000));
    assert_eq!(policies.of(Stage::Prepare).fallback, Fallback::GiveUp);
    // Another component would not know the settings of the first.
    let finish = policies.of(Stage::Finish);
    assert_eq!(finish.component, PolicyComponent::File("/studies/./mine.wasm".into()));
    assert!(finish.settings.is_empty());
}

#[test]
fn settings_become_json() {
    let settings = toml(TOML).policies.of(Stage::Measure).settings.clone();
    insta::assert_snapshot!(serde_json::to_string(&settings).unwrap(), @r#"{"classes":["network","hang"],"factor":1.5,"jitter":"full","max_retries":3,"off":-1}"#);
}

#[test]
fn commands_are_filled_in_from_defaults_matrix_and_overrides() {
    let study = toml(TOML);
    let id = study.ids().find(|id| study.name_of(*id) == "llama-70b-b8#2").unwrap();
    let experiment = study.experiment(id);
    assert_eq!((experiment.devices, experiment.repeat), (2, 2));
    assert_eq!(experiment.labels, [parameter("team", "perf"), parameter("size", "big")]);
    assert_eq!(experiment.adjustable, ["batch"]);
    let prepare = experiment.command(Stage::Prepare, &[]).unwrap();
    assert_eq!(prepare.command, ["huggingface-cli", "download", "70b"]);
    assert_eq!((prepare.timeout, prepare.grace), (Some(minutes(60)), Duration::from_secs(5)));
    let measure = experiment.command(Stage::Measure, &[parameter("batch", "4")]).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&measure).unwrap(), @r#"
    {
      "command": [
        "python",
        "bench.py",
        "--batch",
        "4",
        "--lr",
        "1e-4",
        "7"
      ],
      "environment": [
        [
          "HF_HOME",
          "/data/hf"
        ],
        [
          "OMP_NUM_THREADS",
          "1"
        ],
        [
          "MODEL",
          "70b"
        ],
        [
          "REPRIEVE_PARAMETER_DTYPE",
          "fp8"
        ],
        [
          "REPRIEVE_PARAMETER_LR",
          "1e-4"
        ],
        [
          "REPRIEVE_PARAMETER_MODEL",
          "70b"
        ],
        [
          "REPRIEVE_PARAMETER_BATCH",
          "4"
        ]
      ],
      "directory": "/studies/runs/70b",
      "timeout_ms": 600000,
      "silence_ms": 120000,
      "grace_ms": 10000
    }
    "#);
}

#[test]
fn a_shell_is_only_asked_for_and_is_told_parameters_in_its_environment() {
    let study = toml(
        "name = 'a'\n[[experiments]]\nname = 'x'\nmatrix = { batch-size = ['$(rm -rf /)'] }\n\
         measure = { shell = 'run \"$REPRIEVE_PARAMETER_BATCH_SIZE\" ${HOME} {other}' }",
    );
    let command = study.experiment(ExperimentId(0)).command(Stage::Measure, &[]).unwrap();
    let script = "run \"$REPRIEVE_PARAMETER_BATCH_SIZE\" ${HOME} {other}";
    assert_eq!(command.command, ["/bin/sh", "-c", script]);
    let told = ("REPRIEVE_PARAMETER_BATCH_SIZE".to_owned(), "$(rm -rf /)".to_owned());
    assert_eq!(command.environment, [told]);
}

#[test]
fn stages_that_are_not_there_have_no_command() {
    let study = toml(TOML);
    let baseline = study.ids().find(|id| study.name_of(*id) == "baseline").unwrap();
    assert!(!study.has_stage(baseline, Stage::Finish));
    assert!(study.has_stage(baseline, Stage::Prepare));
    assert_eq!(study.experiment(baseline).command(Stage::Finish, &[]), None);
}

#[test]
fn the_last_name_of_a_matrix_changes_fastest_in_file_order() {
    let study = toml(
        "name = 'a'\n[[experiments]]\nname = '{z}{a}{m}'\nmeasure = ['x']\n[experiments.matrix]\n\
         z = [1, 2]\na = ['p', 'q']\nm = [true]",
    );
    assert_eq!(names(&study), ["1ptrue", "1qtrue", "2ptrue", "2qtrue"]);
}

#[test]
fn sequential_keeps_repeats_together_and_interleaved_runs_rounds() {
    let study = |order: &str| {
        toml(&format!(
            "name = 'a'\norder = '{order}'\nrepeats = 2\ndefaults.measure = ['x']\nexperiments = [\n\
             {{ name = 'a' }}, {{ name = 'b', repeats = 1 }}, {{ name = 'c', repeats = 3 }}]",
        ))
    };
    assert_eq!(names(&study("sequential")), ["a#1", "a#2", "b", "c#1", "c#2", "c#3"]);
    assert_eq!(names(&study("interleaved")), ["a#1", "b", "c#1", "a#2", "c#2", "c#3"]);
}

#[test]
fn a_shuffled_order_never_changes() {
    let study = toml(
        "name = 'a'\norder = 'shuffled'\nseed = 7\nexperiments = [\n\
         { name = '{n}', measure = ['x'], matrix = { n = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] } }]",
    );
    // Journals of running studies hold positions: another order here breaks
    // the resume of each of them.
    insta::assert_snapshot!(names(&study).join(" "), @"9 5 8 6 1 2 4 7 0 3");
}

#[test]
fn words_that_other_yamls_take_for_truth_values_are_text() {
    let study = yaml(
        "name: a\nexperiments:\n- name: x\n  measure: [x]\n  parameters:\n    a: yes\n    b: off\n    c: True\n\
         \x20   d: 0o17\n    e: 007\n    f: 1_000\n    g: 1.50\n    h: \"true\"\n    i: .inf\n    j: 0xFF\n",
    );
    let experiment = study.experiment(ExperimentId(0));
    let values: Vec<&str> = experiment.parameters.iter().map(|p| p.value.as_str()).collect();
    assert_eq!(values, ["yes", "off", "true", "0o17", "007", "1_000", "1.50", "true", ".inf", "0xFF"]);
}

#[test]
fn yaml_anchors_and_merges_are_followed() {
    let study = yaml(
        "name: a\nexperiments:\n- &base\n  name: x\n  measure: [run, 1.50]\n  devices: 2\n- <<: *base\n  name: y\n",
    );
    let experiment = study.experiment(ExperimentId(1));
    assert_eq!((experiment.name.as_str(), experiment.devices), ("y", 2));
    assert_eq!(experiment.command(Stage::Measure, &[]).unwrap().command, ["run", "1.50"]);
}

#[test]
fn the_matrix_may_vary_what_the_defaults_fix() {
    let study = toml(
        "name = 'a'\n[defaults]\nparameters = { dtype = 'bf16' }\nmeasure = ['x', '{dtype}']\n\
         [[experiments]]\nname = '{dtype}'\nmatrix = { dtype = ['fp8'] }",
    );
    let experiment = study.experiment(ExperimentId(0));
    assert_eq!(experiment.parameters, [parameter("dtype", "fp8")]);
    assert_eq!(experiment.command(Stage::Measure, &[]).unwrap().command, ["x", "fp8"]);
}

#[test]
fn braces_that_are_no_placeholder_stay() {
    let filled = |argument: &str| {
        let study = toml(&format!(
            "name = 'a'\n[[experiments]]\nname = 'x'\nparameters = {{ b = 8 }}\nmeasure = ['x', '''{argument}''']",
        ));
        study.experiment(ExperimentId(0)).command(Stage::Measure, &[]).unwrap().command[1].clone()
    };
    for (written, meant) in [
        ("{b}", "8"),
        ("{{b}}", "{b}"),
        ("{{{b}}}", "{8}"),
        ("{{{{b}}}}", "{{b}}"),
        (r#"{"a":1}"#, r#"{"a":1}"#),
        (r#"{"a":{"b":{b}}}"#, r#"{"a":{"b":8}}"#),
        ("${b}", "${b}"),
        ("$${b}", "$${b}"),
        ("{}{ b }{1}{b", "{}{ b }{1}{b"),
        ("{{ b }}", "{{ b }}"),
        ("é{b}é}", "é8é}"),
    ] {
        assert_eq!(filled(written), meant, "{written}");
    }
}

#[test]
fn a_run_is_small_in_memory() {
    assert!(size_of::<Cell>() <= 16);
}

#[test]
fn a_source_outlives_its_file_and_gives_the_same_study() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("night.yml");
    std::fs::write(&path, YAML).unwrap();
    let (study, source) = Study::load(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let journaled = serde_json::to_string(&source).unwrap();
    let source: Source = serde_json::from_str(&journaled).unwrap();
    assert_eq!(Study::parse(&source).unwrap(), study);
    let command = study.experiment(ExperimentId(0)).command(Stage::Measure, &[]).unwrap();
    assert_eq!(command.directory, folder.path().join("runs/8b"));
}

#[test]
fn files_that_cannot_be_studies_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let latin = folder.path().join("latin.toml");
    std::fs::write(&latin, b"name = 'caf\xe9'").unwrap();
    let message = |path: &Path| {
        let shown = Study::load(path).unwrap_err().to_string();
        shown.replace(&folder.path().display().to_string(), "")
    };
    insta::assert_snapshot!(message(&latin), @r"
    error: `/latin.toml` is not UTF-8, from byte 11 on
     |
    hint: save the file as UTF-8
    ");
    insta::assert_snapshot!(message(&folder.path().join("absent.toml")), @"error: cannot read `/absent.toml`: No such file or directory (os error 2)");
    insta::assert_snapshot!(message(&folder.path().join("study.json")), @r"
    error: cannot tell what language `/study.json` is written in
     |
    hint: a study's name ends in `.toml`, `.yaml` or `.yml`
    ");
}
