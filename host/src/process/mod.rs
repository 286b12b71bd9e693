//! Starting, telling apart, watching and ending processes.
//!
//! Does not know what an experiment is. Ends only processes it is shown to
//! have started: a PID alone is never enough.

mod group;
mod identity;
mod spawn;
mod tree;

pub use group::{ControlGroup, can_group};
pub use identity::{boot_id, identify, ignores_hangup, start_ticks};
pub use spawn::{Spawn, SpawnError, find};
pub use tree::{Ours, TOKEN_VARIABLE, adopt_orphans, is_strangers, ours, reap};
