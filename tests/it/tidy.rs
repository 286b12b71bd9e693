//! The house keeps its shape: who may import whom, and how files begin and end.

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// What touches the world or means something by itself; none knows another.
const ROOMS: [&str; 7] = ["failure", "gpu", "journal", "launcher", "policy", "process", "reporter"];

/// Who may import what. What is not here may be imported by all.
fn may_import(from: &str, to: &str) -> bool {
    match to {
        _ if from == to => true,
        // The doors: `cli` for people, `clean` for programs that clean up in
        // their own process, with the supervisor's steps, `trial` for those
        // who try a policy out.
        "cli" | "clean" => matches!(from, "lib" | "main"),
        "trial" => matches!(from, "lib" | "cli"),
        "runner" => matches!(from, "cli" | "clean" | "trial"),
        "state" => matches!(from, "cli" | "runner" | "reporter" | "trial"),
        "supervisor" => matches!(from, "cli" | "clean" | "runner" | "launcher"),
        // A network has no place beside a schedule.
        "registry" => from == "cli",
        "process" => matches!(from, "cli" | "runner" | "supervisor" | "launcher"),
        // What `retry` asks of time, it asks here.
        "clock" => !matches!(from, "state" | "study" | "failure"),
        _ if ROOMS.contains(&to) => matches!(from, "cli" | "clean" | "trial" | "runner" | "supervisor"),
        _ => true,
    }
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in fs::read_dir(dir).expect("it is there").map(|entry| entry.expect("it reads").path()) {
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// Every source of ours: its path from the root, and its text.
fn all() -> Vec<(String, String)> {
    let root = root();
    let files = ["host", "guest-sdk", "tests"].iter().flat_map(|dir| sources(&root.join(dir)));
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a source is text");
        (path.strip_prefix(&root).expect("it is below").to_string_lossy().into_owned(), text)
    };
    files.filter(|path| !path.components().any(|part| part.as_os_str() == "target")).map(read).collect()
}

#[test]
fn imports_run_one_way() {
    let import = Regex::new(r"\bcrate::([a-z_]+)").expect("it is ours");
    let mut wrong = Vec::new();
    for (path, text) in all() {
        let Some(inside) = path.strip_prefix("host/src/") else { continue };
        let from = inside.split('/').next().expect("it has a first part").trim_end_matches(".rs");
        if inside.contains("tests") || inside.ends_with("simulation.rs") {
            continue;
        }
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for (number, line) in code.enumerate() {
            for found in import.captures_iter(line).filter(|found| !may_import(from, &found[1])) {
                wrong.push(format!("{path}, line {}: imports `{}`", number + 1, &found[1]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_begins_with_what_it_is_for() {
    // An example is part of the documentation of its crate, word for word.
    let exempt = |path: &str| path.contains("/examples/");
    let without: Vec<_> = all()
        .into_iter()
        .filter(|(path, text)| !exempt(path) && !text.starts_with("//!"))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(without, [""; 0]);
}

#[test]
fn no_file_grows_beyond_a_subject() {
    // A table is one subject at any length.
    let exempt = |path: &str| path.contains("tests") || path == "host/src/failure/patterns.rs";
    let long: Vec<_> = all()
        .into_iter()
        .filter(|(path, text)| !exempt(path) && text.lines().count() > 500)
        .map(|(path, text)| format!("{path}: {} lines", text.lines().count()))
        .collect();
    assert_eq!(long, [""; 0]);
}

#[test]
fn no_lint_is_silenced_without_being_expected() {
    let silence = concat!("#", "[allow");
    let inner = concat!("#", "![allow");
    let with = |text: &str| text.contains(silence) || text.contains(inner);
    let silenced: Vec<_> = all().into_iter().filter(|(_, text)| with(text)).map(|(path, _)| path).collect();
    assert_eq!(silenced, [""; 0]);
}
