//! Which line of an output decides.
//!
//! It knows the table and the order of its lines; how the process ended is
//! judged elsewhere.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

use super::FailureClass::{DeviceHardware, DeviceMemory, DeviceOccupied, Network, RateLimited, Unknown};
use super::lines::{self, Level};
use super::patterns::{Group, Strength, TABLE};
use super::{failure, oom, xid};
use crate::attempt::{Failure, FailureClass};

/// What a program said, most trusted first.
pub(super) struct Output<'a> {
    pub report: &'a str,
    pub stderr: &'a str,
    pub stdout: &'a str,
}

/// A line that means something.
pub(super) struct Found {
    pub class: FailureClass,
    pub strength: Strength,
    /// The program went on after it.
    pub warned: bool,
    /// Equal for the lines of one chain of exceptions.
    chain: usize,
    evidence: String,
}

impl Output<'_> {
    pub(super) fn streams(&self) -> [&str; 3] {
        [self.report, self.stderr, self.stdout]
    }

    /// The failure that the lines which may count point to.
    pub(super) fn judge(&self, may_count: impl Fn(&Found) -> bool) -> Option<Failure> {
        let mut streams = [
            // The report's words are its author's, not a logger's.
            scan(self.report, |_| Level::Error),
            scan(self.stderr, lines::level),
            scan(self.stdout, lines::level),
        ];
        for found in &mut streams {
            found.retain(&may_count);
        }
        let pick = |strength| streams.iter().find_map(|found| first(found, strength));
        let chosen = pick(Strength::Cause)
            .or_else(|| pick(Strength::Effect))
            .or_else(|| pick(Strength::Symptom))
            .or_else(|| streams.iter().find_map(|found| found.last()))?;
        Some(Failure { class: chosen.class, evidence: chosen.evidence.clone() })
    }

    /// A failure that nothing explains, with the program's own report or the
    /// last complaint on its standard error, for a reader to judge.
    pub(super) fn unknown(&self, ending: &str) -> Failure {
        let complaint = |text| {
            lines::lines(text)
                .filter(|line| lines::level(&line.text) == Level::Error && !lines::is_progress(&line.text))
                .last()
        };
        // What a program last printed as its result explains nothing.
        match [self.report, self.stderr].into_iter().find_map(complaint) {
            Some(said) => failure(Unknown, &format!("{ending}: {}", said.text.trim())),
            None => failure(Unknown, ending),
        }
    }
}

/// The line that decides among errors of this strength.
fn first(found: &[Found], strength: Strength) -> Option<&Found> {
    let errors = || found.iter().filter(|found| !found.warned && found.strength == strength);
    let passing = |found: &Found| matches!(found.class, Network | RateLimited);
    let firm = errors()
        .find(|found| found.class == DeviceHardware)
        .or_else(|| errors().find(|found| !passing(found)));
    match firm {
        Some(firm) => errors().find(|found| found.chain == firm.chain),
        None => errors().next(),
    }
}

/// Every line of a text that means something, in its order.
fn scan(text: &str, level: impl Fn(&str) -> Level) -> Vec<Found> {
    let mut chain = 0;
    let mut found = Vec::new();
    for line in lines::lines(text) {
        let Some((class, strength, end)) = meaning(&line.text) else { continue };
        let level = level(&line.text);
        if level == Level::Info {
            continue;
        }
        if !line.linked {
            chain += 1;
        }
        let warned = level == Level::Warning || line.quiet;
        found.push(Found { class, strength, warned, chain, evidence: lines::excerpt(&line.text, end) });
    }
    found
}

/// What a line means, and where in it the words that say so end.
fn meaning(line: &str) -> Option<(FailureClass, Strength, usize)> {
    if let Some(class) = xid::class_of_line(line) {
        return Some((class, Strength::Cause, 0));
    }
    table().iter().find_map(|(group, regex)| {
        let end = regex.shortest_match(line.as_bytes())?;
        let class = match group.class {
            DeviceMemory if oom::others_hold_the_memory(line) => DeviceOccupied,
            class => class,
        };
        Some((class, group.strength, line.floor_char_boundary(end)))
    })
}

/// The table of patterns, compiled at first use, one expression for a group:
/// one for all of them would need seconds to build the states it meets.
fn table() -> &'static [(&'static Group, Regex)] {
    static COMPILED: OnceLock<Vec<(&Group, Regex)>> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let compiled = TABLE.iter().map(|group| {
            let rows = group.rows.iter().flat_map(|(_, regexes)| *regexes);
            let any = rows.map(|regex| format!("(?:{regex})")).collect::<Vec<_>>().join("|");
            let regex = RegexBuilder::new(&any).unicode(false).build().expect("the table's rows are valid");
            (group, regex)
        });
        compiled.collect()
    })
}
