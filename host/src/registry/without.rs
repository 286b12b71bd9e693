//! In place of the client, in a build without the feature `oci`.
//!
//! What has been pulled before can still be used.

use super::artifact::Described;
use super::problem::RegistryError;
use crate::study::Reference;

pub(super) fn manifest(reference: &Reference) -> Result<Vec<u8>, RegistryError> {
    Err(RegistryError::NotBuilt(Box::new(reference.clone())))
}

pub(super) fn blob(reference: &Reference, _: &Described) -> Result<Vec<u8>, RegistryError> {
    Err(RegistryError::NotBuilt(Box::new(reference.clone())))
}

pub(super) fn push(reference: &Reference, _: &[&[u8]], _: Vec<u8>) -> Result<(), RegistryError> {
    Err(RegistryError::NotBuilt(Box::new(reference.clone())))
}
