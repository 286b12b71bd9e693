//! Policies in Go.

use std::path::{Path, PathBuf};
use std::process::Command;

use reprieve::policy::{PolicySource, componentize};
use serde_json::json;

use super::{by_chance, conforms, engine, load, root, settings};
use crate::question;

/// Go, which `tests/run` installs.
#[expect(clippy::print_stdout, reason = "a test that cannot be run says so")]
fn go() -> Option<PathBuf> {
    let go = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../guests/go/bin/go");
    let there = go.exists();
    if !there {
        println!("SKIPPED: Go is not installed; `tests/run` installs it");
    }
    there.then_some(go)
}

/// Runs Go, which keeps what it compiles beside itself and fetches nothing.
fn run(go: &Path, in_dir: &Path, arguments: &[&str], variables: &[(&str, &str)]) {
    let beside = go.parent().expect("it is in a folder");
    let ran = Command::new(go)
        .args(arguments)
        .current_dir(in_dir)
        .envs([("GOTOOLCHAIN", "local"), ("GOPROXY", "off"), ("GOFLAGS", ""), ("GOWORK", "off")])
        .env("GOCACHE", beside.join("../cache"))
        .env("GOPATH", beside.join("../path"))
        .envs(variables.iter().copied())
        .output()
        .expect("go starts");
    let said = [ran.stdout, ran.stderr].concat();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&said));
}

/// Builds a policy as the Go SDK's README says.
fn build(go: &Path, package: &Path) -> Vec<u8> {
    let dir = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let core = dir.path().join("core.wasm");
    let output = core.to_str().expect("a path of letters");
    let wasm = [("GOOS", "wasip1"), ("GOARCH", "wasm")];
    run(go, package, &["build", "-buildmode=c-shared", "-o", output, "."], &wasm);
    componentize(&std::fs::read(core).expect("it was built")).expect("it is a policy's")
}

/// Builds a policy of this source, in a module of its own.
fn build_text(go: &Path, text: &str) -> Vec<u8> {
    let dir = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let module = format!(
        "module mine\n\ngo 1.24\n\nrequire reprieve v0.0.0\n\nreplace reprieve => {}\n",
        sdk().display()
    );
    std::fs::write(dir.path().join("go.mod"), module).expect("it can be written");
    std::fs::write(dir.path().join("policy.go"), text).expect("it can be written");
    build(go, dir.path())
}

fn sdk() -> PathBuf {
    root().join("guest-sdk/go")
}

#[test]
fn the_standard_policy_in_go_decides_as_the_built_in_one() {
    let Some(go) = go() else { return };
    let component = build(&go, &sdk().join("examples/standard"));
    conforms(&component, [settings(), by_chance()].concat());
}

#[test]
fn a_panic_in_go_is_told_with_its_line() {
    let Some(go) = go() else { return };
    let text = "package main\n\nimport (\n\t\"reprieve\"\n\t\"reprieve/retryonly\"\n)\n\ntype Broken struct{}\n\n\
                func (Broken) Decide(_ reprieve.Experiment, attempts reprieve.Attempts, _ reprieve.Progress) \
                reprieve.Decision {\n\treturn reprieve.GiveUp{Reason: attempts[len(attempts)].StderrTail}\n}\n\n\
                func init() { retryonly.Export(reprieve.Info{Name: \"broken\"}, Broken{}) }\n\nfunc main() {}\n";
    let source = PolicySource::Bytes { name: "broken".to_owned(), bytes: build_text(&go, text) };
    let policy = load(&engine(), &source, &json!({})).expect("it loads");
    let fault = policy.decide(&question(1)).result.expect_err("it panics");
    let last = fault.output_tail.lines().last().unwrap_or_default();
    let told = "panic: runtime error: index out of range [1] with length 1, in policy.go, line 11";
    assert_eq!(last, told, "{fault:?}");
}

#[test]
fn the_go_sdk_s_own_tests_pass_without_a_host() {
    let Some(go) = go() else { return };
    run(&go, &sdk(), &["test", "./..."], &[]);
}

#[test]
fn the_go_sdk_s_readme_shows_its_example_word_for_word() {
    let read = |path: &str| std::fs::read_to_string(sdk().join(path)).expect("it is there");
    assert!(
        read("README.md").contains(&format!("```go\n{}```\n", read("examples/two_strikes/two_strikes.go")))
    );
}
