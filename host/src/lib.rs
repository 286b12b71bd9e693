//! Reprieve gives a failed GPU experiment a second chance, and hands the next one a clean GPU.

pub mod action;
pub mod attempt;
pub mod clean;
pub mod cleanup;
pub mod cli;
pub mod clock;
pub mod decision;
pub mod event;
pub mod exit_code;
pub mod failure;
pub mod gpu;
pub mod health;
pub mod journal;
pub mod launcher;
mod lock;
mod millis;
pub mod policy;
pub mod process;
pub mod reading;
pub mod registry;
pub mod reporter;
pub mod runner;
pub mod samples;
mod shell;
pub mod size;
pub mod state;
pub mod study;
pub mod supervisor;
mod text;
pub mod trial;

/// The README's examples, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
