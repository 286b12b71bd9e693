//! The contract grows: a host that speaks a next version too still runs the policies of the released one.

pub(in crate::policy) mod v0_2;

use std::path::Path;

use serde_json::json;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

use super::{Engine, Limits, Policy, PolicySource, contract};
use crate::decision::{Decision, Placement};
use crate::trial;

fn kept(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/contract").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn load(bytes: Vec<u8>) -> Result<Policy, String> {
    let engine = Engine::new(None).expect("this machine runs policies");
    let source = PolicySource::Bytes { name: "kept".to_owned(), bytes };
    Policy::load(&engine, &source, &json!({}), Limits::DEFAULT).map_err(|error| error.to_string())
}

/// The guest of the trial contract, as a component.
fn newer() -> Vec<u8> {
    let (resolve, package) = contract::parsed(&v0_2::VERSION);
    let world = resolve.select_world(&[package], Some("retry-only")).expect("it is there");
    let mut core = wat::parse_bytes(&kept("0.2.0-trial.wat")).expect("it parses").into_owned();
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8).expect("it encodes");
    let encoder = ComponentEncoder::default().module(&core).and_then(|mut encoder| encoder.encode());
    encoder.unwrap_or_else(|error| panic!("{error:#}"))
}

#[test]
fn a_policy_of_0_1_decides_beside_one_of_the_next_version_as_it_always_has() {
    let newer = load(newer()).expect("a host that speaks it loads it");
    assert_eq!(newer.info().contract, "0.2.0");
    let older = load(kept("0.1.0/standard.wasm")).expect("it still loads");
    assert_eq!(older.info().contract, "0.1.0");
    let recorded = String::from_utf8(kept("0.1.0/standard.decisions")).expect("it is text");
    for situation in trial::catalogue() {
        let decisions = trial::decide(&older, &situation).decisions;
        let decisions = serde_json::to_string(&decisions).expect("decisions are JSON");
        let named = |line: &&str| line.split('\t').next() == Some(&*situation.name);
        // A situation that was added later is none of its past.
        if let Some(then) = recorded.lines().find(named) {
            assert_eq!(format!("{}\t{decisions}", situation.name), then);
        }
        // The next version's own policy sees its new field, and its new decision is carried out.
        let mut question = situation.question;
        assert_eq!(newer.decide(&question).result, Ok(Decision::Accept), "{}", situation.name);
        let attempt = question.attempts.last_mut().expect("it is about one");
        attempt.memory = vec![v0_2::peak(1 << 30)];
        let Ok(Decision::Retry(retry)) = newer.decide(&question).result else { panic!("no retry") };
        assert_eq!((retry.placement, retry.delay.as_millis()), (Placement::OtherDevices, 1000));
    }
}

#[test]
fn a_policy_is_of_one_version_throughout() {
    let mut mixed = kept("0.1.0/both.wasm");
    for at in 0..mixed.len() - 35 {
        if mixed[at..].starts_with(b"reprieve:policy/cleanup-policy@0.1.0") {
            mixed[at + 33] = b'2';
        }
    }
    let said = load(mixed).expect_err("no version has both");
    assert!(
        said.contains("its `guest` is of version `0.1.0`, and it has `reprieve:policy/cleanup-policy@0.2.0`"),
        "{said}"
    );
}
