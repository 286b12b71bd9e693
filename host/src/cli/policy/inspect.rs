//! `reprieve policy inspect`: what a policy is.

use std::io;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::exit_code;
use crate::policy::{Policy, PolicyInfo};
use crate::reporter::{Page, Versioned, words};
use crate::size::size;
use crate::trial::{self, Situation};

use super::super::Failed;
use super::Which;

/// How often it is called to say what a call costs.
const CALLS: usize = 21;

/// What a call costs, in the simplest situation.
#[derive(Serialize)]
struct Cost {
    took_us: u128,
    /// Of that, for the fresh instance.
    instantiation_us: u128,
    fuel: u64,
    memory_bytes: u64,
}

#[derive(Serialize)]
struct Told<'a> {
    name: &'a str,
    policy_version: &'a str,
    summary: &'a str,
    decides: bool,
    plans: bool,
    contract: &'a str,
    imports: &'a [String],
    size_bytes: u64,
    sha256: &'a str,
    call: Option<Cost>,
    settings_schema: Option<Value>,
}

pub(super) fn run(which: &Which, json: bool) -> Result<u8, Failed> {
    let policy = which.load()?;
    let info = policy.info();
    let schema: Option<Value> =
        info.settings_schema.as_deref().and_then(|schema| serde_json::from_str(schema).ok());
    let call = trial::catalogue().first().and_then(|simplest| cost(&policy, simplest));
    if json {
        Versioned::new(Told {
            name: &info.name,
            policy_version: &info.version,
            summary: &info.summary,
            decides: info.roles.retry,
            plans: info.roles.cleanup,
            contract: &info.contract,
            imports: &info.imports,
            size_bytes: info.size_bytes,
            sha256: &info.digest,
            call,
            settings_schema: schema,
        })
        .print()?;
        return Ok(exit_code::SUCCESS);
    }
    print(info, call.as_ref(), schema.as_ref())?;
    Ok(exit_code::SUCCESS)
}

/// The median call; `None` where it fails.
fn cost(policy: &Policy, situation: &Situation) -> Option<Cost> {
    let question = &situation.question;
    let mut calls: Vec<(Duration, Duration, u64, u64)> = (0..CALLS)
        .map(|_| {
            if policy.info().roles.retry {
                let answer = policy.decide(question);
                answer
                    .result
                    .ok()
                    .map(|_| (answer.took, answer.instantiation, answer.fuel, answer.memory_bytes))
            } else {
                let planned = trial::plan_answer(policy, situation, false);
                planned
                    .result
                    .ok()
                    .map(|_| (planned.took, planned.instantiation, planned.fuel, planned.memory_bytes))
            }
        })
        .collect::<Option<_>>()?;
    calls.sort();
    let (took, instantiation, fuel, memory_bytes) = calls[CALLS / 2];
    Some(Cost { took_us: took.as_micros(), instantiation_us: instantiation.as_micros(), fuel, memory_bytes })
}

/// Where what is told of a heading begins.
const BESIDE: usize = 10;

fn print(info: &PolicyInfo, call: Option<&Cost>, schema: Option<&Value>) -> io::Result<()> {
    let mut page = Page::stdout();
    page.line(&format!("{} {}", info.name, info.version), 0)?;
    if !info.summary.is_empty() {
        page.line(&info.summary, 0)?;
    }
    let roles = match (info.roles.retry, info.roles.cleanup) {
        (true, true) => "decides what follows an attempt, and plans the cleanup",
        (true, false) => "decides what follows an attempt",
        (false, _) => "plans the cleanup",
    };
    let imports = if info.imports.is_empty() { "nothing".to_owned() } else { info.imports.join(", ") };
    let call = match call {
        Some(Cost { took_us, instantiation_us, fuel, memory_bytes }) => format!(
            "{took_us} us, {instantiation_us} of them for its fresh instance; {fuel} fuel, {} of memory",
            size(*memory_bytes)
        ),
        None => "fails; `reprieve policy test` says how".to_owned(),
    };
    let properties = schema.and_then(|schema| schema.get("properties")?.as_object());
    let settings = match (properties, schema) {
        (Some(properties), _) => words::count(properties.len() as u64, "setting"),
        (None, Some(_)) => "by a schema; see `--json`".to_owned(),
        (None, None) => "not told".to_owned(),
    };
    page.line("", 0)?;
    for (heading, told) in [
        ("role", roles),
        ("contract", &format!("reprieve:policy@{}", info.contract)),
        ("imports", &imports),
        ("file", &size(info.size_bytes)),
        ("sha256", &info.digest),
        ("a call", &call),
        ("settings", &settings),
    ] {
        page.line(&format!("{heading:BESIDE$}{told}"), BESIDE)?;
    }
    properties.map_or(Ok(()), |properties| tell(&mut page, properties))
}

/// The settings, as far as a schema of the usual kind tells them.
fn tell(page: &mut Page, properties: &Map<String, Value>) -> io::Result<()> {
    let width = properties.keys().map(|name| name.chars().count()).max().unwrap_or_default();
    let beside = width + 4;
    for (name, property) in properties {
        let default = property.get("default").map_or_else(|| "no default".to_owned(), spaced);
        let description = property.get("description").and_then(Value::as_str).unwrap_or_default();
        page.line(&format!("  {name:width$}  {default}"), beside)?;
        page.line(&format!("{:beside$}{description}", ""), beside)?;
    }
    Ok(())
}

/// A value as JSON; a list's has room to be broken in.
fn spaced(value: &Value) -> String {
    match value {
        Value::Array(all) => {
            let all: Vec<String> = all.iter().map(Value::to_string).collect();
            format!("[{}]", all.join(", "))
        }
        other => other.to_string(),
    }
}
