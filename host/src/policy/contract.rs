//! What a component must export and may import, read off its type before
//! anything of it runs.

use wasmtime::component::Component;
use wit_parser::{PackageId, Resolve, SourceMap};

use super::load::{LINE_BYTES, Roles};
use super::problem::Problem;
use super::versions::{self, VERSIONS, Version};
use super::wasi;
use crate::text::clip;

/// The version of the contract that this host speaks.
pub const CONTRACT: &str = "0.1.0";

/// The versions that there have been, oldest first, each with what changed in
/// it for the author of a policy. A change of `wit/` is told here.
const CHANGES: [(&str, &str); 1] = [("0.1.0", "the first version")];

const PACKAGE: &str = "reprieve:policy";

/// What the host implements for policies.
const IMPORTS: [&str; 3] =
    ["reprieve:policy/types", "reprieve:policy/nvml-status", "reprieve:policy/gpu-cleanup"];

/// A component's side of the contract.
pub(super) struct Side {
    /// The version that it was built against, in full.
    pub(super) contract: String,
    pub(super) version: &'static Version,
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
    let ours: Vec<&str> = all.filter(|name| interface(name).is_some()).collect();
    if let Some(other) = ours.iter().find(|name| spoken(name).is_none()) {
        return Err(Problem::OtherContract { found: clip(other, LINE_BYTES).to_owned() });
    }
    let version = |wanted: &str| {
        let found = exports.iter().filter_map(|name| name.split_once('@'));
        found.filter(|(name, _)| interface(name) == Some(wanted)).map(|(_, v)| v).next()
    };
    let roles =
        Roles { retry: version("retry-policy").is_some(), cleanup: version("cleanup-policy").is_some() };
    let Some(guest) = version("guest") else {
        return Err(Problem::NoGuest { exports: list(&exports) });
    };
    let spoken_of = |name: &str| spoken(name).map(|version| version.minor);
    let version = versions::of(guest).expect("it is one of ours");
    if let Some(other) = ours.iter().find(|name| spoken_of(name) != Some(version.minor)) {
        let differs =
            format!("its `guest` is of version `{guest}`, and it has `{}`", clip(other, LINE_BYTES));
        return Err(Problem::Types(differs));
    }
    if !roles.retry && !roles.cleanup {
        return Err(Problem::NoRole { exports: list(&exports) });
    }
    if let Some(foreign) = imports.iter().find(|name| !granted(name)) {
        return Err(Problem::Import { import: clip(foreign, LINE_BYTES).to_owned() });
    }
    let wasi = imports.iter().any(|name| name.starts_with("wasi:"));
    Ok(Side { contract: guest.to_owned(), version, roles, imports, wasi })
}

/// The interface of the contract that a name is of, with its version where it has one.
fn interface(name: &str) -> Option<&str> {
    name.strip_prefix(PACKAGE)?.strip_prefix('/')
}

/// The version that a name of the contract is of, where this host speaks it.
fn spoken(name: &str) -> Option<&'static Version> {
    name.split_once('@').and_then(|(_, version)| versions::of(version))
}

fn granted(name: &str) -> bool {
    let Some((interface, version)) = name.split_once('@') else { return false };
    IMPORTS.contains(&interface) || (wasi::INTERFACES.contains(&interface) && patch_of(version, "0.2."))
}

/// Whether a version is of this minor one, such as `0.1.`.
pub(super) fn patch_of(version: &str, minor: &str) -> bool {
    version
        .strip_prefix(minor)
        .is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The newest version, parsed.
pub(super) fn newest() -> (Resolve, PackageId) {
    parsed(VERSIONS[0])
}

/// A version's WIT, parsed.
pub(super) fn parsed(version: &Version) -> (Resolve, PackageId) {
    let mut sources = SourceMap::default();
    for (file, text) in version.wit {
        sources.push_str(file, *text);
    }
    let Ok(contract) = sources.parse() else { unreachable!("the host is built from the same files") };
    let mut resolve = Resolve::default();
    let contract = resolve.push_group(contract).expect("the host is built from the same files");
    (resolve, contract)
}

/// What changed between the version of a name and this host's, in lines that follow an error.
pub(super) fn changes(name: &str) -> String {
    let version = name.split_once('@').map_or("", |(_, version)| version);
    changes_between(version, &CHANGES)
}

fn changes_between(version: &str, changes: &[(&str, &str)]) -> String {
    let since: Vec<String> = changes
        .iter()
        .filter(|(later, _)| numbers(later) > numbers(version))
        .map(|(later, what)| format!("\n  {later}: {what}"))
        .collect();
    match numbers(version) {
        Some(_) if since.is_empty() => {
            format!(
                "\nhint: that is a later one; a later Reprieve speaks it, or build it against `{PACKAGE}@{CONTRACT}`"
            )
        }
        _ => format!(
            "\nwhat has changed since:{}\nhint: build it against `{PACKAGE}@{CONTRACT}`",
            since.concat()
        ),
    }
}

/// A version's numbers, which compare as the versions do.
fn numbers(version: &str) -> Option<Vec<u64>> {
    version.split('.').map(|number| number.parse().ok()).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: [(&str, &str); 4] = [
        ("0.1.0", "the first version"),
        ("0.1.1", "`progress.elapsed`"),
        ("0.2.0", "`attempt.peak`"),
        ("0.10.0", "`decision.pause`"),
    ];

    #[test]
    fn the_newest_change_is_of_this_host_s_version() {
        assert_eq!(CHANGES.last().map(|(version, _)| *version), Some(CONTRACT));
    }

    #[test]
    fn an_older_version_is_told_with_all_that_changed_since() {
        insta::assert_snapshot!(changes_between("0.1.1", &SOME), @r"

        what has changed since:
          0.2.0: `attempt.peak`
          0.10.0: `decision.pause`
        hint: build it against `reprieve:policy@0.1.0`
        ");
    }

    #[test]
    fn a_later_version_needs_a_later_host() {
        insta::assert_snapshot!(changes_between("0.11.0", &SOME), @r"

        hint: that is a later one; a later Reprieve speaks it, or build it against `reprieve:policy@0.1.0`
        ");
    }
}
