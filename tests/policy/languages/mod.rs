//! The standard policy's behaviour, written in other languages with their SDKs:
//! each must decide as the built-in one does, word for word.

#![expect(clippy::disallowed_methods, reason = "tests build policies as their authors do")]

mod assemblyscript;
mod c;
mod cpp;
mod d;
mod desk;
mod go;
mod javascript;
mod lua;
mod mirror;
mod nim;
mod python;
mod zig;

use std::path::{Path, PathBuf};

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

/// The path of commands, with `reprieve` on it.
fn path_with_reprieve() -> String {
    let ours = Path::new(env!("CARGO_BIN_EXE_reprieve")).parent().expect("it is in a directory");
    format!("{}:{}", ours.display(), std::env::var("PATH").unwrap_or_default())
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
    for wrong in [
        json!({ "max_retris": 3 }),
        json!({ "max_retries": -1 }),
        json!({ "max_retries": 1.5 }),
        json!({ "max_retries": "3" }),
        json!({ "delay_seconds": -1 }),
        json!({ "delay_seconds": true }),
        json!({ "stop_after_failures_in_a_row": 0 }),
        json!({ "retry": ["netwerk"] }),
        json!({ "jitter": "some" }),
    ] {
        let refused = load(&engine, &source, &wrong).expect_err("the standard policy refuses it too");
        assert!(refused.contains("refuses its settings"), "{refused}");
    }
}

/// Has both tell the same settings with the same defaults. What refuses wrong
/// ones is the policy itself, before the host looks at its schema.
fn tells_its_settings(component: &[u8]) {
    let engine = engine();
    let source = PolicySource::Bytes { name: "guest".to_owned(), bytes: component.to_owned() };
    let defaults = |source| {
        let policy = load(&engine, source, &json!({})).expect("it loads");
        let schema = policy.info().settings_schema.clone().expect("it has settings");
        let schema: Value = serde_json::from_str(&schema).expect("a schema is JSON");
        let properties = schema["properties"].as_object().expect("of named settings").clone();
        properties.into_iter().map(|(name, told)| (name, told["default"].clone())).collect::<Vec<_>>()
    };
    let told = defaults(&source);
    // A number may be written as a whole one, and a set has no order.
    let same = |one: &Value, other: &Value| match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().all(|item| other.contains(item))
        }
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        _ => one == other,
    };
    let expected = defaults(&PolicySource::Standard);
    assert_eq!(expected.len(), told.len(), "{told:?}");
    for ((name, default), (its_name, its_default)) in expected.iter().zip(&told) {
        assert_eq!(name, its_name, "{told:?}");
        assert!(same(default, its_default), "`{name}`: {its_default}");
    }
    let refused = load(&engine, &source, &json!({ "delay_seconds": -1 })).expect_err("it is negative");
    assert!(refused.contains("`delay_seconds`: `-1`, expected a number, 0 or more"), "{refused}");
}
