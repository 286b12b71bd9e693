//! What people and machines read while a study runs.
//!
//! Changes nothing and decides nothing.

mod fit;
mod human;
mod json;
mod live;
mod page;
mod tally;
pub mod words;

pub use human::{Human, Stream};
pub use json::{Json, VERSION, Versioned};
pub use page::Page;

use crate::event::Stamped;
use crate::state::StudyState;

/// Reads along.
pub trait Reporter {
    /// An event was journaled and applied; this is the state after it.
    fn report(&mut self, stamped: &Stamped, state: &StudyState);

    /// The same of an event that an earlier host reported: to be known, not told.
    fn replay(&mut self, _stamped: &Stamped, _state: &StudyState) {}

    /// Whether it shows what time passes, and wants [`Self::tick`] for that.
    fn is_live(&self) -> bool {
        false
    }

    /// Some time has passed.
    fn tick(&mut self, _state: &StudyState) {}
}
