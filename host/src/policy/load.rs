//! From a file to a policy that can be asked, or to what is wrong with it.

use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use thiserror::Error;
use wasmtime::component::{HasSelf, InstancePre, Linker};

use super::bindings;
use super::bindings::exports::reprieve::policy::{cleanup_policy, guest, retry_policy};
use super::call::Call;
use super::contract::{self, CONTRACT, Side};
use super::devices::Recorded;
use super::engine::Engine;
use super::limits::Limits;
use super::sandbox::{Moment, Sandbox};
use super::text::{clip, printable};
use super::wasi;
use crate::decision::{PolicyFault, PolicyFaultKind};

/// The largest file that is read. The largest known guests, those that carry
/// CPython, take 18 MiB; compilation is the one thing that nothing else bounds.
pub const FILE_BYTES: u64 = 64 << 20;

/// Bytes of a line that a policy says of itself.
const LINE_BYTES: usize = 200;

/// The policy that is part of this crate.
const STANDARD: &[u8] = include_bytes!("standard.wasm");

/// Where a policy comes from.
#[derive(Clone, Debug)]
pub enum PolicySource {
    /// The policy that is part of this crate.
    Standard,
    /// A component's file, binary or as text.
    File(PathBuf),
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
    #[error("does not exist\nhint: look at the path; `standard` names the built-in policy")]
    Missing,
    /// The file cannot be read.
    #[error("cannot be read: {0}\nhint: it has to be a file that you may read")]
    Unreadable(std::io::Error),
    /// The file is larger than [`FILE_BYTES`].
    #[error("is larger than `{FILE_BYTES}` bytes\nhint: build it for release and strip it")]
    TooLarge,
    /// There is nothing in the file.
    #[error("is empty\nhint: build it again; a policy is a component, `.wasm` or `.wat`")]
    Empty,
    /// It does not begin like WebAssembly, and is no text of a component either.
    #[error("is not WebAssembly: it begins with `{start}`\nhint: a policy is a component, `.wasm` or `.wat`")]
    NotWasm {
        /// Its first bytes, escaped.
        start: String,
    },
    /// It is a core module.
    #[error(
        "is a core module, not a component\n\
         hint: make one of it with `wasm-tools component new`, or build for `wasm32-wasip2`"
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
    #[error(
        "was built for `{found}`, and this host speaks `{CONTRACT}`\n\
         hint: build it against `reprieve:policy@{CONTRACT}`"
    )]
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
    for function in &fault.backtrace {
        text.push_str("\n  in ");
        text.push_str(function);
    }
    for line in fault.output_tail.lines() {
        text.push_str("\n  it wrote: ");
        text.push_str(line);
    }
    text
}

/// What a loaded policy consists of.
pub(super) struct Loaded {
    pub(super) pre: InstancePre<Sandbox>,
    pub(super) guest: guest::GuestIndices,
    pub(super) retry: Option<retry_policy::GuestIndices>,
    pub(super) cleanup: Option<cleanup_policy::GuestIndices>,
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
    let bytes = match source {
        PolicySource::Standard => STANDARD,
        PolicySource::Bytes { bytes, .. } => bytes,
        PolicySource::File(path) => {
            read = read_file(path)?;
            &read
        }
    };
    if bytes.is_empty() {
        return Err(Problem::Empty);
    }
    if bytes.len() as u64 > FILE_BYTES {
        return Err(Problem::TooLarge);
    }
    let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let binary = component_binary(bytes)?;
    let component = engine.compile(&binary, &digest).map_err(|error| Problem::Malformed(words(&error)))?;
    let side = contract::inspect(&component)?;

    let types = |error: wasmtime::Error| Problem::Types(words(&error));
    let mut linker = Linker::<Sandbox>::new(engine.wasmtime());
    bindings::Policy::add_to_linker::<_, HasSelf<Sandbox>>(&mut linker, |sandbox| sandbox).map_err(types)?;
    if side.wasi {
        wasi::link(&mut linker).map_err(types)?;
    }
    let pre = linker.instantiate_pre(&component).map_err(types)?;
    let guest = guest::GuestIndices::new(&pre).map_err(types)?;
    let retry = side.roles.retry.then(|| retry_policy::GuestIndices::new(&pre)).transpose().map_err(types)?;
    let cleanup =
        side.roles.cleanup.then(|| cleanup_policy::GuestIndices::new(&pre)).transpose().map_err(types)?;

    if !settings.is_object() {
        return Err(Problem::SettingsKind(printable(clip(&settings.to_string(), LINE_BYTES))));
    }
    let settings = settings.to_string();
    let parts = Parts { pre: &pre, guest: &guest, retry: retry.as_ref(), cleanup: cleanup.as_ref() };
    let info = parts.introduce(engine, limits, &settings)?;
    let info = describe(info, digest, side);
    Ok(Loaded { pre, guest, retry, cleanup, info, settings })
}

