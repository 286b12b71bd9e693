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
