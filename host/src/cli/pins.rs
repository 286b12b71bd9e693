//! Policies in registries, pinned before anything is opened that uses them.
//!
//! Where no policy is in a registry, there is nothing to do, and nothing is done.

use std::path::Path;

use crate::event::Event;
use crate::journal;
use crate::registry::{self, Lock, Obtained, RegistryError, Store};
use crate::study::{Pin, PolicyComponent, Reference, Source, Study};

use super::Failed;

/// What a study's references stand for, with copies of it in the cache.
pub(super) struct Pins {
    /// All of them.
    pub(super) all: Vec<Pin>,
    /// Those that the lock is yet to be told.
    unlocked: Vec<Pin>,
}

/// Pins what a study needs, as its lock says where that says anything.
pub(super) fn of(study: &Study, source: &Source, instead: Option<&PolicyComponent>) -> Result<Pins, Failed> {
    let mut pins = Pins { all: Vec::new(), unlocked: Vec::new() };
    let components = study.components(instead);
    let references: Vec<&Reference> = components.into_iter().filter_map(PolicyComponent::reference).collect();
    if references.is_empty() {
        return Ok(pins);
    }
    let lock = Lock::read(source.folder())?;
    for reference in references {
        let pinned = lock.pin(reference);
        let pin = obtain(reference, pinned)?.pin;
        if pinned.is_none() && reference.digest().is_none() {
            pins.unlocked.push(pin.clone());
        }
        pins.all.push(pin);
    }
    Ok(pins)
}

impl Pins {
    /// Writes down what was not locked before. To be called when the policies
    /// have been found to be good: a lock holds on to what is in it.
    pub(super) fn lock(&self, source: &Source) -> Result<(), Failed> {
        if self.unlocked.is_empty() {
            return Ok(());
        }
        // Read anew: another study of the folder may have been locked meanwhile.
        let lock = Lock::read(source.folder())?;
        let path = lock.path().display().to_string();
        lock.write(self.unlocked.iter().cloned())?;
        for Pin { reference, manifest, .. } in &self.unlocked {
            anstream::eprintln!("`{reference}` is `{manifest}` from now on, by `{path}`");
        }
        Ok(())
    }
}

/// Makes sure of a started study's own copies, by what its journal pinned.
pub(super) fn restore(dir: &Path) -> Result<(), Failed> {
    // Whatever else there is in the journal, whoever opens it says so better.
    let Ok(Some((_, first))) = journal::read(dir).and_then(|mut replay| replay.event()) else {
        return Ok(());
    };
    let Event::StudyStarted(started) = first.event else { return Ok(()) };
    let own = Store::within(dir);
    for pin in &started.pins {
        if own.component(&pin.component)?.is_none() {
            own.keep_component(&pin.component, &obtain(&pin.reference, Some(pin))?.component)?;
        }
    }
    Ok(())
}

/// Obtains what one reference stands for.
pub(super) fn obtain(reference: &Reference, pinned: Option<&Pin>) -> Result<Obtained, Failed> {
    let cache = super::cache_dir().ok_or_else(|| RegistryError::NoCache(Box::new(reference.clone())))?;
    Ok(registry::obtain(&Store::within(&cache), reference, pinned)?)
}
