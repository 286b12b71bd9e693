//! What can be wrong with a policy, in words that help its author.
//!
//! Finds nothing out: see `load` and `contract`.

use std::path::PathBuf;

use thiserror::Error;

use super::contract::{CONTRACT, changes};
use super::load::FILE_BYTES;
use crate::decision::PolicyFault;
use crate::study::Digest;

/// A policy that cannot be used, found out before it is needed.
#[derive(Debug, Error)]
#[error("policy `{policy}` {problem}")]
pub struct LoadError {
    /// The file's path, or the name it was given.
    pub policy: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a policy.
#[derive(Debug, Error)]
pub enum Problem {
    /// There is no such file.
    #[error(
        "does not exist\n\
         hint: look at the path; `standard` names the built-in policy, and `oci://…` one in a registry"
    )]
    Missing,
    /// It is in a registry, and has not been pinned to what it is there.
    #[error("is in a registry, and has not been pulled from there\nhint: `reprieve policy pull` pulls it")]
    NotPulled,
    /// The file is something else than was pinned.
    #[error(
        "was pinned as `{pinned}`, and its copy `{}` is `{found}`\n\
         hint: something wrote to it; `reprieve resume` of its study, and `run`, pull it anew", file.display()
    )]
    NotAsPinned {
        /// The file.
        file: PathBuf,
        /// What it is.
        found: Digest,
        /// What it has to be.
        pinned: Digest,
    },
    /// The file cannot be read.
    #[error("cannot be read: {0}\nhint: it has to be a file that you may read")]
    Unreadable(std::io::Error),
    /// The file is larger than [`FILE_BYTES`].
    #[error("is larger than `{FILE_BYTES}` bytes\nhint: build it for release and strip it")]
    TooLarge,
    /// There is more to compile than the host takes on.
    #[error(
        "is too much to compile: {0}\nhint: build it for release, so that what it does not use is left out"
    )]
    TooComplex(String),
    /// There is nothing in the file.
    #[error("is empty\nhint: build it again")]
    Empty,
    /// It does not begin like WebAssembly, and is no text of a component either.
    #[error(
        "is not WebAssembly: it begins with `{start}`\n\
         hint: give what a compiler wrote for WebAssembly, `.wasm` or `.wat`"
    )]
    NotWasm {
        /// Its first bytes, escaped.
        start: String,
    },
    /// It is a core module.
    #[error(
        "is a core module, not a component\n\
         hint: `reprieve policy componentize` makes one of it; Rust makes one itself for `wasm32-wasip2`"
    )]
    CoreModule,
    /// wasmtime cannot compile it.
    #[error("is malformed: {0}\nhint: `wasm-tools validate` says more; if it is cut off, fetch it again")]
    Malformed(String),
    /// It exports no `guest` interface.
    #[error(
        "exports no `reprieve:policy/guest@{CONTRACT}`, so it is no policy; it exports {exports}\n\
         hint: build it for a world of `reprieve:policy@{CONTRACT}`: `policy`, `retry-only` or `cleanup-only`"
    )]
    NoGuest {
        /// What it exports instead.
        exports: String,
    },
    /// It exports no role.
    #[error(
        "exports neither `reprieve:policy/retry-policy@{CONTRACT}` nor \
         `reprieve:policy/cleanup-policy@{CONTRACT}`; it exports {exports}\n\
         hint: build it for a world of `reprieve:policy@{CONTRACT}`: `policy`, `retry-only` or `cleanup-only`"
    )]
    NoRole {
        /// What it exports instead.
        exports: String,
    },
    /// It is named for the cleanup, and does not plan.
    #[error(
        "plans no cleanup\n\
         hint: name it in `[policy]`, or export `reprieve:policy/cleanup-policy@{CONTRACT}` from it"
    )]
    NoPlanner,
    /// It was built against another version of the contract.
    #[error("was built for `{found}`, and this host speaks `{CONTRACT}`{}", changes(found))]
    OtherContract {
        /// The first name of that version.
        found: String,
    },
    /// It imports what no policy is given.
    #[error(
        "imports `{import}`, which no policy is given\n\
         hint: a policy may import `reprieve:policy@{CONTRACT}`, and of WASI 0.2 `cli`, `clocks`, \
         `filesystem`, `io`, `random` and `sockets`, with nothing behind them"
    )]
    Import {
        /// The import's name.
        import: String,
    },
    /// An import or export has the right name and another type.
    #[error(
        "does not keep to the contract: {0}\n\
         hint: build it against the unchanged `reprieve:policy@{CONTRACT}`"
    )]
    Types(String),
    /// The settings are no JSON object.
    #[error(
        "needs an object for its settings, not `{0}`\nhint: leave the settings out, or give names and values"
    )]
    SettingsKind(String),
    /// The policy refused its settings.
    #[error("refuses its settings: {0}")]
    Settings(String),
    /// The policy failed while it was loaded.
    #[error("failed in `{function}` when it was loaded: {}{}", fault.message, details(fault))]
    Fault {
        /// What it was called for.
        function: &'static str,
        /// How it failed.
        fault: PolicyFault,
    },
}

fn details(fault: &PolicyFault) -> String {
    let mut text = String::new();
    for function in fault.functions() {
        text.push_str("\n  in ");
        text.push_str(function);
    }
    for line in fault.output_tail.lines() {
        text.push_str("\n  it wrote: ");
        text.push_str(line);
    }
    text
}
