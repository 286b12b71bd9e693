//! Write a Reprieve policy: what follows a failed GPU experiment.
//!
//! A policy is an ordinary type that implements [`Policy`], and [`export!`]
//! turns it into a WebAssembly component. Everything has a default, and the
//! same code runs in ordinary unit tests. All of this is a complete policy:
//!
//! ```
#![doc = include_str!("../examples/two_strikes.rs")]
//! ```
//!
//! The host gives each call a fresh instance, so a policy remembers nothing:
//! all it may know arrives as arguments. It does no work either: it answers,
//! and the host waits, places and cleans.
//!
//! Spans of time inside the contract's records are milliseconds, as the
//! contract has them; what this crate offers on top speaks [`Duration`](std::time::Duration).

#[cfg(all(target_family = "wasm", feature = "bump-allocator"))]
mod allocator;
mod attempts;
mod backoff;
#[doc(hidden)]
pub mod bindings;
mod budget;
mod decision;
mod experiment;
#[doc(hidden)]
pub mod export;
pub mod gpu_cleanup;
pub mod nvml_status;
mod policy;
mod random;
mod retry_after;
mod seconds;
mod settings;

pub use attempts::Attempts;
pub use backoff::{Backoff, Jitter};
pub use bindings::cleanup::exports::reprieve::policy::cleanup_policy::Occasion;
pub use bindings::retry::exports::reprieve::policy::retry_policy::{Decision, Placement, Retry, Turn};
pub use bindings::retry::reprieve::policy::types::{
    Attempt, DeviceFault, DeviceMemoryUse, Ending, Experiment, Failure, FailureClass, Parameter, Progress,
    SelfReport, Stage,
};
pub use budget::Budget;
pub use gpu_cleanup::Step;
pub use policy::Policy;
pub use random::Random;
pub use seconds::seconds;
pub use settings::from_json;

/// Compiles what the README shows.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
