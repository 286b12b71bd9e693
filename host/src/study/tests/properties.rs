//! What holds for every study, whatever is in it.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::placeholders::fill;
use super::*;

const ESCAPE: char = '\u{1b}';

/// Words of study files and of both formats, in any order: closer to a study
/// than any random text.
fn near_studies() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "name",
        "experiments",
        "measure",
        "matrix",
        "defaults",
        "parameters",
        "policy",
        "settings",
        "timeout",
        "repeats",
        "order",
        "devices",
        "patterns",
        "regex",
        "class",
        "shell",
        "command",
        "adjustable",
        "x",
        "= ",
        ": ",
        "- ",
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        ",",
        "\n",
        "\r\n",
        "\n  ",
        "\"",
        "'",
        "'x'",
        "\"{x}\"",
        "{x}",
        "1",
        "0",
        "-1",
        "1e999",
        "nan",
        ".inf",
        "'1s'",
        "1979-05-27",
        "é",
        "\u{feff}",
        "\0",
        "\u{1b}[31m",
        "&a ",
        "*a",
        "<<: *a",
        "!!int ",
        "# ",
        "|\n  ",
        "---\n",
        "...\n",
        ".",
        "\t",
        "🔥",
        "? ",
    ]);
    prop_oneof![
        prop::collection::vec(word, 0..40).prop_map(|words| words.concat()),
        "\\PC{0,60}",
        any::<String>(),
    ]
}

fn text() -> impl Strategy<Value = String> {
    "[ -~äß🔥]{0,8}"
}

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_-]{0,5}"
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        text().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from)
    ]
}

type Map = BTreeMap<String, Value>;
type Matrix = BTreeMap<String, Vec<Value>>;

/// A study in the data model that TOML and JSON share, right or wrong.
fn studies() -> impl Strategy<Value = Value> {
    let map = || prop::collection::btree_map(name(), scalar(), 0..3);
    let matrix = prop::collection::btree_map(name(), prop::collection::vec(scalar(), 1..4), 0..3);
    let experiment = (map(), matrix, 1..4u32, prop::collection::vec(text(), 1..3));
    let experiments = prop::collection::vec(experiment, 1..4).prop_map(|experiments| {
        let experiment = |(index, (parameters, matrix, repeats, arguments)): (usize, (Map, Matrix, u32, Value))| {
            let axes: String = matrix.keys().map(|name| format!("-{{{name}}}")).collect();
            json!({
                "name": format!("{index}{axes}"), "parameters": parameters, "matrix": matrix, "repeats": repeats,
                "measure": arguments, "labels": parameters, "timeout": format!("{repeats}m"),
            })
        };
        let experiments = experiments.into_iter().map(|(a, b, c, arguments)| (a, b, c, arguments.into()));
        experiments.enumerate().map(experiment).collect::<Value>()
    });
    (experiments, map(), any::<u32>()).prop_map(|(experiments, settings, seed)| {
        let policy = json!({ "settings": settings });
        json!({ "name": "a", "seed": seed, "policy": policy, "experiments": experiments })
    })
}

fn ordered(order: &str, seed: u64, sizes: &[(usize, usize, u32)]) -> Study {
    let experiments: Vec<Value> = (0..)
        .zip(sizes)
        .map(|(index, (a, b, repeats))| {
            let (a, b): (Vec<usize>, Vec<usize>) = ((0..*a).collect(), (0..*b).collect());
            json!({
                "name": format!("{index}-{{a}}-{{b}}"), "matrix": { "a": a, "b": b },
                "repeats": repeats, "measure": ["x"],
            })
        })
        .collect();
    let study = json!({ "name": "a", "seed": seed, "order": order, "experiments": experiments });
    yaml(&study.to_string())
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_or_its_diagnostics_panic(text in near_studies()) {
        for format in [Format::Toml, Format::Yaml] {
            if let Err(error) = Study::parse(&source(format, &text)) {
                let plain = error.render(false);
                prop_assert!(plain.starts_with("error: "));
                prop_assert!(!plain.contains(ESCAPE));
                prop_assert!(error.render(true).contains(ESCAPE));
            }
        }
    }

    #[test]
    fn both_formats_give_the_same_study(study in studies()) {
        let from_toml = Study::parse(&source(Format::Toml, &toml::to_string(&study).unwrap()));
        let from_yaml = Study::parse(&source(Format::Yaml, &study.to_string()));
        match (from_toml, from_yaml) {
            (Ok(one), Ok(other)) => prop_assert_eq!(one, other),
            (Err(_), Err(_)) => {}
            (one, other) => prop_assert!(false, "one is right and one is wrong: {one:?} {other:?}"),
        }
    }

    #[test]
    fn orders_are_permutations_of_product_times_repeats(
        sizes in prop::collection::vec((1..4usize, 1..4usize, 1..4u32), 1..4),
        seed: u64,
    ) {
        let count: usize = sizes.iter().map(|(a, b, repeats)| a * b * *repeats as usize).sum();
        let sequential = ordered("sequential", seed, &sizes);
        prop_assert_eq!(sequential.len(), count);
        let all: HashSet<String> = names(&sequential).into_iter().collect();
        prop_assert_eq!(all.len(), count);
        for order in ["interleaved", "shuffled"] {
            let study = ordered(order, seed, &sizes);
            prop_assert_eq!(&study, &ordered(order, seed, &sizes));
            prop_assert_eq!(study.len(), count);
            prop_assert_eq!(&names(&study).into_iter().collect::<HashSet<_>>(), &all);
        }
        let rounds: Vec<u32> = {
            let study = ordered("interleaved", seed, &sizes);
            study.ids().map(|id| study.experiment(id).repeat).collect()
        };
        prop_assert!(rounds.is_sorted());
    }

    #[test]
    fn text_without_a_name_in_braces_is_left_alone(text in "[{}$ a\"1:é-]{0,16}") {
        // A name in braces ends in a letter, a digit or a `-`, then a brace.
        let name = regex::Regex::new(r"(^|[^$])\{+a[a1-]*\}").unwrap();
        prop_assume!(!name.is_match(&text));
        prop_assert_eq!(fill(&text, |_| "VALUE"), text);
    }

    #[test]
    fn doubled_braces_are_the_name_in_braces(name in name(), before in "[^{$]{0,4}", after in "[^}]{0,4}") {
        let filled = fill(&format!("{before}{{{{{name}}}}}{after}"), |_| "VALUE");
        prop_assert_eq!(filled, format!("{before}{{{name}}}{after}"));
    }
}

proptest! {
    /// A command line is no template: whatever braces it has reach the program.
    #[test]
    fn literal_text_is_filled_to_itself(text in "[{}$a-c ]{0,20}") {
        let text = &text;
        let literal = super::super::placeholders::literal(text);
        prop_assert_eq!(&fill(&literal, |_| "VALUE"), text);
    }
}