/// What a policy is first called with.
struct Parts<'a> {
    pre: &'a InstancePre<Sandbox>,
    guest: &'a guest::GuestIndices,
    retry: Option<&'a retry_policy::GuestIndices>,
    cleanup: Option<&'a cleanup_policy::GuestIndices>,
}

impl Parts<'_> {
    /// Checks the types of all exports, lets the policy say who it is, and
    /// shows it its settings.
    fn introduce(&self, engine: &Engine, limits: Limits, settings: &str) -> Result<guest::Info, Problem> {
        let types = |interface: &'static str| {
            move |error: wasmtime::Error| Problem::Types(format!("its `{interface}`: {}", words(&error)))
        };
        let mut call = Call::new(engine, limits, Moment::LOAD, Box::new(Recorded(Vec::new())));
        let started = call.instantiate(self.pre);
        let instance = started.map_err(|e| Problem::Fault { function: "start", fault: call.fault(&e) })?;
        if let Some(retry) = self.retry {
            retry.load(&mut call.store, &instance).map_err(types("retry-policy"))?;
        }
        if let Some(cleanup) = self.cleanup {
            cleanup.load(&mut call.store, &instance).map_err(types("cleanup-policy"))?;
        }
        let guest = self.guest.load(&mut call.store, &instance).map_err(types("guest"))?;
        let said = guest.call_describe(&mut call.store);
        let info = said.map_err(|e| Problem::Fault { function: "describe", fault: call.fault(&e) })?;
        let judged = guest.call_configure(&mut call.store, settings);
        if let Err(reason) =
            judged.map_err(|e| Problem::Fault { function: "configure", fault: call.fault(&e) })?
        {
            return Err(Problem::Settings(printable(clip(&reason, 5 * LINE_BYTES))));
        }
        match info.settings_schema.as_deref().map_or(Ok(()), |schema| keep_to(schema, settings)) {
            Ok(()) => Ok(info),
            Err(Unfit::Schema(why)) => {
                let fault = call.refusal(PolicyFaultKind::Answer, why);
                Err(Problem::Fault { function: "describe", fault })
            }
            Err(Unfit::Settings(why)) => Err(Problem::Settings(why)),
        }
    }
}

/// What does not fit its schema, or is none.
enum Unfit {
    Schema(String),
    Settings(String),
}

/// Holds settings against the schema that the policy gives for them. A policy
/// may read its settings more loosely than it describes them; the description
/// is what their author has read. Where there are no settings, `configure` has
/// already said whether any are needed, and nothing is compiled for it.
fn keep_to(schema: &str, settings: &str) -> Result<(), Unfit> {
    let clipped = |text: String| printable(clip(&text, LINE_BYTES));
    let schema: serde_json::Value = serde_json::from_str(schema)
        .map_err(|error| Unfit::Schema(clipped(format!("its settings schema is not JSON: {error}"))))?;
    if settings == "{}" {
        return Ok(());
    }
    let validator = jsonschema::validator_for(&schema)
        .map_err(|error| Unfit::Schema(clipped(format!("its settings schema is no JSON Schema: {error}"))))?;
    let settings: serde_json::Value = serde_json::from_str(settings).expect("it was made from a value");
    validator.validate(&settings).map_err(|error| {
        let place = error.instance_path().to_string();
        let place = if place.is_empty() { String::new() } else { format!("`{place}`: ") };
        Unfit::Settings(clipped(format!("{place}{error} (by its settings schema)")))
    })
}

fn describe(info: guest::Info, digest: String, side: Side) -> PolicyInfo {
    let line = |text: String| printable(clip(&text, LINE_BYTES));
    PolicyInfo {
        name: line(info.name),
        version: line(info.version),
        summary: line(info.summary),
        settings_schema: info.settings_schema,
        digest,
        roles: side.roles,
        contract: side.version,
        imports: side.imports,
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, Problem> {
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

/// The component as binary; text is translated.
fn component_binary(bytes: &[u8]) -> Result<std::borrow::Cow<'_, [u8]>, Problem> {
    // The magic number is followed by a version, which is 1 for core modules.
    const CORE: &[u8] = b"\0asm\x01\0\0\0";
    let binary = if bytes.starts_with(b"\0asm") {
        bytes.into()
    } else {
        let text = std::str::from_utf8(bytes).map(str::trim_start).unwrap_or_default();
        if !text.starts_with('(') && !text.starts_with(";;") {
            let start = bytes[..bytes.len().min(16)].escape_ascii().to_string();
            return Err(Problem::NotWasm { start });
        }
        wat::parse_bytes(bytes).map_err(|error| Problem::Malformed(error.to_string()))?
    };
    if binary.starts_with(CORE) { Err(Problem::CoreModule) } else { Ok(binary) }
}

/// wasmtime's error with all its causes, in one line.
fn words(error: &wasmtime::Error) -> String {
    printable(clip(&format!("{error:#}"), 5 * LINE_BYTES))
}
