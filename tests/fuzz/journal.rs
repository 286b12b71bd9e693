//! Journals that came to harm: whatever is read of them, it was written, or it is refused.

use std::fs;
use std::path::Path;

use arbitrary::{Result, Unstructured};
use reprieve::event::Stamped;
use reprieve::journal::{self, ReadError};
use tempfile::TempDir;

use crate::{fuzz, harm::harm};

const JOURNAL: &str = include_str!("../it/kept/0.1.0/journal.jsonl");

/// Reads what a journal tells.
fn read(dir: &Path, bytes: &[u8]) -> (Vec<Stamped>, std::result::Result<(), ReadError>) {
    fs::write(dir.join("journal.jsonl"), bytes).expect("it can be written");
    let mut events = Vec::new();
    let mut read = || {
        let mut replay = journal::read(dir)?;
        while let Some((_, event)) = replay.event()? {
            events.push(event);
        }
        Ok(())
    };
    let result = read();
    (events, result)
}

fn dir() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory")
}

/// A changed byte that is taken for an event would run an experiment twice, or never.
#[test]
fn of_a_harmed_journal_only_what_was_written_is_believed() {
    let dir = dir();
    let (written, _) = read(dir.path(), JOURNAL.as_bytes());
    fuzz("journals that came to harm", 5_000, 256, |u| {
        let mut bytes = JOURNAL.as_bytes().to_vec();
        let _ = harm(&mut bytes, &["\n", "{\"crc32c\":\"", "\"event\":\"study-ended\""], u);
        let (events, result) = read(dir.path(), &bytes);
        assert!(events.iter().all(|event| written.contains(event)), "{result:?}");
        if let Err(error) = result {
            assert!(error.to_string().contains("hint: "), "{error}");
        }
    });
}

/// What another program might write: whole lines, of things that are no events.
#[test]
fn a_line_that_is_whole_and_makes_no_sense_is_refused() {
    let dir = dir();
    let lines: Vec<&str> = JOURNAL.lines().map(|line| &line["{\"crc32c\":\"00000000\",".len()..]).collect();
    let words = ["null", "-1", "1e400", "18446744073709551616", "[]", "{}", "\"\"", "\\ud800", "{\"retry\":"];
    let line = |u: &mut Unstructured<'_>| -> Result<Vec<u8>> {
        let mut body = u.choose(&lines)?.as_bytes().to_vec();
        harm(&mut body, &words, u)?;
        Ok(body)
    };
    fuzz("journals of nonsense", 5_000, 256, |u| {
        let body = line(u).unwrap_or_default();
        let header = JOURNAL.lines().next().expect("a header");
        let sum = crc32c::crc32c(&body);
        let start = format!("{header}\n{{\"crc32c\":\"{sum:08x}\",");
        if let (_, Err(error)) = read(dir.path(), &[start.as_bytes(), &body, b"\n"].concat()) {
            assert!(error.to_string().contains("hint: "), "{error}");
        }
    });
}

#[test]
fn a_journal_that_is_cut_anywhere_is_read_up_to_there() {
    let dir = dir();
    let whole = JOURNAL.as_bytes();
    let (written, _) = read(dir.path(), whole);
    let lines: Vec<usize> =
        whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    for cut in lines[0]..whole.len() {
        let (events, result) = read(dir.path(), &whole[..cut]);
        assert!(result.is_ok(), "cut at {cut}: {result:?}");
        // The header is a line, too. A last line without its end counts as torn.
        assert_eq!(events.len(), lines.iter().filter(|end| **end <= cut).count() - 1, "cut at {cut}");
        assert!(written.starts_with(&events));
    }
}

#[test]
fn each_flipped_bit_of_a_journal_is_noticed() {
    let dir = dir();
    let mut bytes = JOURNAL.as_bytes().to_vec();
    let (written, _) = read(dir.path(), &bytes);
    // Of its header and its last two lines, and of one in the middle.
    let ends: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] == b'\n').collect();
    let spans = [0..ends[0], ends[4]..ends[5], ends[ends.len() - 3]..bytes.len()];
    for (at, bit) in spans.into_iter().flatten().flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        bytes[at] ^= 1 << bit;
        let (events, result) = read(dir.path(), &bytes);
        // A checksum's digits mean the same in upper case.
        let same = bytes[at].is_ascii_uppercase() && events == written;
        assert!(
            same || events.len() < written.len() || result.is_err(),
            "bit {bit} of byte {at} is passed over"
        );
        assert!(written.starts_with(&events));
        bytes[at] ^= 1 << bit;
    }
}
