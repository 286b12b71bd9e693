//! What is read of files, tried with what no author would write: journals,
//! study files, components, and the output of experiments.
//!
//! Inputs are made from real ones and from the grammars, each from a seed. A
//! failure names its seed; `REPRIEVE_SEED=N` runs that input alone, and
//! `REPRIEVE_FUZZ=N` runs as many of each kind as are asked for.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the figures are worth knowing, and the seeds"
)]

mod classifier;
mod component;
#[expect(dead_code, reason = "the tests of policies use the rest")]
#[path = "../policy/guest.rs"]
mod guest;
mod harm;
mod journal;
mod study;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use arbitrary::Unstructured;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// When an input is taken to run for ever; far beyond what a busy machine needs for one.
const PATIENCE: Duration = Duration::from_secs(120);

/// Tries so many inputs, each made from the bytes of its seed. Where those run
/// out, an input ends.
fn fuzz(target: &str, usual: u64, bytes_max: usize, mut one: impl FnMut(&mut Unstructured<'_>)) {
    let seeds = match number("REPRIEVE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("REPRIEVE_FUZZ").unwrap_or(usual),
    };
    let executions = seeds.end - seeds.start;
    let (begin, begun) = channel::<u64>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut seed = 0;
            loop {
                match begun.recv_timeout(PATIENCE) {
                    Ok(next) => seed = next,
                    Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => {
                        eprintln!("{target}: seed {seed} runs for ever; REPRIEVE_SEED={seed} runs it alone");
                        std::process::abort();
                    }
                }
            }
        });
        for seed in seeds {
            begin.send(seed).expect("the watcher waits for the end");
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut bytes = vec![0; random.random_range(0..=bytes_max)];
            random.fill(&mut bytes[..]);
            let ran = catch_unwind(AssertUnwindSafe(|| one(&mut Unstructured::new(&bytes))));
            assert!(ran.is_ok(), "{target}: seed {seed} fails; REPRIEVE_SEED={seed} runs it alone");
        }
        drop(begin);
    });
    println!("{target}: {executions} executions");
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}
