//! Compiled policies on disk, so that a second start compiles nothing.
//!
//! Never reads a compiled file that somebody else could have written, and is
//! never needed: whatever is wrong with it, the policy is compiled instead.
//! Old files stay until somebody deletes them, which is safe at any time.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::Engine;
use wasmtime::component::Component;

use super::engine;

/// A directory of files that wasmtime wrote, named by what they were made from.
pub(super) struct Cache {
    directory: PathBuf,
    /// wasmtime's version, its settings and the machine's features.
    setting: u64,
}

impl Cache {
    /// `None`, with a warning, where the directory cannot be had or trusted.
    pub(super) fn open(directory: PathBuf, engine: &Engine) -> Option<Self> {
        if let Err(error) = private(&directory) {
            let directory = directory.display();
            tracing::warn!("compiled policies are not kept: `{directory}` {error}");
            return None;
        }
        // The hasher's result may change with the toolchain. Then the file is
        // not found, which costs one compilation.
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Some(Self { directory, setting: hasher.finish() })
    }

    pub(super) fn compile(&self, engine: &Engine, bytes: &[u8], digest: &str) -> wasmtime::Result<Component> {
        let path = self.directory.join(format!("{digest}-{:016x}.cwasm", self.setting));
        if owned(&path) {
            match read(engine, &path) {
                Ok(component) => return Ok(component),
                Err(error) => {
                    tracing::debug!(%error, "a compiled policy is of no use, it is compiled again");
                }
            }
        }
        let component = engine::compile(engine, bytes)?;
        if let Err(error) = Self::write(&path, &component) {
            tracing::debug!(%error, "a compiled policy could not be kept");
        }
        Ok(component)
    }

    /// Writes beside, syncs, renames: readers see a whole file or none.
    fn write(path: &Path, component: &Component) -> wasmtime::Result<()> {
        static WRITES: AtomicU64 = AtomicU64::new(0);
        let write = WRITES.fetch_add(1, Ordering::Relaxed);
        let beside = path.with_extension(format!("{}-{write}.part", std::process::id()));
        let mut file =
            std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        let written = file.write_all(&component.serialize()?).and_then(|()| file.sync_all());
        if let Err(error) = written.and_then(|()| std::fs::rename(&beside, path)) {
            // What is left would only take up room.
            let _ = std::fs::remove_file(&beside);
            return Err(error.into());
        }
        Ok(())
    }
}

#[expect(unsafe_code, reason = "wasmtime cannot check machine code, only that it fits the engine")]
fn read(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the bytes must be what `Component::serialize` wrote. The file lies
    // in a directory, and belongs to a user, that `private` and `owned` have
    // found to be ours alone, it got its name only when it was whole and
    // synced, and nothing of ours writes to it afterwards. wasmtime itself
    // refuses files of another version or other settings.
    unsafe { Component::deserialize_file(engine, path) }
}

/// Makes the directory, and makes sure that only we can write to it.
fn private(directory: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let metadata = std::fs::metadata(directory)?;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("belongs to another user"));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(io::Error::other("can be written by others (`chmod go-w` helps)"));
    }
    Ok(())
}

/// Whether a plain file of ours is there that nobody else can write.
fn owned(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|metadata| {
        metadata.is_file()
            && metadata.uid() == rustix::process::geteuid().as_raw()
            && metadata.mode() & 0o022 == 0
    })
}
