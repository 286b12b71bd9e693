//! Settings, held against the schema that a policy gives for them.
//!
//! Asks no policy: what its own `configure` makes of them comes first, see `load`.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use serde_json::Value;

use super::load::LINE_BYTES;
use crate::text::{clip, printable};

/// What does not fit its schema, or is none.
pub(super) enum Unfit {
    Schema(String),
    Settings(String),
    /// It is not known whether they fit.
    Deadline(String),
}

/// Holds settings against the schema that the policy gives for them. A policy
/// may read its settings more loosely than it describes them; the description
/// is what their author has read. Where there are no settings, `configure` has
/// already said whether any are needed, and nothing is compiled for it.
///
/// A schema is a program: forty definitions that each refer twice to the next
/// take 2^40 steps. It has its deadline like any other; where it goes past it,
/// its thread is left behind, and the process with it ends soon, since a
/// policy that does not load starts no study.
pub(super) fn keep_to(schema: &str, settings: &str, deadline: Duration) -> Result<(), Unfit> {
    let schema: Value = serde_json::from_str(schema)
        .map_err(|error| Unfit::Schema(line(format!("its settings schema is not JSON: {error}"))))?;
    if settings == "{}" {
        return Ok(());
    }
    let settings: Value = serde_json::from_str(settings).expect("it was made from a value");
    let (answer, answered) = mpsc::channel();
    let held = std::thread::Builder::new().name("policy-schema".into()).spawn(move || {
        // Nobody listens any more where it comes too late.
        let _ = answer.send(hold(&schema, &settings));
    });
    let failed = |why: String| Unfit::Schema(line(format!("its settings schema cannot be checked: {why}")));
    held.map_err(|error| failed(error.to_string()))?;
    match answered.recv_timeout(deadline) {
        Ok(answer) => answer,
        Err(RecvTimeoutError::Timeout) => {
            Err(Unfit::Deadline(format!("its settings schema ran past its deadline of `{deadline:?}`")))
        }
        Err(RecvTimeoutError::Disconnected) => Err(failed("the check panicked".to_owned())),
    }
}

fn hold(schema: &Value, settings: &Value) -> Result<(), Unfit> {
    let validator = jsonschema::validator_for(schema)
        .map_err(|error| Unfit::Schema(line(format!("its settings schema is no JSON Schema: {error}"))))?;
    validator.validate(settings).map_err(|error| {
        let place = error.instance_path().to_string();
        let place = if place.is_empty() { String::new() } else { format!("`{place}`: ") };
        Unfit::Settings(line(format!("{place}{error} (by its settings schema)")))
    })
}

fn line(text: String) -> String {
    printable(clip(&text, LINE_BYTES))
}
