//! What a component must export and may import, read off its type before
//! anything of it runs.

use wasmtime::component::Component;

use super::load::{LINE_BYTES, Roles};
use super::problem::Problem;
use super::wasi;
use crate::text::clip;

/// The version of the contract that this host speaks.
pub const CONTRACT: &str = "0.1.0";

const PACKAGE: &str = "reprieve:policy/";

/// What the host implements for policies.
const IMPORTS: [&str; 3] =
    ["reprieve:policy/types", "reprieve:policy/nvml-status", "reprieve:policy/gpu-cleanup"];

/// A component's side of the contract.
pub(super) struct Side {
    /// The version that it was built against.
    pub(super) version: String,
    pub(super) roles: Roles,
    pub(super) imports: Vec<String>,
    /// Whether it imports anything of WASI.
    pub(super) wasi: bool,
}

/// Reads a component's side of the contract off its type.
pub(super) fn inspect(component: &Component) -> Result<Side, Problem> {
    let (ty, engine) = (component.component_type(), component.engine());
    let exports: Vec<&str> = ty.exports(engine).map(|(name, _)| name).collect();
    let imports: Vec<String> = ty.imports(engine).map(|(name, _)| name.to_owned()).collect();
    let all = exports.iter().copied().chain(imports.iter().map(String::as_str));
    if let Some(other) = all.filter(|name| name.starts_with(PACKAGE)).find(|name| !speaks(name)) {
        return Err(Problem::OtherContract { found: clip(other, LINE_BYTES).to_owned() });
    }
    let version = |interface: &str| {
        let found = exports.iter().filter_map(|name| name.split_once('@'));
        found.filter(|(name, _)| name.strip_prefix(PACKAGE) == Some(interface)).map(|(_, v)| v).next()
    };
    let roles =
        Roles { retry: version("retry-policy").is_some(), cleanup: version("cleanup-policy").is_some() };
    let Some(guest) = version("guest") else {
        return Err(Problem::NoGuest { exports: list(&exports) });
    };
    if !roles.retry && !roles.cleanup {
        return Err(Problem::NoRole { exports: list(&exports) });
    }
    if let Some(foreign) = imports.iter().find(|name| !granted(name)) {
        return Err(Problem::Import { import: clip(foreign, LINE_BYTES).to_owned() });
    }
    let wasi = imports.iter().any(|name| name.starts_with("wasi:"));
    Ok(Side { version: guest.to_owned(), roles, imports, wasi })
}

/// Whether a name of the contract has a version that this host speaks: the
/// same minor one, of any patch, as semantic versioning has it below 1.0.
fn speaks(name: &str) -> bool {
    name.split_once('@').is_some_and(|(_, version)| patch_of(version, "0.1."))
}

fn granted(name: &str) -> bool {
    let Some((interface, version)) = name.split_once('@') else { return false };
    IMPORTS.contains(&interface) || (wasi::INTERFACES.contains(&interface) && patch_of(version, "0.2."))
}

fn patch_of(version: &str, minor: &str) -> bool {
    version
        .strip_prefix(minor)
        .is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit()))
}

/// How many names an error shows; a file may hold a hundred thousand.
const NAMES_MAX: usize = 16;

/// Names as an error shows them.
pub(super) fn list(names: &[&str]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMES_MAX).map(|name| clip(name, LINE_BYTES)).collect();
    match names.len() - shown.len() {
        _ if shown.is_empty() => "nothing".into(),
        0 => format!("`{}`", shown.join("`, `")),
        more => format!("`{}` and {more} more", shown.join("`, `")),
    }
}
