//! The standard policy's behaviour, written in other languages with their SDKs:
//! each must decide as the built-in one does, word for word.

#![expect(clippy::disallowed_methods, reason = "tests build policies as their authors do")]

use std::path::{Path, PathBuf};
use std::process::Command;

use reprieve::policy::{Engine, Limits, Policy, PolicySource};
use reprieve::trial;
use serde_json::{Value, json};

/// Settings under which chance plays a part.
fn by_chance() -> Vec<Value> {
    vec![
        json!({ "max_retries": 5, "delay_seconds": 0.3, "backoff_factor": 1.7, "jitter": "full" }),
        json!({ "max_retries": 9, "jitter": "equal", "max_delay_seconds": 2.5 }),
        json!({ "max_retries": 6, "jitter": "decorrelated", "max_delay_seconds": 40 }),
    ]
}

/// Settings under which it plays none.
fn settings() -> Vec<Value> {
    vec![
        json!({}),
        json!({ "max_retries": 5, "delay_seconds": 0.3, "backoff_factor": 1.7 }),
        json!({ "retries_in_study": 2, "backoff_factor": 0 }),
        json!({ "stop_after_failures_in_a_row": 1, "max_retries": 0 }),
        json!({ "retry": [], "retry_once": ["network", "device-memory"] }),
        json!({ "cool_down_to_celsius": 45, "remove_shared_memory": false, "memory_tolerance_mib": 1 }),
    ]
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn load(engine: &Engine, source: &PolicySource, settings: &Value) -> Result<Policy, String> {
    Policy::load(engine, source, settings, Limits::DEFAULT).map_err(|error| error.to_string())
}

/// A component with a language's runtime in it takes long to compile: once is enough.
fn engine() -> Engine {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled");
    Engine::new(Some(cache)).expect("this machine runs policies")
}

/// Has both judge every situation of the catalogue under all of these settings.
fn conforms(component: &[u8], settings: Vec<Value>) {
    let engine = engine();
    let source = PolicySource::Bytes { name: "guest".to_owned(), bytes: component.to_owned() };
    for settings in settings {
        let guest = load(&engine, &source, &settings).expect("it takes these settings");
        let standard =
            load(&engine, &PolicySource::Standard, &settings).expect("they are the standard policy's");
        for situation in trial::catalogue() {
            let (its, ours) = (trial::decide(&guest, &situation), trial::decide(&standard, &situation));
            assert_eq!(its.breaches, ours.breaches, "`{}` under {settings}", situation.name);
            assert_eq!(its.decisions, ours.decisions, "`{}` under {settings}", situation.name);
            for before in [true, false] {
                let plan = |policy| trial::plan(policy, &situation, before).steps;
                assert_eq!(plan(&guest), plan(&standard), "`{}` under {settings}", situation.name);
            }
        }
    }
    for wrong in [json!({ "max_retris": 3 }), json!({ "delay_seconds": -1 }), json!({ "jitter": "some" })] {
        let refused = load(&engine, &source, &wrong).expect_err("the standard policy refuses it too");
        assert!(refused.contains("refuses its settings"), "{refused}");
    }
}

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

/// Builds a policy as the Python SDK's README says.
fn build(python: &Path, module: &Path) -> Vec<u8> {
    let dir = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let built = dir.path().join("policy.wasm");
    let sdk = root().join("guest-sdk/python");
    let ran = Command::new(python)
        .args(["-m", "reprieve_guest", "build"])
        .arg(module)
        .arg("-o")
        .arg(&built)
        .env("PYTHONPATH", &sdk)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("python starts");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    std::fs::read(built).expect("it was built")
}

#[test]
fn the_standard_policy_in_python_decides_as_the_built_in_one() {
    let Some(python) = python() else { return };
    let component = build(&python, &root().join("guest-sdk/python/examples/standard.py"));
    conforms(&component, [settings(), by_chance()].concat());
}

#[test]
fn an_exception_in_python_is_told_with_its_line() {
    let Some(python) = python() else { return };
    let dir = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let module = dir.path().join("broken.py");
    let text = "from reprieve_guest import Policy, export\n\n\nclass Broken(Policy):\n    \
                def decide(self, experiment, attempts, progress):\n        return {}[attempts.last.number]\n\n\n\
                Guest, RetryPolicy, CleanupPolicy = export(Broken)\n";
    std::fs::write(&module, text).expect("it can be written");
    let source = PolicySource::Bytes { name: "broken".to_owned(), bytes: build(&python, &module) };
    let policy = load(&engine(), &source, &json!({})).expect("it loads");
    let fault = policy.decide(&super::question(1)).result.expect_err("it raises");
    let last = fault.output_tail.lines().last().unwrap_or_default();
    assert_eq!(last, "KeyError: 1, in broken.py, line 6", "{fault:?}");
}

#[test]
fn a_python_policy_s_own_tests_pass_without_a_host() {
    let Some(python) = python() else { return };
    let tests = root().join("guest-sdk/python/tests/test_two_strikes.py");
    let ran = Command::new(python).arg(tests).env("PYTHONDONTWRITEBYTECODE", "1").output();
    let ran = ran.expect("python starts");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn the_python_sdk_s_readme_shows_its_example_word_for_word() {
    let read = |path: &str| {
        std::fs::read_to_string(root().join("guest-sdk/python").join(path)).expect("it is there")
    };
    assert!(read("README.md").contains(&format!("```python\n{}```\n", read("examples/two_strikes.py"))));
}

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
