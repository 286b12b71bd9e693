//! The settings of the `standard` policy: what is taken, what is refused, and
//! that the schema says the same.

use reprieve_guest::{FailureClass, Policy};
use reprieve_standard::Standard;
use serde_json::{Map, Value, json};

fn schema() -> Value {
    serde_json::from_str(Standard::SETTINGS_SCHEMA.unwrap()).unwrap()
}

fn properties() -> Map<String, Value> {
    schema()["properties"].as_object().unwrap().clone()
}

fn read(name: &str, value: &Value) -> Result<Standard, String> {
    Standard::configure(&json!({ name: value }).to_string())
}

#[test]
fn the_schema_names_exactly_the_settings_that_are_read() {
    let refusal = Standard::configure(r#"{"max_retrys": 5}"#).unwrap_err();
    let known: Vec<_> = refusal.split('`').skip(3).step_by(2).collect();
    let mut documented: Vec<_> = properties().keys().cloned().collect();
    documented.sort_by_key(|name| known.iter().position(|known| known == name));
    assert_eq!(documented, known);
    assert_eq!(schema()["additionalProperties"], json!(false));
}

#[test]
fn the_schemas_defaults_are_those_that_are_used() {
    let mut all = Map::new();
    for (name, property) in properties() {
        all.insert(name, property["default"].clone());
    }
    assert_eq!(Standard::configure(&Value::Object(all).to_string()), Ok(Standard::default()));
    assert_eq!(Standard::configure("{}"), Ok(Standard::default()));
}

#[test]
fn the_schemas_bounds_are_those_that_are_kept() {
    for (name, property) in properties() {
        for bound in ["minimum", "maximum"] {
            let Some(value) = property.get(bound) else { continue };
            assert!(read(&name, value).is_ok(), "{bound} of `{name}`");
            let step = if bound == "minimum" { -1 } else { 1 };
            let beyond = json!(value.as_i64().unwrap() + step);
            assert!(read(&name, &beyond).unwrap_err().contains(&format!("`{name}`")), "beyond the {bound}");
        }
    }
}

#[test]
fn the_schemas_choices_are_those_that_are_read() {
    for jitter in properties()["jitter"]["enum"].as_array().unwrap() {
        assert!(read("jitter", jitter).is_ok(), "{jitter}");
    }
    let classes = FailureClass::ALL.map(FailureClass::name);
    assert_eq!(schema()["$defs"]["failure-class"]["enum"], json!(classes));
    assert_eq!(read("retry", &json!(classes)).unwrap().retry, FailureClass::ALL);
}

#[test]
fn a_refusal_tells_its_reader_what_would_do() {
    for (settings, refusal) in [
        (json!({"max_retries": -1}), "`max_retries`: invalid value: integer `-1`, expected u32"),
        (json!({"delay_seconds": -0.5}), "`delay_seconds`: `-0.5` is negative, expected 0 or more"),
        (json!({"backoff_factor": "2"}), "`backoff_factor`: invalid type: string \"2\", expected f64"),
        (
            json!({"jitter": "some"}),
            "`jitter`: unknown variant `some`, expected one of `none`, `full`, `equal`, `decorrelated`",
        ),
        (
            json!({"stop_after_failures_in_a_row": 0}),
            "`stop_after_failures_in_a_row`: invalid value: integer `0`, expected a nonzero u32",
        ),
    ] {
        assert_eq!(Standard::configure(&settings.to_string()).unwrap_err(), refusal);
    }
    let refusal = read("retry", &json!(["network", "netwrk"])).unwrap_err();
    assert!(
        refusal.starts_with("`retry`: unknown variant `netwrk`, expected one of `network`, "),
        "{refusal}"
    );
}
