//! The command from end to end: what it prints, how it exits, and what it leaves on disk.
//!
//! Experiments are a few lines of `/bin/sh`. What they and the tests wait for
//! is a file, never a time. No GPU, no network.

#![expect(clippy::disallowed_methods, reason = "tests start the command, and wait, as people do")]

mod cleanup;
mod clocks;
mod commands;
mod contract;
mod cuda;
mod devices;
mod doctor;
mod faults;
mod gpu;
mod gpu_script;
#[expect(dead_code, reason = "the tests of policies use the rest")]
#[path = "../policy/guest.rs"]
mod guest;
mod impostors;
mod interrupts;
mod journal;
mod kept;
mod limits;
mod machine;
mod new_policy;
mod policies;
mod readme;
mod registry;
mod resume;
mod retries;
mod sharing;
mod stages;
mod stand_in;
mod stand_in_cuda;
mod supervisors;
mod support;
mod terminal;
mod tidy;
