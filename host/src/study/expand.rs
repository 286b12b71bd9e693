//! From templates to the list of experiments, in the study's order.
//!
//! Positions are journaled, so nothing here may ever order them differently.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::error::{Problem, Problems};
use super::experiment::{Cell, Template};
use super::{Order, Span};

/// The most experiments that a study may have, repeats counted.
pub(super) const MOST_EXPERIMENTS: u64 = 1_000_000;

/// A template, and where the file gives its name.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) template: Template,
    pub(super) name: Span,
}

/// All runs of all templates. Empty where the file has problems.
pub(super) fn expand(templates: &[Named], order: Order, seed: u64, problems: &mut Problems) -> Vec<Cell> {
    let count = |t: &Named| t.template.combinations().saturating_mul(u64::from(t.template.repeats));
    let total = templates.iter().fold(0, |sum: u64, template| sum.saturating_add(count(template)));
    if total > MOST_EXPERIMENTS {
        let largest = templates.iter().max_by_key(|template| count(template)).expect("their sum is not 0");
        let message = format!("the study has {total} experiments, and the most is {MOST_EXPERIMENTS}");
        let hint = format!("most come from here: {} with their repeats", count(largest));
        problems.add(Problem::at(largest.name, message).hint(hint));
    }
    // Names are made of what was read: where that is wrong, so would they be.
    if !problems.is_empty() {
        return Vec::new();
    }
    let mut cells = Vec::with_capacity(usize::try_from(total).expect("it is at most a million"));
    for (template, named) in (0u32..).zip(templates) {
        let combinations = u32::try_from(named.template.combinations()).expect("they are at most a million");
        for combination in 0..combinations {
            cells.extend((1..=named.template.repeats).map(|repeat| Cell { template, combination, repeat }));
        }
    }
    check_names(templates, &cells, problems);
    match order {
        Order::Sequential => {}
        // The sort is stable: within a round, experiments stay as written.
        Order::Interleaved => cells.sort_by_key(|cell| cell.repeat),
        Order::Shuffled => shuffle(&mut cells, seed),
    }
    cells
}

/// Fisher and Yates's shuffle, drawing from SplitMix64 (Steele, Lea and Flood,
/// OOPSLA 2014). Written out here since a library's may change.
fn shuffle(cells: &mut [Cell], seed: u64) {
    let mut state = seed;
    let mut draw = |below: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        // The high half of the product: for a million, its bias is below 2^-44.
        usize::try_from((u128::from(z) * below as u128) >> 64).expect("it is below `below`")
    };
    for last in (1..cells.len()).rev() {
        cells.swap(last, draw(last + 1));
    }
}

/// Notes names that are not fit to print, and those that two experiments share.
fn check_names(templates: &[Named], cells: &[Cell], problems: &mut Problems) {
    let name = |cell: Cell| templates[cell.template as usize].template.name(cell);
    // Hashes, not names: a million names would be the largest thing in memory.
    let mut hashes: Vec<(u64, u32)> = Vec::with_capacity(cells.len());
    for (index, cell) in (0u32..).zip(cells) {
        let name = name(*cell);
        if name.trim().is_empty() || name.contains(char::is_control) {
            let message = format!("`{}` cannot be an experiment's name", name.escape_debug());
            let hint = "a name has something to print, and no line breaks or other control characters";
            problems.add(Problem::at(templates[cell.template as usize].name, message).hint(hint));
        }
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        hashes.push((hasher.finish(), index));
    }
    hashes.sort_unstable();
    // One for each template is enough: in a matrix, where there is one there
    // are many.
    let mut shared: BTreeMap<u32, (Cell, Cell)> = BTreeMap::new();
    for pair in hashes.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        let [first, second] = [pair[0], pair[1]].map(|(_, index)| cells[index as usize]);
        let known = shared.get(&second.template);
        let earlier = known.is_none_or(|(_, cell)| second.combination < cell.combination);
        if earlier && name(first) == name(second) {
            shared.insert(second.template, (first, second));
        }
    }
    for (first, second) in shared.into_values() {
        let place = templates[second.template as usize].name;
        let problem = Problem::at(place, format!("two experiments have the name `{}`", name(second)));
        problems.add(if first.template != second.template {
            problem.related(templates[first.template as usize].name, "the first one")
        } else {
            let template = &templates[second.template as usize].template;
            let axes = template.matrix.iter().map(|axis| format!("`{{{}}}`", axis.name));
            problem.hint(format!("tell them apart by {}", axes.collect::<Vec<_>>().join(", ")))
        });
    }
}
