//! Policies in JavaScript and TypeScript.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{conforms, root, settings};

/// Where `tests/run` installs componentize-qjs.
#[expect(clippy::print_stdout, reason = "a test that cannot be run says so")]
fn javascript() -> Option<PathBuf> {
    let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../guests/javascript");
    let there = tools.join("node_modules/.bin/componentize-qjs").exists();
    if !there {
        println!("SKIPPED: componentize-qjs is not installed; `tests/run` installs it");
    }
    there.then_some(tools)
}

/// A JavaScript number holds 53 bits of a seed: what is drawn from it is
/// another draw, so chance is left out.
#[test]
fn the_standard_policy_in_javascript_decides_as_the_built_in_one() {
    let Some(tools) = javascript() else { return };
    let dir = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let built = dir.path().join("policy.wasm");
    let sdk = root().join("guest-sdk/javascript");
    let ran = Command::new("node")
        .arg(sdk.join("build.mjs"))
        .arg(sdk.join("examples/standard.js"))
        .arg("-o")
        .arg(&built)
        .current_dir(tools)
        .output()
        .expect("node starts");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    conforms(&std::fs::read(built).expect("it was built"), settings());
}

#[test]
fn a_javascript_policy_s_own_tests_pass_without_a_host() {
    if javascript().is_none() {
        return;
    }
    let tests = root().join("guest-sdk/javascript/tests/two-strikes.test.js");
    let ran = Command::new("node").arg("--test").arg(tests).output().expect("node starts");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
}

#[test]
fn the_javascript_sdk_s_readme_shows_its_example_word_for_word() {
    let read = |path: &str| {
        std::fs::read_to_string(root().join("guest-sdk/javascript").join(path)).expect("it is there")
    };
    assert!(read("README.md").contains(&format!("```js\n{}```\n", read("examples/two-strikes.js"))));
}
