//! Reprieve gives a failed GPU experiment a second chance, and hands the next one a clean GPU.

pub mod attempt;
pub mod decision;
mod millis;
pub mod policy;
