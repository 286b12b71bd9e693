//! Room: policies in OCI registries, which are pushed, pulled, pinned and kept.
//!
//! Loads no policy and knows no study. What was pinned is what everybody gets:
//! each byte is held against a digest when it comes in and when it is read
//! again. Nothing here runs, and no network is touched, before a reference is
//! used; all of it blocks, and none of it belongs into a scheduler.

mod artifact;
#[cfg(feature = "oci")]
mod client;
#[cfg(not(feature = "oci"))]
#[path = "without.rs"]
mod client;
mod lock;
mod problem;
mod store;

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

pub use lock::{Lock, LockError};
pub use problem::{Part, RegistryError};
pub use store::Store;

use crate::study::{Digest, Pin, Reference};

/// A component that a reference stands for, in the store.
#[derive(Debug)]
pub struct Obtained {
    /// What it was pinned to.
    pub pin: Pin,
    /// The component.
    pub component: Vec<u8>,
}

/// Obtains the component that a reference stands for: what was pinned before,
/// and else what the digest in the reference says, and else what the registry
/// says now. The registry is asked for what is not in the store.
///
/// # Errors
///
/// Where it cannot be had, or is not what was pinned.
pub fn obtain(store: &Store, reference: &Reference, pinned: Option<&Pin>) -> Result<Obtained, RegistryError> {
    let manifest = pinned.map(|pin| &pin.manifest).or(reference.digest());
    let kept = match manifest {
        Some(manifest) => store.manifest(manifest)?,
        None => None,
    };
    let component = match (pinned, &kept) {
        (Some(pin), _) => Some(pin.component.clone()),
        (None, Some(manifest)) => Some(artifact::component(reference, manifest)?.digest),
        (None, None) => None,
    };
    if let (Some(manifest), Some(component)) = (manifest, component)
        && let Some(bytes) = store.component(&component)?
    {
        let pin = Pin { reference: reference.clone(), manifest: manifest.clone(), component };
        return Ok(Obtained { pin, component: bytes });
    }
    pull(store, reference, pinned)
}

fn pull(store: &Store, reference: &Reference, pinned: Option<&Pin>) -> Result<Obtained, RegistryError> {
    let named = pinned.map_or_else(|| reference.clone(), |pin| reference.at(&pin.manifest));
    let manifest = client::manifest(&named)?;
    let found = Digest::of(&manifest);
    if let Some(expected) = named.digest().filter(|expected| **expected != found) {
        return Err(RegistryError::mismatch(reference, Part::Manifest, expected, found));
    }
    let described = artifact::component(reference, &manifest)?;
    if let Some(pin) = pinned.filter(|pin| pin.component != described.digest) {
        return Err(RegistryError::mismatch(reference, Part::Pin, &pin.component, described.digest));
    }
    let component = match store.component(&described.digest)? {
        Some(component) => component,
        None => {
            let component = client::blob(&named, &described)?;
            let found = Digest::of(&component);
            if found != described.digest {
                return Err(RegistryError::mismatch(reference, Part::Component, &described.digest, found));
            }
            store.keep_component(&described.digest, &component)?;
            component
        }
    };
    store.keep_manifest(&found, &manifest)?;
    let pin = Pin { reference: reference.clone(), manifest: found, component: described.digest };
    Ok(Obtained { pin, component })
}

/// Puts a component into a registry, under the reference's tag. The same
/// component gets the same digest each time.
///
/// # Errors
///
/// Where the registry does not take it.
pub fn push(reference: &Reference, component: &[u8]) -> Result<Pin, RegistryError> {
    let config = artifact::config(component);
    let manifest = artifact::manifest(&config, component);
    let pin = Pin {
        reference: reference.clone(),
        manifest: Digest::of(&manifest),
        component: Digest::of(component),
    };
    client::push(reference, &[&config, component], manifest)?;
    Ok(pin)
}

/// Writes beside, syncs, renames: readers see a whole file or none.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    static WRITES: AtomicU64 = AtomicU64::new(0);
    let write = WRITES.fetch_add(1, Ordering::Relaxed);
    let beside = path.with_added_extension(format!("{}-{write}.part", std::process::id()));
    let written = fs::File::create(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&beside, path)).inspect_err(|_| {
        // What is left would only take up room.
        let _ = fs::remove_file(&beside);
    })
}
