//! Pulled policies on disk, each under the digest that it has to have.
//!
//! Whatever is found to be something else is not used. Files in a cache stay
//! until somebody deletes them, which is safe at any time: they are pulled again.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{RegistryError, write_whole};
use crate::study::Digest;

/// A directory of manifests and components.
#[derive(Clone, Debug)]
pub struct Store {
    dir: PathBuf,
}

/// The largest component that is kept, the largest that a policy may be; see
/// [`crate::policy::FILE_BYTES`].
pub(super) const COMPONENT_BYTES: u64 = 64 << 20;

impl Store {
    /// The store within a cache, or within a study's directory.
    pub fn within(folder: &Path) -> Self {
        Self { dir: folder.join("policies") }
    }

    /// The component with this digest, where it is there and is that.
    ///
    /// # Errors
    ///
    /// Where there is a file that cannot be read.
    pub fn component(&self, digest: &Digest) -> Result<Option<Vec<u8>>, RegistryError> {
        self.read(digest, "wasm")
    }

    pub(super) fn manifest(&self, digest: &Digest) -> Result<Option<Vec<u8>>, RegistryError> {
        self.read(digest, "json")
    }

    /// Keeps a component, which has this digest.
    ///
    /// # Errors
    ///
    /// Where the file system refuses.
    pub fn keep_component(&self, digest: &Digest, bytes: &[u8]) -> Result<(), RegistryError> {
        self.keep(digest, "wasm", bytes)
    }

    pub(super) fn keep_manifest(&self, digest: &Digest, bytes: &[u8]) -> Result<(), RegistryError> {
        self.keep(digest, "json", bytes)
    }

    fn read(&self, digest: &Digest, ending: &str) -> Result<Option<Vec<u8>>, RegistryError> {
        let path = self.dir.join(digest.file_name(ending));
        let mut bytes = Vec::new();
        let read =
            fs::File::open(&path).and_then(|file| file.take(COMPONENT_BYTES + 1).read_to_end(&mut bytes));
        match read {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(RegistryError::Store { path, error }),
        }
        let found = Digest::of(&bytes);
        if found == *digest {
            return Ok(Some(bytes));
        }
        let path = path.display();
        tracing::warn!("`{path}` should be `{digest}` and is `{found}`: it is not used, and pulled anew");
        Ok(None)
    }

    fn keep(&self, digest: &Digest, ending: &str, bytes: &[u8]) -> Result<(), RegistryError> {
        let path = self.dir.join(digest.file_name(ending));
        let made = fs::create_dir_all(&self.dir).and_then(|()| write_whole(&path, bytes));
        made.map_err(|error| RegistryError::Store { path, error })
    }
}
