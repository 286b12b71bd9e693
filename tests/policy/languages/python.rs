//! Policies in Python.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use reprieve::policy::PolicySource;
use serde_json::json;

use super::{by_chance, conforms, engine, load, path_with_reprieve, root, settings, tells_its_settings};
use crate::question;

/// A Python with componentize-py, which `tests/run` installs.
#[expect(clippy::print_stdout, reason = "a test that cannot be run says so")]
fn python() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../guests/python/bin/python");
    let there = python.with_file_name("componentize-py").exists();
    if !there {
        println!("SKIPPED: componentize-py is not installed; `tests/run` installs it");
    }
    there.then_some(python)
}

/// What the Python SDK's README says that builds a policy.
fn builder(python: &Path, module: &Path, built: &Path) -> Output {
    Command::new(python)
        .args(["-m", "reprieve_guest", "build"])
        .arg(module)
        .arg("-o")
        .arg(built)
        .env("PYTHONPATH", root().join("guest-sdk/python"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("python starts")
}

fn build(python: &Path, module: &Path) -> Vec<u8> {
    let dir = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let built = dir.path().join("policy.wasm");
    let ran = builder(python, module, &built);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    std::fs::read(built).expect("it was built")
}

#[test]
fn the_standard_policy_in_python_decides_as_the_built_in_one() {
    let Some(python) = python() else { return };
    let component = build(&python, &root().join("guest-sdk/python/examples/standard.py"));
    conforms(&component, [settings(), by_chance()].concat());
    tells_its_settings(&component);
}

/// The last line that a policy writes whose `decide` returns this.
fn last_line(python: &Path, returned: &str) -> String {
    let dir = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let module = dir.path().join("broken.py");
    let text = format!(
        "import socket; from datetime import timedelta\nfrom reprieve_guest import Policy, Retry, export\n\n\n\
         class Broken(Policy):\n    def decide(self, experiment, attempts, progress):\n        return {returned}\n\n\n\
         Guest, RetryPolicy, CleanupPolicy = export(Broken)\n"
    );
    std::fs::write(&module, text).expect("it can be written");
    let source = PolicySource::Bytes { name: "broken".to_owned(), bytes: build(python, &module) };
    let policy = load(&engine(), &source, &json!({})).expect("it loads");
    let fault = policy.decide(&question(1)).result.expect_err("it raises");
    assert!(fault.backtrace.is_empty(), "CPython's own functions: {fault:?}");
    fault.output_tail.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn python_finds_no_host_by_its_name() {
    let Some(python) = python() else { return };
    let last = last_line(&python, "socket.getaddrinfo(b'example.org', 80)");
    assert!(last.starts_with("gaierror: "), "{last}");
}

#[test]
fn an_exception_in_python_is_told_with_its_line() {
    let Some(python) = python() else { return };
    assert_eq!(last_line(&python, "{}[attempts.last.number]"), "KeyError: 1, in broken.py, line 7");
}

#[test]
fn a_negative_span_in_python_is_told_by_its_value() {
    let Some(python) = python() else { return };
    let last = last_line(&python, "Retry(timedelta(seconds=-5), 'soon')");
    assert_eq!(last, "ValueError: `-5.0` s is no span of time, expected 0 or more");
}

#[test]
fn what_has_another_type_in_python_is_told_with_its_field_and_its_line() {
    let Some(python) = python() else { return };
    let last = last_line(&python, "Retry(5, 'soon')");
    assert_eq!(last, "TypeError: `after` is `5`, expected a timedelta, in broken.py, line 7");
}

#[test]
fn a_python_module_that_exports_nothing_is_refused_in_one_line() {
    let Some(python) = python() else { return };
    let dir = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let module = dir.path().join("policy.py");
    std::fs::write(&module, "from reprieve_guest import Policy\n\n\nclass Mine(Policy):\n    pass\n")
        .expect("it can be written");
    let ran = builder(&python, &module, &dir.path().join("policy.wasm"));
    assert_eq!(ran.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&ran.stderr),
        "`policy.py` has no `Guest, RetryPolicy, CleanupPolicy = export(...)`\n"
    );
}

#[test]
fn a_python_policy_s_own_tests_pass_without_a_host() {
    let Some(python) = python() else { return };
    let tests = root().join("guest-sdk/python/tests/test_two_strikes.py");
    let ran = Command::new(python).arg(tests).env("PYTHONDONTWRITEBYTECODE", "1").output();
    let ran = ran.expect("python starts");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

/// What it installs first is there already: `venv`, and the SDK on Python's path.
#[test]
fn the_python_sdk_s_readme_is_right_word_for_word() {
    let Some(python) = python() else { return };
    let sdk = root().join("guest-sdk/python");
    let read = |path: &str| std::fs::read_to_string(sdk.join(path)).expect("it is there");
    let (readme, example) = (read("README.md"), read("examples/two_strikes.py"));
    assert!(readme.contains(&format!("```python\n{example}```\n")), "not word for word");
    let desk = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    std::fs::write(desk.path().join("two_strikes.py"), example).expect("it can be written");
    let venv = python.parent().and_then(Path::parent).and_then(|venv| venv.canonicalize().ok());
    std::os::unix::fs::symlink(venv.expect("it is there"), desk.path().join("venv")).expect("a link");
    let script = readme.split("```sh\n").nth(2).and_then(|block| block.split("```").next());
    let ran = Command::new("sh")
        .args(["-euc", script.expect("it builds the policy")])
        .current_dir(desk.path())
        .env("PATH", path_with_reprieve())
        .env("PYTHONPATH", &sdk)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("sh starts");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()));
}
