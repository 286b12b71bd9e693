//! What people get to see when a study file is wrong. Most files here are
//! wrong in many ways at once, since all of them are to be said at once.

use super::*;

fn in_toml(text: &str) -> String {
    Study::parse(&source(Format::Toml, text)).unwrap_err().to_string()
}

fn in_yaml(text: &str) -> String {
    Study::parse(&source(Format::Yaml, text)).unwrap_err().to_string()
}

#[test]
fn unknown_keys_come_with_the_key_that_was_meant() {
    insta::assert_snapshot!(in_toml(r#"
name = "a"
sede = 3
wombat = true
[limits]
max_attempt = 3
[policy]
fall_back = "stop"
[policy.measure]
finish = {}
[[experiments]]
name = "x"
mesure = ["true"]
measure = { comand = ["true"], shell = "true" }
"#), @r#"
    error: unknown key `sede`
     --> /studies/night.toml:3:1
      |
    3 | sede = 3
      | ^^^^
      |
    hint: did you mean `seed`?

    error: unknown key `wombat`
     --> /studies/night.toml:4:1
      |
    4 | wombat = true
      | ^^^^^^
      |
    hint: known here: `name`, `seed`, `order`, `repeats`, `slots`, `interrupt_grace`, `policy`, `cleanup`, `nvml`, `limits`, `patterns`, `defaults`, `experiments`

    error: unknown key `max_attempt`
     --> /studies/night.toml:6:1
      |
    6 | max_attempt = 3
      | ^^^^^^^^^^^
      |
    hint: did you mean `max_attempts`?

    error: unknown key `fall_back`
     --> /studies/night.toml:8:1
      |
    8 | fall_back = "stop"
      | ^^^^^^^^^
      |
    hint: did you mean `fallback`?

    error: unknown key `finish`
      --> /studies/night.toml:10:1
       |
    10 | finish = {}
       | ^^^^^^
       |
    hint: known here: `use`, `fallback`, `settings`, `limits`

    error: unknown key `mesure`
      --> /studies/night.toml:13:1
       |
    13 | mesure = ["true"]
       | ^^^^^^
       |
    hint: did you mean `measure`?

    error: unknown key `comand`
      --> /studies/night.toml:14:13
       |
    14 | measure = { comand = ["true"], shell = "true" }
       |             ^^^^^^
       |
    hint: did you mean `command`?
    "#);
}

#[test]
fn yaml_is_told_the_same_as_toml() {
    insta::assert_snapshot!(in_yaml("
name: a
experiments:
  - name: x-{modell}
    mesure: [\"true\"]
    matrix: { model: [a, b] }
    timeout: 600
    devices: [1]
    environment:
      A: {nested: 1}
      B:
  - &two
    measure: [ürgh, '🔥{modle}', {batch}]
    devices: 1.5
  - *two
"), @r#"
    error: the experiment has no `measure`
     --> /studies/night.yaml:4:5
      |
    4 |   - name: x-{modell}
      |     ^^^^
      |
    hint: give it one, here or in `defaults`: the program and its arguments

    error: no parameter is named `modell`
     --> /studies/night.yaml:4:13
      |
    4 |   - name: x-{modell}
      |             ^^^^^^^^
      |
    hint: did you mean `model`?
          for braces around a word, write `{{modell}}`

    error: unknown key `mesure`
     --> /studies/night.yaml:5:5
      |
    5 |     mesure: ["true"]
      |     ^^^^^^
      |
    hint: did you mean `measure`?

    error: `timeout` has no unit
     --> /studies/night.yaml:7:14
      |
    7 |     timeout: 600
      |              ^^^
      |
    hint: write `"600s"`

    error: `devices` must be a whole number, not a list
     --> /studies/night.yaml:8:14
      |
    8 |     devices: [1]
      |              ^

    error: `A` must be text, a number, or true or false, not a table
      --> /studies/night.yaml:10:11
       |
    10 |       A: {nested: 1}
       |           ^^^^^^

    error: `B` must be text, a number, or true or false, not nothing
      --> /studies/night.yaml:11:8
       |
    11 |       B:
       |        ^

    error: the experiment has no `name`
      --> /studies/night.yaml:13:5
       |
    13 |     measure: [ürgh, '🔥{modle}', {batch}]
       |     ^^^^^^^

    error: no parameter is named `modle`
      --> /studies/night.yaml:13:23
       |
    13 |     measure: [ürgh, '🔥{modle}', {batch}]
       |                        ^^^^^^^
       |
    hint: the experiment has no parameters
          for braces around a word, write `{{modle}}`

    error: an argument must be text, a number, or true or false, not a table
      --> /studies/night.yaml:13:34
       |
    13 |     measure: [ürgh, '🔥{modle}', {batch}]
       |                                   ^^^^^
       |
    hint: write `"{batch}"`, with the quotes

    error: `devices` must be a whole number from 1 to 1024
      --> /studies/night.yaml:14:14
       |
    14 |     devices: 1.5
       |              ^^^
    "#);
}

#[test]
fn a_reference_that_is_none_is_told_at_its_place() {
    let study = |reference: &str| {
        format!(
            "name = \"s\"\npolicy.use = \"{reference}\"\n[[experiments]]\nname = \"e\"\nmeasure = [\"true\"]\n"
        )
    };
    insta::assert_snapshot!(in_toml(&study("oci://ghcr.io/lab/two-strikes")), @r#"
    error: `oci://ghcr.io/lab/two-strikes` has neither tag nor digest
     --> /studies/night.toml:2:14
      |
    2 | policy.use = "oci://ghcr.io/lab/two-strikes"
      |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
    hint: for example `oci://ghcr.io/lab/two-strikes:1.2`, or `oci://ghcr.io/lab/two-strikes@sha256:…`
    "#);
    let told = |reference: &str| in_toml(&study(reference)).lines().next().unwrap_or_default().to_owned();
    for (reference, problem) in [
        ("https://ghcr.io/lab/two-strikes:1", "does not begin with `oci://`"),
        ("oci://two-strikes:1.2", "does not begin with a registry's host"),
        ("oci://lab/two-strikes:1.2", "does not begin with a registry's host"),
        ("oci://ghcr.io", "names a registry, and no policy in it"),
        ("oci://ghcr.io:99999/two-strikes:1.2", "has a port that is none"),
        ("oci://ghcr.io/lab/two-strikes@latest", "has a digest that is none"),
        ("oci://ghcr.io/Lab/two-strikes:1.2", "has a name that no registry takes"),
        ("oci://ghcr.io//two-strikes:1.2", "has a name that no registry takes"),
        ("oci://ghcr.io/../two-strikes:1.2", "has a name that no registry takes"),
        ("oci://ghcr.io/lab/two-strikes:", "has a tag that no registry takes"),
        ("oci://ghcr.io/lab/two-strikes@sha256:12", "has a digest that is none"),
        ("oci://ghcr.io/lab/two-strikes@md5:d41d8cd98f00b204e9800998ecf8427e", "has a digest that is none"),
    ] {
        assert_eq!(told(reference), format!("error: `{reference}` {problem}"));
    }
}

#[test]
fn an_empty_study_is_told_what_it_lacks() {
    insta::assert_snapshot!(in_toml(""), @r"
    error: the study has no `name`
     --> /studies/night.toml:1:1
      |
    1 |
      | ^
      |
    hint: write `name` first in the file

    error: the study has no experiments
     --> /studies/night.toml:1:1
      |
    1 |
      | ^
      |
    hint: give it at least one entry in `experiments`
    ");
    insta::assert_snapshot!(in_yaml("# nothing\n"), @r"
    error: the study has no `name`
     --> /studies/night.yaml:1:1
      |
    1 | # nothing
      | ^
      |
    hint: write `name` first in the file

    error: the study has no experiments
     --> /studies/night.yaml:1:1
      |
    1 | # nothing
      | ^
      |
    hint: give it at least one entry in `experiments`
    ");
    insta::assert_snapshot!(in_toml("name = 'a'\nexperiments = []\n"), @r"
    error: the study has no experiments
     --> /studies/night.toml:2:15
      |
    2 | experiments = []
      |               ^^
      |
    hint: give it at least one entry in `experiments`
    ");
    insta::assert_snapshot!(in_toml("name = 'a'\n[[experiments]]\n"), @r"
    error: the experiment has no `name`
     --> /studies/night.toml:2:1
      |
    2 | [[experiments]]
      | ^^^^^^^^^^^^^^^

    error: the experiment has no `measure`
     --> /studies/night.toml:2:1
      |
    2 | [[experiments]]
      | ^^^^^^^^^^^^^^^
      |
    hint: give it one, here or in `defaults`: the program and its arguments
    ");
    insta::assert_snapshot!(in_yaml("- name: a\n"), @r"
    error: a study must be a table, not a list
     --> /studies/night.yaml:1:1
      |
    1 | - name: a
      | ^
    ");
}

#[test]
fn the_study_s_own_values_are_checked() {
    insta::assert_snapshot!(in_toml(r#"
name = "First Night"
seed = -1
order = "shuffeld"
repeats = 0
slots = "2"
interrupt_grace = "60"
limits = { max_attempts = 0, max_delay = "1d", max_duration = "100000h" }
patterns = [{ class = "netwrok", regex = "(a" }, { regex = "a" }, "a"]
experiments = [{ name = "x", measure = ["true"] }]
"#), @r#"
    error: a study's name is made of `a` to `z`, `0` to `9`, `.`, `_` and `-`, and starts with a letter or a digit
     --> /studies/night.toml:2:8
      |
    2 | name = "First Night"
      |        ^^^^^^^^^^^^^
      |
    hint: for example `first-night`

    error: `seed` must be a whole number from 0 to 18446744073709551615
     --> /studies/night.toml:3:8
      |
    3 | seed = -1
      |        ^^

    error: `order` cannot be `shuffeld`
     --> /studies/night.toml:4:9
      |
    4 | order = "shuffeld"
      |         ^^^^^^^^^^
      |
    hint: did you mean `shuffled`?

    error: `repeats` must be a whole number from 1 to 1000000
     --> /studies/night.toml:5:11
      |
    5 | repeats = 0
      |           ^

    error: `slots` must be a whole number, not text
     --> /studies/night.toml:6:9
      |
    6 | slots = "2"
      |         ^^^
      |
    hint: write `2`, without quotes

    error: `interrupt_grace` has no unit
     --> /studies/night.toml:7:19
      |
    7 | interrupt_grace = "60"
      |                   ^^^^
      |
    hint: write `"60s"`

    error: `max_attempts` must be a whole number from 1 to 4294967295
     --> /studies/night.toml:8:27
      |
    8 | limits = { max_attempts = 0, max_delay = "1d", max_duration = "100000h" }
      |                           ^

    error: `max_delay` is no duration
     --> /studies/night.toml:8:42
      |
    8 | limits = { max_attempts = 0, max_delay = "1d", max_duration = "100000h" }
      |                                          ^^^^
      |
    hint: write it like "250ms", "90s", "10m" or "1h 30m"; hours are the longest unit

    error: `max_duration` is longer than ten years
     --> /studies/night.toml:8:63
      |
    8 | limits = { max_attempts = 0, max_delay = "1d", max_duration = "100000h" }
      |                                                               ^^^^^^^^^

    error: `class` cannot be `netwrok`
     --> /studies/night.toml:9:23
      |
    9 | patterns = [{ class = "netwrok", regex = "(a" }, { regex = "a" }, "a"]
      |                       ^^^^^^^^^
      |
    hint: did you mean `network`?

    error: `regex` is no regular expression: unclosed group
     --> /studies/night.toml:9:42
      |
    9 | patterns = [{ class = "netwrok", regex = "(a" }, { regex = "a" }, "a"]
      |                                          ^^^^

    error: the pattern has no `class`
     --> /studies/night.toml:9:50
      |
    9 | patterns = [{ class = "netwrok", regex = "(a" }, { regex = "a" }, "a"]
      |                                                  ^^^^^^^^^^^^^^^

    error: a pattern must be a table, not text
     --> /studies/night.toml:9:67
      |
    9 | patterns = [{ class = "netwrok", regex = "(a" }, { regex = "a" }, "a"]
      |                                                                   ^^^
    "#);
}

#[test]
fn policies_are_checked() {
    insta::assert_snapshot!(in_toml(r#"
name = "a"
[policy]
use = "standrad"
fallback = "give_up"
settings = [1]
limits = { fuel = 0, deadline = 1, memory_bytes = 1.5 }
[policy.measure]
use = 3
settings = { factor = nan }
[policy.finish]
fallback = true
[[experiments]]
name = "x"
measure = ["true"]
"#), @r#"
    error: there is no policy `standrad`
     --> /studies/night.toml:4:7
      |
    4 | use = "standrad"
      |       ^^^^^^^^^^
      |
    hint: write `standard`, the path of a component (with a `/`, or ending in `.wasm` or `.wat`), or a reference, `oci://…`

    error: `fallback` cannot be `give_up`
     --> /studies/night.toml:5:12
      |
    5 | fallback = "give_up"
      |            ^^^^^^^^^
      |
    hint: did you mean `give-up`?

    error: `settings` must be a table, not a list
     --> /studies/night.toml:6:12
      |
    6 | settings = [1]
      |            ^^^

    error: `fuel` must be a whole number from 1 to 18446744073709551615
     --> /studies/night.toml:7:19
      |
    7 | limits = { fuel = 0, deadline = 1, memory_bytes = 1.5 }
      |                   ^

    error: `deadline` has no unit
     --> /studies/night.toml:7:33
      |
    7 | limits = { fuel = 0, deadline = 1, memory_bytes = 1.5 }
      |                                 ^
      |
    hint: write `"1s"`

    error: `memory_bytes` must be a whole number from 1 to 18446744073709551615
     --> /studies/night.toml:7:51
      |
    7 | limits = { fuel = 0, deadline = 1, memory_bytes = 1.5 }
      |                                                   ^^^

    error: `use` must be text, not a number
     --> /studies/night.toml:9:7
      |
    9 | use = 3
      |       ^
      |
    hint: write `"3"`

    error: `nan` is no number in JSON, which settings become
      --> /studies/night.toml:10:23
       |
    10 | settings = { factor = nan }
       |                       ^^^

    error: `fallback` must be text, not true or false
      --> /studies/night.toml:12:12
       |
    12 | fallback = true
       |            ^^^^
       |
    hint: write `"true"`
    "#);
}

#[test]
fn durations_have_a_unit_and_a_sensible_length() {
    insta::assert_snapshot!(in_yaml("
name: a
interrupt_grace: 0s
limits: { max_delay: -1s, max_duration: ten minutes }
defaults:
  timeout: 1.5
  silence: 1us
  grace: [10s]
experiments:
  - { name: x, measure: { command: [x], timeout: 2 weeks } }
"), @r#"
    error: `interrupt_grace` must be at least a millisecond
     --> /studies/night.yaml:3:18
      |
    3 | interrupt_grace: 0s
      |                  ^^

    error: `max_delay` must be at least a millisecond
     --> /studies/night.yaml:4:22
      |
    4 | limits: { max_delay: -1s, max_duration: ten minutes }
      |                      ^^^

    error: `max_duration` is no duration
     --> /studies/night.yaml:4:41
      |
    4 | limits: { max_delay: -1s, max_duration: ten minutes }
      |                                         ^^^^^^^^^^^
      |
    hint: write it like "250ms", "90s", "10m" or "1h 30m"; hours are the longest unit

    error: `timeout` has no unit
     --> /studies/night.yaml:6:12
      |
    6 |   timeout: 1.5
      |            ^^^
      |
    hint: write `"1.5s"`

    error: `silence` must be at least a millisecond
     --> /studies/night.yaml:7:12
      |
    7 |   silence: 1us
      |            ^^^

    error: `grace` must be a duration like `"10m"`, not a list
     --> /studies/night.yaml:8:10
      |
    8 |   grace: [10s]
      |          ^

    error: `timeout` is no duration
      --> /studies/night.yaml:10:50
       |
    10 |   - { name: x, measure: { command: [x], timeout: 2 weeks } }
       |                                                  ^^^^^^^
       |
    hint: write it like "250ms", "90s", "10m" or "1h 30m"; hours are the longest unit
    "#);
}

#[test]
fn commands_are_lists_unless_a_shell_is_asked_for() {
    insta::assert_snapshot!(in_toml(r#"
name = "a"
[[experiments]]
name = "a"
prepare = []
measure = "python bench.py --batch 8"
finish = { command = ["x"], shell = "x" }
[[experiments]]
name = "b"
parameters = { model = "8b" }
prepare = { timeout = "1m" }
measure = { shell = "run {model}" }
finish = { shell = "" }
[[experiments]]
name = "c"
prepare = [""]
measure = 3
finish = { command = "x" }
"#), @r#"
    error: `prepare` names no program
     --> /studies/night.toml:5:11
      |
    5 | prepare = []
      |           ^^

    error: `measure` must be a list of arguments, not text
     --> /studies/night.toml:6:11
      |
    6 | measure = "python bench.py --batch 8"
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
    hint: write `["python", "bench.py", "--batch", "8"]`, or a table with `shell` where a shell is to read it

    error: `finish` has a `command` and a `shell`: which is it?
     --> /studies/night.toml:7:10
      |
    7 | finish = { command = ["x"], shell = "x" }
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error: `prepare` has neither `command` nor `shell`
      --> /studies/night.toml:11:11
       |
    11 | prepare = { timeout = "1m" }
       |           ^^^^^^^^^^^^^^^^^^

    error: `{model}` is not filled in within a shell script
      --> /studies/night.toml:12:26
       |
    12 | measure = { shell = "run {model}" }
       |                          ^^^^^^^
       |
    hint: write `"$REPRIEVE_PARAMETER_MODEL"`

    error: `shell` is empty
      --> /studies/night.toml:13:20
       |
    13 | finish = { shell = "" }
       |                    ^^

    error: `prepare` names no program
      --> /studies/night.toml:16:11
       |
    16 | prepare = [""]
       |           ^^^^

    error: `measure` must be a list, not a number
      --> /studies/night.toml:17:11
       |
    17 | measure = 3
       |           ^
       |
    hint: write `[3]`

    error: `command` must be a list of arguments, not text
      --> /studies/night.toml:18:22
       |
    18 | finish = { command = "x" }
       |                      ^^^
       |
    hint: write `["x"]`, or a table with `shell` where a shell is to read it
    "#);
}

#[test]
fn parameters_are_checked_against_each_other() {
    insta::assert_snapshot!(in_toml(r#"
name = "a"
defaults.measure = ["x", "{batchsize}"]
[[experiments]]
name = "{batch-size}"
parameters = { batch-size = 1, batch_size = 2, "2nd" = 3, nested = [1] }
matrix = { batch-size = [1, 2], empty = [], alone = 8, empty_name = [[1]] }
adjustable = ["batch", 1]
environment = { REPRIEVE_TOKEN = "x", "A=B" = "x", C = "{nowhere}" }
[[experiments]]
name = "plain {x}"
"#), @r#"
    error: no parameter is named `batchsize`
     --> /studies/night.toml:3:27
      |
    3 | defaults.measure = ["x", "{batchsize}"]
      |                           ^^^^^^^^^^^
      |
    hint: did you mean `batch-size`?
          for braces around a word, write `{{batchsize}}`

    error: `batch-size` is in `parameters` and in `matrix`
     --> /studies/night.toml:6:16
      |
    6 | parameters = { batch-size = 1, batch_size = 2, "2nd" = 3, nested = [1] }
      |                ^^^^^^^^^^

    error: `batch_size` and `batch-size` would share the variable `REPRIEVE_PARAMETER_BATCH_SIZE`
     --> /studies/night.toml:6:32
      |
    6 | parameters = { batch-size = 1, batch_size = 2, "2nd" = 3, nested = [1] }
      |                                ^^^^^^^^^^
      |
    hint: rename one of the two parameters

    error: `2nd` cannot be a parameter's name
     --> /studies/night.toml:6:48
      |
    6 | parameters = { batch-size = 1, batch_size = 2, "2nd" = 3, nested = [1] }
      |                                                ^^^^^
      |
    hint: a name is made of letters, digits, `_` and `-`, and starts with a letter or `_`

    error: `nested` must be text, a number, or true or false, not a list
     --> /studies/night.toml:6:68
      |
    6 | parameters = { batch-size = 1, batch_size = 2, "2nd" = 3, nested = [1] }
      |                                                                    ^^^

    error: `batch-size` and `batch_size` would share the variable `REPRIEVE_PARAMETER_BATCH_SIZE`
     --> /studies/night.toml:7:12
      |
    7 | matrix = { batch-size = [1, 2], empty = [], alone = 8, empty_name = [[1]] }
      |            ^^^^^^^^^^
      |
    hint: rename one of the two parameters

    error: `empty` has no values, so there is nothing to run
     --> /studies/night.toml:7:41
      |
    7 | matrix = { batch-size = [1, 2], empty = [], alone = 8, empty_name = [[1]] }
      |                                         ^^

    error: `alone` must be a list, not a number
     --> /studies/night.toml:7:53
      |
    7 | matrix = { batch-size = [1, 2], empty = [], alone = 8, empty_name = [[1]] }
      |                                                     ^
      |
    hint: write `[8]`

    error: a value in the matrix must be text, a number, or true or false, not a list
     --> /studies/night.toml:7:70
      |
    7 | matrix = { batch-size = [1, 2], empty = [], alone = 8, empty_name = [[1]] }
      |                                                                      ^^^

    error: `batch` is adjustable, but no parameter
     --> /studies/night.toml:8:15
      |
    8 | adjustable = ["batch", 1]
      |               ^^^^^^^
      |
    hint: did you mean `batch-size`?

    error: a name in `adjustable` must be text, not a number
     --> /studies/night.toml:8:24
      |
    8 | adjustable = ["batch", 1]
      |                        ^
      |
    hint: write `"1"`

    error: `REPRIEVE_TOKEN` is the host's to set
     --> /studies/night.toml:9:17
      |
    9 | environment = { REPRIEVE_TOKEN = "x", "A=B" = "x", C = "{nowhere}" }
      |                 ^^^^^^^^^^^^^^
      |
    hint: variables that start with `REPRIEVE_` are how the host tells stages what they run for

    error: `A=B` cannot be an environment variable
     --> /studies/night.toml:9:39
      |
    9 | environment = { REPRIEVE_TOKEN = "x", "A=B" = "x", C = "{nowhere}" }
      |                                       ^^^^^

    error: no parameter is named `nowhere`
     --> /studies/night.toml:9:57
      |
    9 | environment = { REPRIEVE_TOKEN = "x", "A=B" = "x", C = "{nowhere}" }
      |                                                         ^^^^^^^^^
      |
    hint: its parameters are: `batch_size`, `2nd`, `nested`, `batch-size`, `empty`, `alone`, `empty_name`
          for braces around a word, write `{{nowhere}}`

    error: no parameter is named `x`
      --> /studies/night.toml:11:15
       |
    11 | name = "plain {x}"
       |               ^^^
       |
    hint: the experiment has no parameters
          for braces around a word, write `{{x}}`
    "#);
}

#[test]
fn experiments_hold_as_many_devices_as_there_are() {
    insta::assert_snapshot!(in_toml(r#"
name = "a"
slots = 2
[[experiments]]
name = "a"
devices = 0
measure = ["x"]
[[experiments]]
name = "b"
devices = 4
measure = ["x"]
"#), @r"
    error: `devices` must be a whole number from 1 to 1024
     --> /studies/night.toml:6:11
      |
    6 | devices = 0
      |           ^

    error: the experiment needs 4 devices, and the study has 2 slots
      --> /studies/night.toml:10:11
       |
    10 | devices = 4
       |           ^
    ");
}

#[test]
fn names_are_unique_after_expansion_and_fit_to_print() {
    insta::assert_snapshot!(in_toml(r#"
name = "a"
defaults.measure = ["x"]
[[experiments]]
name = "llama"
[[experiments]]
name = "llama-{model}"
matrix = { model = ["8b", "70b"], batch = [1, 8] }
[[experiments]]
name = "{prefix}{model}"
parameters = { prefix = "lla" }
matrix = { model = ["ma", "\n"] }
"#), @r#"
    error: two experiments have the name `llama-8b`
     --> /studies/night.toml:7:8
      |
    7 | name = "llama-{model}"
      |        ^^^^^^^^^^^^^^^
      |
    hint: tell them apart by `{model}`, `{batch}`

    error: `lla\n` cannot be an experiment's name
      --> /studies/night.toml:10:8
       |
    10 | name = "{prefix}{model}"
       |        ^^^^^^^^^^^^^^^^^
       |
    hint: a name has something to print, and no line breaks or other control characters

    error: two experiments have the name `llama`
      --> /studies/night.toml:10:8
       |
     5 | name = "llama"
       |        ------- the first one
    ...
    10 | name = "{prefix}{model}"
       |        ^^^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn repeats_do_not_clash_with_names_like_theirs() {
    insta::assert_snapshot!(in_yaml("
name: a
defaults: { measure: [x] }
experiments:
  - { name: x, repeats: 2 }
  - { name: 'x#2' }
"), @r"
    error: two experiments have the name `x#2`
     --> /studies/night.yaml:6:13
      |
    5 |   - { name: x, repeats: 2 }
      |             - the first one
    6 |   - { name: 'x#2' }
      |             ^^^^^
    ");
}

#[test]
fn a_study_has_at_most_a_million_experiments() {
    insta::assert_snapshot!(in_toml(r#"
name = "a"
repeats = 1000
defaults.measure = ["x"]
[[experiments]]
name = "small"
[[experiments]]
name = "{a}{b}{c}{d}"
matrix = { a = [1, 2, 3, 4, 5, 6], b = [1, 2, 3, 4, 5, 6], c = [1, 2, 3, 4, 5, 6], d = [1, 2, 3, 4, 5, 6] }
"#), @r#"
    error: the study has 1297000 experiments, and the most is 1000000
     --> /studies/night.toml:8:8
      |
    8 | name = "{a}{b}{c}{d}"
      |        ^^^^^^^^^^^^^^
      |
    hint: most come from here: 1296000 with their repeats
    "#);
}

#[test]
fn syntax_errors_are_shown_at_their_place() {
    insta::assert_snapshot!(in_toml("name = 'a'\nname = 'b'\nseed = \n[[experiments]\n"), @r"
    error: duplicate key `name`
     --> /studies/night.toml:2:1
      |
    2 | name = 'b'
      | ^^^^

    error: string values must be quoted, expected literal string
     --> /studies/night.toml:3:8
      |
    3 | seed = 
      |        ^

    error: unclosed array table, expected `]`
     --> /studies/night.toml:4:15
      |
    4 | [[experiments]
      |               ^
    ");
    insta::assert_snapshot!(in_yaml("name: a\nname: b\n"), @r"
    error: duplicate mapping key `name` is not allowed here
     --> /studies/night.yaml:2:1
      |
    2 | name: b
      | ^^^^
    ");
    insta::assert_snapshot!(in_yaml("ä: a\n  bad: [\n"), @r"
    error: mapping values are not allowed in this context
     --> /studies/night.yaml:2:6
      |
    2 |   bad: [
      |      ^
    ");
    insta::assert_snapshot!(in_yaml("name: a\n---\nname: b\n"), @r"
    error: only single YAML document expected but multiple found
     --> /studies/night.yaml:3:1
      |
    3 | name: b
      | ^
    ");
    insta::assert_snapshot!(in_yaml("name: a\nseed: *nowhere\n"), @r"
    error: reference to unknown value
     --> /studies/night.yaml:2:7
      |
    2 | seed: *nowhere
      |       ^
    ");
    insta::assert_snapshot!(in_yaml("name: !secret a\n"), @r"
    error: unsupported tag `!secret`
     --> /studies/night.yaml:1:15
      |
    1 | name: !secret a
      |               ^
    ");
}

#[test]
fn control_characters_reach_no_terminal() {
    let shown =
        in_toml("name = 'a'\n\"\\u001b[31m\" = 1\n[[experiments]]\nname = 'x'\nmeasure = [\"\\u0000\"]\n");
    insta::assert_snapshot!(shown, @r#"
    error: unknown key `␛[31m`
     --> /studies/night.toml:2:1
      |
    2 | "\u001b[31m" = 1
      | ^^^^^^^^^^^^
      |
    hint: known here: `name`, `seed`, `order`, `repeats`, `slots`, `interrupt_grace`, `policy`, `cleanup`, `nvml`, `limits`, `patterns`, `defaults`, `experiments`

    error: an argument must not hold a NUL character
     --> /studies/night.toml:5:12
      |
    5 | measure = ["\u0000"]
      |            ^^^^^^^^
    "#);
}

#[test]
fn a_place_far_down_a_long_file_is_shown_alone() {
    let many = "[[experiments]]\r\nname = 'x'\r\n\r\n".repeat(300);
    let shown = in_toml(&format!("name = 'a'\r\ndefaults.measure = ['x']\r\n{many}"));
    insta::assert_snapshot!(shown.lines().take(10).collect::<Vec<_>>().join("\n"), @r"
    error: two experiments have the name `x`
     --> /studies/night.toml:7:8
      |
    4 | name = 'x'
      |        --- the first one
    ...
    7 | name = 'x'
      |        ^^^

    error: two experiments have the name `x`
    ");
    assert!(shown.ends_with("note: there is more; these are the first 20"), "{shown}");
}
