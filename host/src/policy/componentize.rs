//! A component made of the core module that a compiler without component support writes.
//!
//! Knows nothing of languages: the module exports what the canonical ABI asks
//! for, under its names. Whether the component is a good policy, `load` says.

use thiserror::Error;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wasmparser::{BinaryReaderError, Encoding, Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata, metadata};

use super::contract::{self, CONTRACT, list};
use super::load::wasm;
use super::problem::Problem;

/// Why a file cannot be made a component.
#[derive(Debug, Error)]
pub enum NoComponent {
    /// It is not WebAssembly.
    #[error("{0}")]
    NotWasm(#[from] Problem),
    /// It is WebAssembly, and comes to no end that makes sense.
    #[error("is malformed: {0}\nhint: `wasm-tools validate` says more; if it is cut off, build it again")]
    Malformed(String),
    /// It is a component.
    #[error("is a component already\nhint: use it as it is; `reprieve policy inspect` tells what it is")]
    Component,
    /// It exports neither role.
    #[error(
        "exports neither `reprieve:policy/retry-policy@{CONTRACT}#decide` nor \
         `reprieve:policy/cleanup-policy@{CONTRACT}#plan`; it exports {exports}\n\
         hint: link it so that these exports are kept, see the SDK of your language"
    )]
    NoRole {
        /// What it exports instead.
        exports: String,
    },
    /// It does not fit the contract.
    #[error(
        "does not fit the contract: {0}\n\
         hint: build it with the SDK of its language for `reprieve:policy@{CONTRACT}`"
    )]
    Unfit(String),
}

/// Makes a component of a core module, binary or text. Which roles it has
/// follows from what it exports. WASI preview 1, where it imports that, is
/// adapted to WASI 0.2, which the sandbox gives it empty.
///
/// # Errors
///
/// Where it is no core module, or does not fit the contract.
pub fn componentize(module: &[u8]) -> Result<Vec<u8>, NoComponent> {
    let mut core = wasm(module)?.into_owned();
    let exports = exports(&core)?;
    // Bindings of `wit-bindgen` have written down their world already.
    let described = metadata::decode(&core).map_err(|error| NoComponent::Unfit(format!("{error:#}")))?;
    if described.0.is_none() {
        let world = world(&exports)?;
        embed(&mut core, world);
    }
    let encoder = ComponentEncoder::default().module(&core).and_then(|encoder| {
        encoder.adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER)
    });
    encoder
        .and_then(|encoder| encoder.validate(true).encode())
        .map_err(|error| NoComponent::Unfit(format!("{error:#}")))
}

fn exports(core: &[u8]) -> Result<Vec<&str>, NoComponent> {
    let mut exports = Vec::new();
    for payload in Parser::new(0).parse_all(core) {
        let malformed = |error: BinaryReaderError| NoComponent::Malformed(error.to_string());
        match payload.map_err(malformed)? {
            Payload::Version { encoding: Encoding::Component, .. } => return Err(NoComponent::Component),
            Payload::ExportSection(section) => {
                for export in section {
                    exports.push(export.map_err(malformed)?.name);
                }
            }
            _ => {}
        }
    }
    Ok(exports)
}

/// The world of the contract whose exports these are.
fn world(exports: &[&str]) -> Result<&'static str, NoComponent> {
    let has = |name: &str| exports.contains(&&*format!("reprieve:policy/{name}"));
    let decides = has(&format!("retry-policy@{CONTRACT}#decide"));
    let plans = has(&format!("cleanup-policy@{CONTRACT}#plan"));
    match (decides, plans) {
        (true, true) => Ok("policy"),
        (true, false) => Ok("retry-only"),
        (false, true) => Ok("cleanup-only"),
        (false, false) => Err(NoComponent::NoRole { exports: list(exports) }),
    }
}

/// Writes into the module which world its exports and imports are of.
fn embed(core: &mut Vec<u8>, world: &str) {
    let (resolve, contract) = contract::newest();
    let world = resolve.select_world(&[contract], Some(world)).expect("it is one of the contract's");
    embed_component_metadata(core, &resolve, world, StringEncoding::UTF8).expect("a valid world encodes");
}
