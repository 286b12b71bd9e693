//! The released contract, 0.1.0: policies that were built against it, kept as they were, and what they decided then.
//!
//! Nothing here is ever made anew. A host of a later contract has to pass it.

use std::fmt::Write;
use std::path::PathBuf;

use reprieve::policy::Policy;
use reprieve::trial;

use crate::load;

fn kept(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/contract/0.1.0").join(name)
}

/// Every decision and plan of a policy, a line a situation.
fn decisions(policy: &Policy) -> String {
    let mut text = String::new();
    for situation in trial::catalogue() {
        let decisions = trial::decide(policy, &situation).decisions;
        let decisions = serde_json::to_string(&decisions).expect("decisions are JSON");
        writeln!(text, "{}\t{decisions}", situation.name).expect("a text grows");
    }
    for situation in trial::catalogue().iter().take(1) {
        for (name, before) in [("before", true), ("after", false)] {
            let steps = trial::plan(policy, situation, before).steps;
            writeln!(text, "plan {name}\t{}", serde_json::to_string(&steps).expect("steps are JSON"))
                .expect("a text grows");
        }
    }
    text
}

#[test]
fn policies_of_0_1_0_load_and_decide_as_they_did() {
    for name in ["standard", "both"] {
        let bytes = std::fs::read(kept(&format!("{name}.wasm"))).expect("it is kept");
        let policy = load(name, bytes).expect("it loads");
        let info = policy.info();
        assert_eq!(info.contract, "0.1.0");
        assert!(info.roles.retry && info.roles.cleanup, "{name}");
        let recorded = std::fs::read_to_string(kept(&format!("{name}.decisions"))).unwrap_or_default();
        let decided = decisions(&policy);
        // Situations that were added later are none of its past.
        let mut seen = 0;
        for now in decided.lines() {
            let named = |line: &&str| line.split('\t').next() == now.split('\t').next();
            let Some(then) = recorded.lines().find(named) else { continue };
            assert_eq!(now, then, "{name}");
            seen += 1;
        }
        assert!(seen >= 30, "{name}: {decided}");
    }
}
