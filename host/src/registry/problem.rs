//! What can go wrong between here and a registry, in words that help.
//!
//! Finds nothing out.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::store::COMPONENT_BYTES;
use crate::study::{Digest, Reference};
use crate::text::{clip, printable};

/// How much of what others say is passed on.
const WORDS_BYTES: usize = 500;

/// Why a policy could not be pulled or pushed.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// This build has no client.
    #[error(
        "`{0}` cannot be reached: this `reprieve` was built without registries\n\
         hint: build it with the feature `oci`, or name the component's file"
    )]
    NotBuilt(Box<Reference>),
    /// There is no directory to keep it in.
    #[error(
        "`{0}` cannot be kept: there is no cache\n\
         hint: set `HOME` or `XDG_CACHE_HOME`, or name the component's file"
    )]
    NoCache(Box<Reference>),
    /// The registry does not have it.
    #[error(
        "there is no `{0}`\nhint: look at its name and its tag; `reprieve policy push` puts a policy there"
    )]
    NoSuch(Box<Reference>),
    /// The registry wants to know who asks, or knows and refuses.
    #[error(
        "`{}` gives no access to `{reference}`{}\n\
         hint: `docker login {}` keeps credentials that `reprieve` uses too",
        reference.registry(), because(why), reference.registry()
    )]
    NoAccess {
        /// What was asked for.
        reference: Box<Reference>,
        /// What it said, if anything.
        why: String,
    },
    /// The credentials that docker keeps cannot be used.
    #[error("docker's credentials for `{registry}` cannot be used: {why}\nhint: `docker login {registry}`")]
    Credentials {
        /// The registry's host.
        registry: String,
        /// What is wrong with them.
        why: String,
    },
    /// The registry was not reached, or failed.
    #[error(
        "`{reference}` cannot be reached: {why}\n\
         hint: {}; what is locked and has been pulled needs no registry",
        up(reference)
    )]
    Unreachable {
        /// What was asked for.
        reference: Box<Reference>,
        /// What failed.
        why: String,
    },
    /// The registry says no, for a reason of its own.
    #[error(
        "`{}` refuses `{reference}`: {why}\n\
         hint: try again later; where it stays, whoever keeps the registry knows more", reference.registry()
    )]
    Refused {
        /// What was asked for.
        reference: Box<Reference>,
        /// What it said.
        why: String,
    },
    /// What answers there is something else.
    #[error(
        "`{}` does not answer as a registry does: {why}\n\
         hint: look at the host and the port; if a registry is there, at the name and the tag",
        reference.registry()
    )]
    NotRegistry {
        /// What was asked for.
        reference: Box<Reference>,
        /// What it answers.
        why: String,
    },
    /// There are no certificates to know registries by, or something else that all connections need.
    #[error(
        "no connection can be made: {0}\n\
         hint: `ca-certificates` has to be installed, or `SSL_CERT_FILE` to name a file of them"
    )]
    NoClient(String),
    /// What is there is no component.
    #[error("`{reference}` is no policy: {why}\nhint: `reprieve policy push` makes what can be used here")]
    NotWasm {
        /// What was asked for.
        reference: Box<Reference>,
        /// What it is.
        why: String,
    },
    /// It is larger than a policy may be.
    #[error("`{0}` is larger than `{COMPONENT_BYTES}` bytes\nhint: build it for release and strip it")]
    TooLarge(Box<Reference>),
    /// The registry sends more than it may, or than it said.
    #[error(
        "`{reference}` is refused: {part} does not end after `{most_bytes}` bytes\n\
         hint: that is no policy's; ask whoever keeps `{}`", reference.registry()
    )]
    Endless {
        /// What was asked for.
        reference: Box<Reference>,
        /// What of it.
        part: Part,
        /// What it may have at most.
        most_bytes: u64,
    },
    /// It is something else than it has to be.
    #[error("`{reference}` is refused: {part} has to be `{expected}` and is `{found}`\nhint: {}", part.hint())]
    Mismatch {
        /// What was asked for.
        reference: Box<Reference>,
        /// What of it.
        part: Part,
        /// What it has to be.
        expected: Digest,
        /// What it is.
        found: Digest,
    },
    /// A copy cannot be read or written.
    #[error("the copy `{}` cannot be kept: {error}\nhint: look at that directory, or set `XDG_CACHE_HOME`", path.display())]
    Store {
        /// The copy.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// What of a policy is not what it has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What the registry gave for the digest in the reference or the lock.
    Manifest,
    /// What the registry gave for the digest in the manifest.
    Component,
    /// The component in the lock, held against the lock's manifest.
    Pin,
}

impl Part {
    fn hint(self) -> &'static str {
        match self {
            Self::Manifest | Self::Component => {
                "the registry's copy came to harm or was exchanged: push it again, and pin what that prints"
            }
            Self::Pin => "the lock does not fit together; `reprieve policy update` beside it writes it anew",
        }
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Manifest => "its manifest",
            Self::Component => "its component",
            Self::Pin => "the component that its manifest names",
        })
    }
}

impl RegistryError {
    pub(super) fn mismatch(reference: &Reference, part: Part, expected: &Digest, found: Digest) -> Self {
        Self::Mismatch { reference: Box::new(reference.clone()), part, expected: expected.clone(), found }
    }
}

/// Words of a registry, or of somebody between here and there, fit for a line.
pub(super) fn words(text: &str) -> String {
    printable(clip(text.trim(), WORDS_BYTES))
}

fn up(reference: &Reference) -> String {
    let registry = reference.registry();
    if reference.is_loopback() {
        format!("does anything listen at `{registry}`? Start the registry there, or look at the port")
    } else {
        format!("is `{registry}` up, and the way to it? It has to speak HTTPS")
    }
}

fn because(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(": {why}") }
}
