//! Policies in JavaScript and TypeScript.

use std::path::{Path, PathBuf};
use std::process::Command;

use reprieve::policy::PolicySource;
use reprieve::reporter::words;
use serde_json::json;

use super::{conforms, engine, load, path_with_reprieve, root, settings, tells_its_settings};
use crate::question;

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

/// Builds a policy as the JavaScript SDK's README says.
fn build(tools: &Path, module: &Path) -> Vec<u8> {
    let dir = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let built = dir.path().join("policy.wasm");
    let ran = Command::new("node")
        .arg(root().join("guest-sdk/javascript/build.mjs"))
        .arg(module)
        .arg("-o")
        .arg(&built)
        .current_dir(tools)
        .output()
        .expect("node starts");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    std::fs::read(&built).expect("it was built")
}

/// A JavaScript number holds 53 bits of a seed: what is drawn from it is
/// another draw, so chance is left out.
#[test]
fn the_standard_policy_in_javascript_decides_as_the_built_in_one() {
    let Some(tools) = javascript() else { return };
    let component = build(&tools, &root().join("guest-sdk/javascript/examples/standard.js"));
    conforms(&component, settings());
    tells_its_settings(&component);
}

/// `decide` has each of these bodies in turn, from the third line of `broken.js` on, and is told to fail so.
#[test]
fn what_goes_wrong_in_javascript_is_told_with_its_line_and_nothing_else() {
    let Some(tools) = javascript() else { return };
    let cases = [
        (
            "return attempts[attempts.length].number;",
            "TypeError: cannot read property 'number' of undefined, in broken.js, line 3",
        ),
        ("throw \"just a \\\"string\\\"\";", "just a \"string\""),
        ("throw { message: \"plain\" };", "plain"),
        (
            "return retry(Number.NaN, \"soon\");",
            "RangeError: `NaN` ms is no span of time, expected 0 or more, in broken.js, line 6",
        ),
        ("return giveUp(5);", "TypeError: `reason` is `5`, expected a text, in broken.js, line 7"),
        (
            "return retry(0, \"less\", { overrides: { batch: null } });",
            "TypeError: `overrides.batch` is `null`, expected a text, a number or a boolean, in broken.js, line 8",
        ),
        (
            "return { tag: \"retry\", val: { ...retry(0, \"\").val, placement: \"moon\" } };",
            "TypeError: `placement` is `\"moon\"`, expected one of `same-devices`, `other-devices`, `any-devices`",
        ),
        ("", "TypeError: `decide` returned `undefined`, expected a decision"),
    ];
    let bodies: String = cases.iter().map(|(body, _)| format!("  (attempts) => {{ {body} }},\n")).collect();
    // One component, as each takes long to compile.
    let text = format!(
        "import {{ define, giveUp, retry }} from \"reprieve-guest\";\nconst bodies = [\n{bodies}];\n\
         export const {{ guest, retryPolicy }} = define({{\n  name: \"broken\",\n  \
         settings: {{ number: {{ type: \"integer\", default: 0 }} }},\n  \
         decide: (experiment, attempts, progress, {{ number }}) => bodies[number](attempts),\n}});\n"
    );
    let dir = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let module = dir.path().join("broken.js");
    std::fs::write(&module, text).expect("it can be written");
    let (engine, bytes) = (engine(), build(&tools, &module));
    let source = PolicySource::Bytes { name: "broken".to_owned(), bytes };
    for (number, (_, expected)) in cases.iter().enumerate() {
        let policy = load(&engine, &source, &json!({ "number": number })).expect("it loads");
        assert_eq!(words::fault(&policy.decide(&question(1)).result.expect_err("it throws")), *expected);
    }
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

/// What it installs first is there already, in `node_modules`.
#[test]
fn the_javascript_sdk_s_readme_is_right_word_for_word() {
    let Some(tools) = javascript() else { return };
    let sdk = root().join("guest-sdk/javascript");
    let read = |path: &str| std::fs::read_to_string(sdk.join(path)).expect("it is there");
    let (readme, example) = (read("README.md"), read("examples/two-strikes.js"));
    assert!(readme.contains(&format!("```js\n{example}```\n")), "not word for word");
    let desk = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let put =
        |path: &str, text: &str| std::fs::write(desk.path().join(path), text).expect("it can be written");
    put("two-strikes.js", &example);
    put("package.json", "{}");
    let modules = desk.path().join("node_modules");
    std::fs::create_dir_all(modules.join(".bin")).expect("a directory");
    let installed = tools.join("node_modules").canonicalize().expect("it is there");
    let link = |from: &Path, to: &str| {
        std::os::unix::fs::symlink(from, modules.join(to)).expect("it can be linked");
    };
    for module in ["componentize-qjs", "esbuild", ".bin/componentize-qjs"] {
        link(&installed.join(module), module);
    }
    link(&sdk.join("build.mjs"), ".bin/reprieve-guest-build");
    link(&sdk, "reprieve-guest");
    let script = readme.split("```sh\n").nth(2).and_then(|block| block.split("```").next());
    let ran = Command::new("sh")
        .args(["-euc", script.expect("it builds the policy")])
        .current_dir(desk.path())
        .env("PATH", path_with_reprieve())
        .output()
        .expect("sh starts");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()));
}
