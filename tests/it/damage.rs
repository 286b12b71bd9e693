//! Files that came to harm: whatever is read of them, it is right or it is refused.
//!
//! `PROPTEST_CASES=N` tries as many as are asked for.

use std::fs;
use std::sync::LazyLock;

use proptest::prelude::*;
use reprieve::event::Stamped;
use reprieve::journal::{self, ReadError};
use reprieve::policy::{Engine, Limits, Policy, PolicySource};
use serde_json::json;
use tempfile::TempDir;

use crate::support::Place;

/// One thing that happens to a file.
#[derive(Clone, Debug)]
enum Harm {
    Cut(prop::sample::Index),
    Flip(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, u8),
    /// What was once written stands there twice.
    Repeat(prop::sample::Index, u8),
}

impl Harm {
    fn any() -> impl Strategy<Value = Self> {
        let at = any::<prop::sample::Index>;
        prop_oneof![
            at().prop_map(Self::Cut),
            (at(), 0..8u8).prop_map(|(at, bit)| Self::Flip(at, bit)),
            (at(), prop::collection::vec(any::<u8>(), 1..40)).prop_map(|(at, bytes)| Self::Insert(at, bytes)),
            (at(), 1..200u8).prop_map(|(at, length)| Self::Remove(at, length)),
            (at(), 1..200u8).prop_map(|(at, length)| Self::Repeat(at, length)),
        ]
    }

    fn befall(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let end = |at: usize, length: u8| (at + usize::from(length)).min(bytes.len());
        match self {
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Flip(at, bit) => {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
            Self::Insert(at, new) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, new.iter().copied());
            }
            Self::Remove(at, length) => {
                let at = at.index(bytes.len());
                bytes.drain(at..end(at, *length));
            }
            Self::Repeat(at, length) => {
                let at = at.index(bytes.len());
                let again = bytes[at..end(at, *length)].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
}

/// The journal of a small study, and its events.
static JOURNAL: LazyLock<(Vec<u8>, Vec<Stamped>)> = LazyLock::new(|| {
    let place = Place::of(
        "name = \"s\"\nslots = 1\npolicy = { settings = { delay_seconds = 0.01 } }\n[[experiments]]\nname = \"e\"\n\
         measure = { shell = '[ -e tried ] || { touch tried; exit 75; }' }\n",
    );
    assert_eq!(place.run().code, 0);
    (fs::read(place.path("out/journal.jsonl")).expect("a journal"), place.events())
});

/// Reads what a harmed journal tells.
fn read(bytes: &[u8]) -> (Vec<Stamped>, Result<(), ReadError>) {
    let dir = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    fs::write(dir.path().join("journal.jsonl"), bytes).expect("it can be written");
    let mut events = Vec::new();
    let mut read = || {
        let mut replay = journal::read(dir.path())?;
        while let Some((_, event)) = replay.event()? {
            events.push(event);
        }
        Ok(())
    };
    let result = read();
    (events, result)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    /// A changed byte that is taken for an event would run an experiment twice, or never.
    #[test]
    fn of_a_harmed_journal_only_what_was_written_is_believed(harms in prop::collection::vec(Harm::any(), 1..4)) {
        let (whole, written) = &*JOURNAL;
        let mut bytes = whole.clone();
        harms.iter().for_each(|harm| harm.befall(&mut bytes));
        let (events, result) = read(&bytes);
        // A line that stands there twice is whole each time.
        let repeated = harms.iter().any(|harm| matches!(harm, Harm::Repeat(..) | Harm::Remove(..)));
        if repeated {
            prop_assert!(events.iter().all(|event| written.contains(event)));
        } else {
            prop_assert!(written.starts_with(&events), "{} events, {:?}", events.len(), result);
        }
    }
}

#[test]
fn a_journal_that_is_cut_anywhere_is_read_up_to_there() {
    let (whole, written) = &*JOURNAL;
    let lines: Vec<usize> =
        whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    for cut in lines[0]..whole.len() {
        let (events, result) = read(&whole[..cut]);
        assert!(result.is_ok(), "cut at {cut}: {result:?}");
        // The header is a line, too. A last line without its end counts as torn.
        assert_eq!(events.len(), lines.iter().filter(|end| **end <= cut).count() - 1, "cut at {cut}");
        assert!(written.starts_with(&events));
    }
}

static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(None).expect("it starts"));

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    /// A component from somewhere must never take the host down with it.
    #[test]
    fn a_harmed_component_is_loaded_or_refused(harms in prop::collection::vec(Harm::any(), 1..3)) {
        let mut bytes = include_bytes!("../../host/src/policy/standard.wasm").to_vec();
        harms.iter().for_each(|harm| harm.befall(&mut bytes));
        let source = PolicySource::Bytes { name: "harmed".to_owned(), bytes };
        if let Err(error) = Policy::load(&ENGINE, &source, &json!({}), Limits::DEFAULT) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
