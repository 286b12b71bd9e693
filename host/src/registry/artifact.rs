//! What a component looks like in a registry: one layer, described by a configuration,
//! as the WebAssembly OCI artifact layout of the CNCF has it.
//!
//! Other tools that keep to it push what can be pulled here, and pull what is pushed here.

use serde::Deserialize;
use serde_json::json;
use wit_component::DecodedWasm;

use super::problem::{RegistryError, words};
use super::store::COMPONENT_BYTES;
use crate::study::{Digest, Reference};

pub(super) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG_TYPE: &str = "application/vnd.wasm.config.v0+json";
const LAYER_TYPE: &str = "application/wasm";

/// A part of an artifact, as its manifest describes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Described {
    media_type: String,
    pub(super) digest: Digest,
    #[serde(rename = "size")]
    pub(super) size_bytes: u64,
}

#[derive(Deserialize)]
struct Manifest {
    config: Described,
    layers: Vec<Described>,
}

/// The component that a manifest describes.
pub(super) fn component(reference: &Reference, manifest: &[u8]) -> Result<Described, RegistryError> {
    let no =
        |why: String| RegistryError::NotWasm { reference: Box::new(reference.clone()), why: words(&why) };
    let manifest: Manifest = serde_json::from_slice(manifest).map_err(|error| {
        if error.is_data() {
            return no(format!("its manifest is no artifact's: {error}"));
        }
        let why = "what it gives for a manifest is not JSON".to_owned();
        RegistryError::NotRegistry { reference: Box::new(reference.clone()), why }
    })?;
    if manifest.config.media_type != CONFIG_TYPE {
        return Err(no(format!(
            "it is a `{}`, and a component is a `{CONFIG_TYPE}`",
            manifest.config.media_type
        )));
    }
    let count = manifest.layers.len();
    let Ok([layer]) = <[Described; 1]>::try_from(manifest.layers) else {
        return Err(no(format!("it has `{count}` layers, and a component has one")));
    };
    if layer.media_type != LAYER_TYPE {
        return Err(no(format!("it holds a `{}`, and a component is `{LAYER_TYPE}`", layer.media_type)));
    }
    if layer.size_bytes > COMPONENT_BYTES {
        return Err(RegistryError::TooLarge(Box::new(reference.clone())));
    }
    Ok(layer)
}

/// A component's configuration. It says nothing of when and by whom it was
/// made, so that the same component has the same digest.
pub(super) fn config(component: &[u8]) -> Vec<u8> {
    let (exports, imports) = match wit_component::decode(component) {
        Ok(DecodedWasm::Component(resolve, world)) => {
            let world = &resolve.worlds[world];
            let names = |items: Vec<&wit_parser::WorldKey>| -> Vec<String> {
                items.into_iter().map(|key| resolve.name_world_key(key)).collect()
            };
            (names(world.exports.keys().collect()), names(world.imports.keys().collect()))
        }
        Ok(DecodedWasm::WitPackage(..)) | Err(_) => (Vec::new(), Vec::new()),
    };
    let config = json!({
        "created": "1970-01-01T00:00:00Z",
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [Digest::of(component)],
        "component": { "exports": exports, "imports": imports },
    });
    config.to_string().into_bytes()
}

/// The manifest of a component and its configuration.
pub(super) fn manifest(config: &[u8], component: &[u8]) -> Vec<u8> {
    let described = |media_type: &str, bytes: &[u8]| json!({ "mediaType": media_type, "digest": Digest::of(bytes), "size": bytes.len() });
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": described(CONFIG_TYPE, config),
        "layers": [described(LAYER_TYPE, component)],
    });
    manifest.to_string().into_bytes()
}
