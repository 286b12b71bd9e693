//! Policies tried out, before a study depends on them.
//!
//! Made-up situations show what a policy does and whether it keeps to the
//! contract; past studies show what it would have done. Nothing is run and
//! nothing is written.

mod policy;
mod replay;
mod situations;

pub use policy::{Breach, MOST_ATTEMPTS, Planned, Trial, decide, plan, plan_answer};
pub use replay::{Difference, Past, Replay, ReplayError};
pub use situations::{Situation, SituationError, catalogue, parse};
