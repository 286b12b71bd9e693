//! Whose turn it is: retries that are due, then experiments that never ran, then those put last.
//!
//! Does not know devices: it offers turns, and the schedule takes them.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::study::ExperimentId;

/// A place in the queue; smaller ones come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(Rank, u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Due,
    Fresh,
    Last,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Queue {
    places: BTreeMap<Place, ExperimentId>,
    pushed: u64,
}

impl Queue {
    /// All experiments, in the study's order.
    pub(super) fn new(ids: impl Iterator<Item = ExperimentId>) -> Self {
        let places = ids.map(|id| (Place(Rank::Fresh, u64::from(id.0)), id)).collect();
        Self { places, pushed: 0 }
    }

    /// Before all that never ran, after those that were due earlier.
    pub(super) fn push_due(&mut self, id: ExperimentId) {
        self.push(Rank::Due, id);
    }

    /// After every other.
    pub(super) fn push_last(&mut self, id: ExperimentId) {
        self.push(Rank::Last, id);
    }

    fn push(&mut self, rank: Rank, id: ExperimentId) {
        self.pushed += 1;
        self.places.insert(Place(rank, self.pushed), id);
    }

    /// The first turn after this place, or the first of all.
    pub(super) fn after(&self, place: Option<Place>) -> Option<(Place, ExperimentId)> {
        let from = place.map_or(Bound::Unbounded, Bound::Excluded);
        self.places.range((from, Bound::Unbounded)).next().map(|(place, id)| (*place, *id))
    }

    pub(super) fn take(&mut self, place: Place) {
        self.places.remove(&place);
    }
}
