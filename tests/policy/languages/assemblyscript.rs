//! Policies in AssemblyScript.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::mirror::tells_all;
use super::{by_chance, conforms, path_with_reprieve, root, settings, tells_its_settings};

/// The desk of an author: a directory with the SDK and the compiler in it, as
/// the README has them installed.
#[expect(clippy::print_stdout, reason = "a test that cannot be run says so")]
fn desk() -> Option<tempfile::TempDir> {
    let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../guests/assemblyscript/node_modules");
    if !tools.join(".bin/asc").exists() {
        println!("SKIPPED: AssemblyScript is not installed; `tests/run` installs it");
        return None;
    }
    let desk = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let modules = desk.path().join("node_modules");
    std::fs::create_dir(&modules).expect("a directory");
    let link = |from: PathBuf, to: &str| {
        std::os::unix::fs::symlink(from, modules.join(to)).expect("it can be linked");
    };
    let tools = tools.canonicalize().expect("it is there");
    for module in [".bin", "assemblyscript", "binaryen", "long"] {
        link(tools.join(module), module);
    }
    link(sdk(), "reprieve-assemblyscript");
    Some(desk)
}

fn sdk() -> PathBuf {
    root().join("guest-sdk/assemblyscript")
}

fn readme() -> String {
    std::fs::read_to_string(sdk().join("README.md")).expect("it is there")
}

/// The texts that the README shows in these fences.
fn shown(readme: &str, fence: &str) -> Vec<String> {
    let fence = format!("```{fence}\n");
    readme.split(&fence).skip(1).filter_map(|block| block.split("```").next()).map(str::to_owned).collect()
}

fn run(desk: &Path, script: &str) {
    let mut sh = Command::new("sh");
    let ran = sh.args(["-euc", script]).current_dir(desk).env("PATH", path_with_reprieve()).output();
    let ran = ran.expect("sh starts");
    let told = [ran.stdout, ran.stderr].concat();
    assert!(ran.status.success(), "{script}\n{}", String::from_utf8_lossy(&told));
}

/// Builds a policy of the SDK as the README says.
fn build(desk: &Path, policy: &str) -> Vec<u8> {
    std::fs::copy(sdk().join(policy), desk.join("two-strikes.ts")).expect("a copy");
    let commands: Vec<String> = shown(&readme(), "sh")[1].lines().take(2).map(str::to_owned).collect();
    run(desk, &commands.join("\n"));
    std::fs::read(desk.join("two-strikes.wasm")).expect("it was built")
}

#[test]
fn the_standard_policy_in_assemblyscript_decides_as_the_built_in_one() {
    let Some(desk) = desk() else { return };
    let component = build(desk.path(), "examples/standard.ts");
    conforms(&component, [settings(), by_chance()].concat());
    tells_its_settings(&component);
}

#[test]
fn what_a_policy_in_assemblyscript_is_told_and_has_done_arrives_whole() {
    let Some(desk) = desk() else { return };
    tells_all(&build(desk.path(), "tests/mirror.ts"));
}

#[test]
fn the_assemblyscript_sdk_s_readme_is_right_word_for_word() {
    let Some(desk) = desk() else { return };
    let readme = readme();
    for file in ["two-strikes.ts", "two-strikes.test.ts"] {
        let example = std::fs::read_to_string(sdk().join("examples").join(file)).expect("it is there");
        assert!(readme.contains(&format!("```ts\n{example}```\n")), "not word for word: {file}");
        std::fs::write(desk.path().join(file), example).expect("it can be written");
    }
    for script in &shown(&readme, "sh")[1..] {
        run(desk.path(), script);
    }
}

#[test]
fn the_assemblyscript_sdk_s_own_tests_pass_without_a_host() {
    let Some(desk) = desk() else { return };
    std::fs::copy(sdk().join("tests/sdk.test.ts"), desk.path().join("two-strikes.test.ts")).expect("a copy");
    run(desk.path(), &shown(&readme(), "sh")[2]);
}
