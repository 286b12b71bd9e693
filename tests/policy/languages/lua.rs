//! Policies in Lua.

use std::path::{Path, PathBuf};
use std::process::Command;

use reprieve::policy::PolicySource;
use reprieve::reporter::words;
use serde_json::json;

use super::{conforms, engine, load, path_with_reprieve, root, settings, tells_its_settings};
use crate::question;

/// The desk of an author: a directory with the SDK and its tools in it, as the README has them installed.
#[expect(clippy::print_stdout, reason = "a test that cannot be run says so")]
fn desk() -> Option<tempfile::TempDir> {
    let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../guests/javascript/node_modules");
    if !tools.join("fengari").exists() || !tools.join(".bin/componentize-qjs").exists() {
        println!("SKIPPED: fengari or componentize-qjs is not installed; `tests/run` installs them");
        return None;
    }
    let desk = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let modules = desk.path().join("node_modules");
    std::fs::create_dir(&modules).expect("a directory");
    let link = |from: PathBuf, to: &str| {
        std::os::unix::fs::symlink(from, modules.join(to)).expect("it can be linked");
    };
    let tools = tools.canonicalize().expect("it is there");
    for module in [".bin", "componentize-qjs", "esbuild", "fengari"] {
        link(tools.join(module), module);
    }
    link(sdk(), "reprieve-lua");
    link(root().join("guest-sdk/javascript"), "reprieve-guest");
    std::fs::write(desk.path().join("package.json"), "{}").expect("it can be written");
    Some(desk)
}

fn sdk() -> PathBuf {
    root().join("guest-sdk/lua")
}

fn run(desk: &Path, script: &str) {
    let mut sh = Command::new("sh");
    let ran = sh.args(["-euc", script]).current_dir(desk).env("PATH", path_with_reprieve()).output();
    let ran = ran.expect("sh starts");
    let told = [ran.stdout, ran.stderr].concat();
    assert!(ran.status.success(), "{script}\n{}", String::from_utf8_lossy(&told));
}

/// A JavaScript number holds 53 bits of a seed, and it draws the numbers.
#[test]
fn the_standard_policy_in_lua_decides_as_the_built_in_one() {
    let Some(desk) = desk() else { return };
    std::fs::copy(sdk().join("examples/standard.lua"), desk.path().join("standard.lua")).expect("a copy");
    run(desk.path(), "node node_modules/reprieve-lua/build.mjs standard.lua");
    let component = std::fs::read(desk.path().join("standard.wasm")).expect("it was built");
    conforms(&component, settings());
    tells_its_settings(&component);
}

#[test]
fn what_goes_wrong_in_lua_is_told_with_its_line_or_by_what_is_wrong() {
    let Some(desk) = desk() else { return };
    let cases = [
        (
            "print('a clue', 1) return attempts[1].nothing.at_all",
            "broken.lua:3: attempt to index a nil value (field 'nothing')",
        ),
        ("error({ code = 5 })", "broken.lua:4: {\"code\":5}"),
        (
            "return reprieve.retry(0, 'less', { overrides = { batch = {} } })",
            "TypeError: `overrides.batch` is `{}`, expected a text, a number or a boolean",
        ),
        ("return 'retry'", "TypeError: `decide` returned `\"retry\"`, expected a decision"),
        ("", "TypeError: `decide` returned `nil`, expected a decision"),
    ];
    let bodies: String =
        cases.iter().map(|(body, _)| format!("  function(attempts) {body} end,\n")).collect();
    // One component, as each takes long to compile.
    let text = format!(
        "local reprieve = require 'reprieve'\nlocal bodies = {{\n{bodies}}}\n\
         return {{\n  name = 'broken', settings = {{ case = reprieve.setting(1) }},\n  \
         decide = function(_, attempts, _, settings) return bodies[settings.case](attempts) end,\n}}\n"
    );
    std::fs::write(desk.path().join("broken.lua"), text).expect("it can be written");
    run(desk.path(), "node node_modules/reprieve-lua/build.mjs broken.lua");
    let bytes = std::fs::read(desk.path().join("broken.wasm")).expect("it was built");
    let (engine, source) = (engine(), PolicySource::Bytes { name: "broken".to_owned(), bytes });
    for (case, (_, expected)) in (1..).zip(cases) {
        let policy = load(&engine, &source, &json!({ "case": case })).expect("it loads");
        assert_eq!(words::fault(&policy.decide(&question(1)).result.expect_err("it raises")), expected);
    }
}

#[test]
fn the_lua_sdk_s_readme_is_right_word_for_word() {
    let Some(desk) = desk() else { return };
    let readme = std::fs::read_to_string(sdk().join("README.md")).expect("it is there");
    for file in ["two_strikes.lua", "two_strikes_test.lua"] {
        let example = std::fs::read_to_string(sdk().join("examples").join(file)).expect("it is there");
        assert!(readme.contains(&format!("```lua\n{example}```\n")), "not word for word: {file}");
        std::fs::write(desk.path().join(file), example).expect("it can be written");
    }
    for script in readme.split("```sh\n").skip(2).filter_map(|block| block.split("```").next()) {
        run(desk.path(), script);
    }
}

#[test]
fn the_lua_sdk_s_own_tests_pass_without_a_host() {
    let Some(desk) = desk() else { return };
    std::fs::copy(sdk().join("tests/reprieve_test.lua"), desk.path().join("reprieve_test.lua"))
        .expect("a copy");
    run(desk.path(), "node node_modules/reprieve-lua/build.mjs --test reprieve_test.lua");
}
