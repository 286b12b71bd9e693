//! From a file to a policy that can be asked, or to what is wrong with it.

use std::borrow::Cow;
use std::io::Read;
use std::path::{Path, PathBuf};

use wasmtime::component::{InstancePre, Linker};

use super::call::Call;
use super::complexity::TooComplex;
use super::contract::{self, Side};
use super::devices::Recorded;
use super::engine::Engine;
use super::limits::Limits;
use super::mismatch::mismatch;
use super::problem::{LoadError, Problem};
use super::sandbox::{Moment, Sandbox};
use super::schema::{Unfit, keep_to};
use super::versions::{Exports, Info};
use super::wasi;
use crate::decision::PolicyFaultKind;
use crate::study::{Digest, Pin};
use crate::text::{clip, printable};

/// The largest file that is read. The largest known guests, those that carry
/// CPython, take 18 MiB; compilation is the one thing that nothing else bounds.
pub const FILE_BYTES: u64 = 64 << 20;

/// Bytes of a line that a policy says of itself.
pub(super) const LINE_BYTES: usize = 200;

/// The policy that is part of this crate.
const STANDARD: &[u8] = include_bytes!("standard.wasm");

/// Its SHA-256, as `sha256sum` writes it. Each supervisor is a process of its
/// own and loads its policy: computing this took 3 % of its first decision.
const STANDARD_SHA256: &str = include_str!("standard.wasm.sha256");

/// Where a policy comes from.
#[derive(Clone, Debug)]
pub enum PolicySource {
    /// The policy that is part of this crate.
    Standard,
    /// A component's file, binary or as text.
    File(PathBuf),
    /// A component's file, which has to be what was pinned.
    Pinned {
        /// The file.
        file: PathBuf,
        /// What it has to be.
        pin: Pin,
    },
    /// A component's bytes, binary or as text.
    Bytes {
        /// What errors call it.
        name: String,
        /// The component.
        bytes: Vec<u8>,
    },
}

/// Who a policy is.
#[derive(Clone, Debug)]
pub struct PolicyInfo {
    /// What people call it.
    pub name: String,
    /// Its own version, not the contract's.
    pub version: String,
    /// One line for people.
    pub summary: String,
    /// A JSON Schema of its settings, where it gives one. For editors and
    /// people: what checks the settings is the policy's own `configure`.
    pub settings_schema: Option<String>,
    /// SHA-256 of the file, in lower-case hexadecimal digits.
    pub digest: String,
    /// The component's size, in bytes.
    pub size_bytes: u64,
    /// What it can be asked.
    pub roles: Roles,
    /// The version of the contract that it was built against.
    pub contract: String,
    /// What it imports, all of it granted.
    pub imports: Vec<String>,
}

/// What a policy can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles {
    /// It decides what follows an attempt.
    pub retry: bool,
    /// It plans cleanup.
    pub cleanup: bool,
}

/// What a loaded policy consists of.
pub(super) struct Loaded {
    pub(super) pre: InstancePre<Sandbox>,
    pub(super) exports: Box<dyn Exports>,
    pub(super) info: PolicyInfo,
    pub(super) settings: String,
}

pub(super) fn load(
    engine: &Engine,
    source: &PolicySource,
    settings: &serde_json::Value,
    limits: Limits,
) -> Result<Loaded, LoadError> {
    let name = match source {
        PolicySource::Standard => "standard".to_owned(),
        PolicySource::File(path) => path.display().to_string(),
        PolicySource::Pinned { pin, .. } => pin.reference.to_string(),
        PolicySource::Bytes { name, .. } => name.clone(),
    };
    checked(engine, source, settings, limits).map_err(|problem| LoadError { policy: name, problem })
}

fn checked(
    engine: &Engine,
    source: &PolicySource,
    settings: &serde_json::Value,
    limits: Limits,
) -> Result<Loaded, Problem> {
    let read;
    let (bytes, digest) = match source {
        PolicySource::Standard => (STANDARD, STANDARD_SHA256[..64].to_owned()),
        PolicySource::Bytes { bytes, .. } => (&**bytes, sha256(bytes)),
        PolicySource::File(path) => {
            read = read_file(path)?;
            (&*read, sha256(&read))
        }
        PolicySource::Pinned { file, pin } => {
            read = read_file(file)?;
            let found = Digest::of(&read);
            if found != pin.component {
                return Err(Problem::NotAsPinned {
                    file: file.clone(),
                    found,
                    pinned: pin.component.clone(),
                });
            }
            (&*read, found.digits().to_owned())
        }
    };
    let binary = binary(bytes)?;
    let component =
        engine.compile(&binary, &digest).map_err(|error| match error.downcast::<TooComplex>() {
            Ok(error) => Problem::TooComplex(error.to_string()),
            Err(error) => Problem::Malformed(words(&error)),
        })?;
    let side = contract::inspect(&component)?;

    let differs = |said: String| {
        let differs = mismatch(&binary, side.version).unwrap_or(said);
        Problem::Types(printable(clip(&differs, 5 * LINE_BYTES)))
    };
    let types = |error: wasmtime::Error| differs(words(&error));
    let mut linker = Linker::<Sandbox>::new(engine.wasmtime());
    (side.version.link)(&mut linker).map_err(types)?;
    if side.wasi {
        wasi::link(&mut linker, &component).map_err(types)?;
    }
    let pre = linker.instantiate_pre(&component).map_err(types)?;
    let exports = (side.version.exports)(&pre, side.roles).map_err(types)?;

    if !settings.is_object() {
        return Err(Problem::SettingsKind(printable(clip(&settings.to_string(), LINE_BYTES))));
    }
    let settings = settings.to_string();
    let info = introduce(engine, limits, &pre, &*exports, &settings).map_err(|problem| match problem {
        Problem::Types(said) => differs(said),
        other => other,
    })?;
    let info = describe(info, digest, binary.len() as u64, side);
    Ok(Loaded { pre, exports, info, settings })
}

