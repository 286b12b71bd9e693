//! Study files that nobody would write, and those with mistakes anybody might make.

use arbitrary::{Result, Unstructured};
use reprieve::study::{Format, Source, Study};

use crate::{fuzz, harm::harm};

/// Every key that there is, in both formats.
const TOML: &str = r#"
name = "all"
seed = 7
order = "interleaved"
repeats = 3
slots = 2
interrupt_grace = "60s"
[policy]
use = "standard"
fallback = "stop"
settings = { max_retries = 3, retry = ["network", "hang"], delay_seconds = 0.5 }
limits = { fuel = 1000000, deadline = "1s" }
[policy.prepare]
use = "./other.wasm"
[cleanup]
policy = { use = "standard" }
unclean = "quarantine"
hooks.clocks = { command = ["nvidia-smi", "-rgc"], timeout = "60s" }
[nvml]
library = "/usr/lib/libnvidia-ml.so.1"
sample_every = "500ms"
[limits]
max_attempts = 7
max_delay = "1h"
max_duration = "48h"
[defaults]
timeout = "1h"
environment = { A = "1", B = "{batch}" }
[[patterns]]
class = "rate-limited"
regex = "quota of \\w+ spent"
[[experiments]]
name = "{model}-{batch}"
matrix = { model = ["8b", "70b"], batch = [1, 8, 16] }
parameters = { dtype = "fp16", temperature = 0.5, flash = true }
adjustable = ["batch"]
devices = 1
labels = { kind = "sweep" }
directory = "runs/{model}"
silence = "10m"
grace = "5s"
prepare = ["fetch", "{model}"]
measure = { command = ["bench", "--batch", "{batch}", "$${literal}"], timeout = "30m" }
finish = { shell = "echo done" }
"#;

const YAML: &str = r#"
name: yaml
order: shuffled
defaults: &defaults
  timeout: 90s
experiments:
  - name: "a-{n}"
    matrix: {n: [1, 2, 3]}
    <<: *defaults
    measure: [echo, "{n}"]
  - name: b
    parameters: {text: "x", number: 1.5, yes: true}
    measure:
      shell: |
        echo one
        echo two
"#;

const WORDS: [&str; 44] = [
    "name",
    "experiments",
    "measure",
    "matrix",
    "parameters",
    "policy",
    "settings",
    "timeout",
    "repeats",
    "devices",
    "patterns",
    "regex",
    "shell",
    "command",
    "{x}",
    "{{x}}",
    "{",
    "}",
    "[",
    "]",
    "[[",
    "= ",
    ": ",
    "- ",
    "\n",
    "\r\n",
    "\n  ",
    "\"",
    "'",
    "0",
    "-1",
    "4294967296",
    "1e999",
    "nan",
    "'1s'",
    "99999999999h",
    "1979-05-27",
    "\u{feff}",
    "\0",
    "\u{1b}[31m",
    "&a ",
    "*a",
    "<<: *a",
    "(a{1000}){1000}",
];

/// Reads it; what is read can be told, and what is wrong can be shown.
fn read(format: Format, text: &str) {
    let source = Source { path: "/study".into(), format, text: text.to_owned() };
    match Study::parse(&source) {
        Ok(study) => {
            for id in study.ids().take(20) {
                let planned = serde_json::to_string(&study.planned(id)).expect("it is JSON");
                assert!(!planned.is_empty() && !study.name_of(id).is_empty());
            }
        }
        Err(error) => {
            let plain = error.render(false);
            assert!(plain.starts_with("error: ") && !plain.contains('\u{1b}'), "{plain}");
            assert!(error.render(true).contains('\u{1b}'));
        }
    }
}

fn any_text(u: &mut Unstructured<'_>) -> Result<(Format, String)> {
    let examples = [
        (Format::Toml, TOML),
        (Format::Yaml, YAML),
        (Format::Toml, include_str!("../../host/examples/first-night.toml")),
    ];
    let (format, text) = *u.choose(&examples)?;
    let mut bytes = text.as_bytes().to_vec();
    harm(&mut bytes, &WORDS, u)?;
    // A study's file that is no UTF-8 is refused when it is read.
    Ok((format, String::from_utf8_lossy(&bytes).into_owned()))
}

#[test]
fn no_study_file_takes_the_host_with_it() {
    for (format, text) in [(Format::Toml, TOML), (Format::Yaml, YAML)] {
        let source = Source { path: "/study".into(), format, text: text.to_owned() };
        if let Err(error) = Study::parse(&source) {
            panic!("{}", error.render(false));
        }
    }
    fuzz("study files", 5_000, 512, |u| {
        if let Ok((format, text)) = any_text(u) {
            read(format, &text);
        }
    });
}