/// Checks the types of all exports, lets the policy say who it is, and
/// shows it its settings.
fn introduce(
    engine: &Engine,
    limits: Limits,
    pre: &InstancePre<Sandbox>,
    exports: &dyn Exports,
    settings: &str,
) -> Result<Info, Problem> {
    let mut call = Call::new(engine, limits, Moment::LOAD, Box::new(Recorded(Vec::new())));
    let started = call.instantiate(pre);
    let instance = started.map_err(|e| Problem::Fault { function: "start", fault: call.fault(&e) })?;
    exports
        .check(&mut call.store, &instance)
        .map_err(|(interface, error)| Problem::Types(format!("its `{interface}`: {}", words(&error))))?;
    let said = exports.describe(&mut call.store, &instance);
    let info = said.map_err(|e| Problem::Fault { function: "describe", fault: call.fault(&e) })?;
    let judged = exports.configure(&mut call.store, &instance, settings);
    if let Err(reason) =
        judged.map_err(|e| Problem::Fault { function: "configure", fault: call.fault(&e) })?
    {
        return Err(Problem::Settings(printable(clip(&reason, 5 * LINE_BYTES))));
    }
    let held = info.settings_schema.as_deref().map(|schema| keep_to(schema, settings, limits.deadline));
    let (kind, why) = match held {
        None | Some(Ok(())) => return Ok(info),
        Some(Err(Unfit::Settings(why))) => return Err(Problem::Settings(why)),
        Some(Err(Unfit::Schema(why))) => (PolicyFaultKind::Answer, why),
        Some(Err(Unfit::Deadline(why))) => (PolicyFaultKind::Deadline, why),
    };
    Err(Problem::Fault { function: "describe", fault: call.refusal(kind, why) })
}

fn describe(info: Info, digest: String, size_bytes: u64, side: Side) -> PolicyInfo {
    let line = |text: String| printable(clip(&text, LINE_BYTES));
    PolicyInfo {
        name: line(info.name),
        version: line(info.version),
        summary: line(info.summary),
        settings_schema: info.settings_schema,
        digest,
        size_bytes,
        roles: side.roles,
        contract: side.contract,
        imports: side.imports,
    }
}

fn sha256(bytes: &[u8]) -> String {
    Digest::of(bytes).digits().to_owned()
}

/// All of a file that may hold a policy.
///
/// # Errors
///
/// Where it is not there or cannot be read. One that is larger than
/// [`FILE_BYTES`] is cut one byte later.
pub fn read_file(path: &Path) -> Result<Vec<u8>, Problem> {
    let problem = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Problem::Missing,
        _ => Problem::Unreadable(error),
    };
    let file = std::fs::File::open(path).map_err(problem)?;
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that is too large from one that fits.
    file.take(FILE_BYTES + 1).read_to_end(&mut bytes).map_err(problem)?;
    Ok(bytes)
}

/// A component as binary; text is translated.
///
/// # Errors
///
/// Where it is no component.
pub fn binary(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Problem> {
    // The magic number is followed by a version, which is 1 for core modules.
    const CORE: &[u8] = b"\0asm\x01\0\0\0";
    let binary = wasm(bytes)?;
    if binary.starts_with(CORE) { Err(Problem::CoreModule) } else { Ok(binary) }
}

/// WebAssembly of either kind as binary; text is translated.
pub(super) fn wasm(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Problem> {
    if bytes.is_empty() {
        return Err(Problem::Empty);
    }
    if bytes.len() as u64 > FILE_BYTES {
        return Err(Problem::TooLarge);
    }
    if bytes.starts_with(b"\0asm") {
        return Ok(bytes.into());
    }
    let text = std::str::from_utf8(bytes).map(str::trim_start).unwrap_or_default();
    if !text.starts_with('(') && !text.starts_with(";;") {
        let start = bytes[..bytes.len().min(16)].escape_ascii().to_string();
        return Err(Problem::NotWasm { start });
    }
    wat::parse_bytes(bytes).map_err(|error| Problem::Malformed(error.to_string()))
}

/// wasmtime's error with all its causes, in one line.
fn words(error: &wasmtime::Error) -> String {
    printable(clip(&format!("{error:#}"), 5 * LINE_BYTES))
}
