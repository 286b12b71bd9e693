//! Vocabulary: a policy in a registry, by its reference, and what that was pinned to.
//!
//! Reaches no registry: see `registry`.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A policy in an OCI registry, as `oci://HOST/NAME:TAG`, `oci://HOST/NAME@sha256:…`, or
/// both. Host, and tag or digest, are always written out: no default stands in for them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// What `sha256:` and 64 lower-case hexadecimal digits stand for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest(String);

/// What a reference was found to stand for. Whoever holds a pin gets these bytes or none.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pin {
    /// As the study or the command line names it.
    pub reference: Reference,
    /// Of the manifest: what a registry finds it by.
    pub manifest: Digest,
    /// Of the component.
    pub component: Digest,
}

/// Why a text is no reference. `Display` gives the way out too, as `hint: ...`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{text}` {problem}\nhint: {hint}")]
pub struct ReferenceError {
    text: String,
    problem: &'static str,
    hint: String,
}

/// The most characters of a repository's name, and of a tag, as registries have it.
const REPOSITORY_CHARS: usize = 255;
const TAG_CHARS: usize = 128;

impl Reference {
    /// What every reference begins with, and no path.
    pub const SCHEME: &str = "oci://";

    /// A text that was meant as a reference, fit to be shown: without what
    /// stands before an `@` and may be a user's name and password.
    pub fn without_credentials(text: &str) -> Cow<'_, str> {
        let begin = text.find("://").map_or(0, |scheme| scheme + 3);
        match without_digest(&text[begin..]).0.rsplit_once('@') {
            Some((before, after)) if before.contains(':') || !before.contains('/') || after.contains('/') => {
                Cow::Owned(format!("{}…{}", &text[..begin], &text[begin + before.len()..]))
            }
            _ => Cow::Borrowed(text),
        }
    }

    /// The registry's host, with the port where there is one.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The name within the registry.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, which may stand for something else tomorrow.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The manifest's digest, which stands for the same for ever.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The same with this digest.
    #[must_use]
    pub fn at(&self, manifest: &Digest) -> Self {
        Self { digest: Some(manifest.clone()), ..self.clone() }
    }

    /// Whether its registry is on this machine.
    pub fn is_loopback(&self) -> bool {
        let host = self.registry.split(':').next().unwrap_or_default();
        host == "localhost" || host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let wrong = |problem, hint: &str| {
            let text = Self::without_credentials(text).into_owned();
            Err(ReferenceError { text, problem, hint: hint.to_owned() })
        };
        let Some(rest) = text.strip_prefix(Self::SCHEME) else {
            return wrong("does not begin with `oci://`", "for example `oci://ghcr.io/lab/two-strikes:1.2`");
        };
        let (rest, digest) = without_digest(rest);
        if let Some((before, after)) = rest.rsplit_once('@') {
            if before.contains('/') && !after.contains('/') {
                return wrong("has a digest that is none", NoDigest::HINT);
            }
            return wrong(
                "has credentials in it, and none may stand there",
                "`docker login`, with the registry's host, keeps credentials that `reprieve` uses too",
            );
        }
        let (registry, name) = rest.split_once('/').map_or((rest, None), |(host, name)| (host, Some(name)));
        let rest = match name {
            Some(name) if is_host(registry) => name,
            None if is_host(registry) => {
                return wrong(
                    "names a registry, and no policy in it",
                    &format!("for example `{text}/lab/two-strikes:1.2`"),
                );
            }
            Some(_) if registry.split_once(':').is_some_and(|(host, _)| is_named(host)) => {
                return wrong("has a port that is none", "a port is a number from 1 to 65535");
            }
            _ => {
                return wrong(
                    "does not begin with a registry's host",
                    "a host has a dot, a port, or is `localhost`: `oci://ghcr.io/lab/two-strikes:1.2`",
                );
            }
        };
        let (repository, tag) = match rest.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (rest, None),
        };
        if repository.len() > REPOSITORY_CHARS || !repository.split('/').all(is_component) {
            return wrong(
                "has a name that no registry takes",
                "a name has small letters and digits, with `.`, `_`, `-` between them and `/` between its parts",
            );
        }
        if !tag.is_none_or(is_tag) {
            return wrong(
                "has a tag that no registry takes",
                "a tag has up to 128 letters, digits, `_`, `.`, `-`, and begins with none of the last two",
            );
        }
        let digest = match digest.map(str::parse) {
            Some(Err(NoDigest)) => return wrong("has a digest that is none", NoDigest::HINT),
            Some(Ok(digest)) => Some(digest),
            None if tag.is_none() => {
                return wrong(
                    "has neither tag nor digest",
                    &format!("for example `{text}:1.2`, or `{text}@sha256:…`"),
                );
            }
            None => None,
        };
        let (registry, repository) = (registry.to_owned(), repository.to_owned());
        Ok(Self { registry, repository, tag: tag.map(str::to_owned), digest })
    }
}

fn is_host(text: &str) -> bool {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let distinct = host == "localhost" || host.contains('.') || port.is_some();
    is_named(host) && distinct && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

fn is_named(host: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '-';
    host.split('.').all(|label| !label.is_empty() && label.chars().all(inside))
}

/// What stands before a digest, and what is meant as one.
fn without_digest(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once('@') {
        Some((before, digest)) if digest.starts_with("sha") => (before, Some(digest)),
        _ => (text, None),
    }
}

/// Words of small letters and digits, with one `.`, one or two `_`, or any number of `-` between.
fn is_component(text: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let between = text.split(word).filter(|gap| !gap.is_empty());
    text.starts_with(word)
        && text.ends_with(word)
        && between.clone().all(|gap| matches!(gap, "." | "_" | "__") || gap.chars().all(|c| c == '-'))
}

fn is_tag(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    (1..=TAG_CHARS).contains(&text.len()) && text.chars().all(allowed) && !text.starts_with(['.', '-'])
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}/{}", Self::SCHEME, self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.to_string()
    }
}

impl TryFrom<String> for Reference {
    type Error = ReferenceError;

    fn try_from(text: String) -> Result<Self, ReferenceError> {
        text.parse()
    }
}

impl Pin {
    /// Where the component lies in a cache, and in a study's directory.
    pub fn file(&self, folder: &Path) -> PathBuf {
        folder.join("policies").join(self.component.file_name("wasm"))
    }
}

/// What is no digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is no digest\nhint: {}", Self::HINT)]
pub struct NoDigest;

impl NoDigest {
    const HINT: &str = "a digest is `sha256:` and 64 lower-case hexadecimal digits";
}

impl Digest {
    const ALGORITHM: &str = "sha256:";

    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        let digits: String = sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("{}{digits}", Self::ALGORITHM))
    }

    /// Its 64 digits alone.
    pub fn digits(&self) -> &str {
        &self.0[Self::ALGORITHM.len()..]
    }

    /// The digest with its algorithm, as registries have it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A file's name for what it is the digest of.
    pub fn file_name(&self, ending: &str) -> String {
        format!("sha256-{}.{ending}", self.digits())
    }
}

impl FromStr for Digest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, NoDigest> {
        let digits = text.strip_prefix(Self::ALGORITHM).ok_or(NoDigest)?;
        let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        if digits.len() == 64 && digits.chars().all(hex) { Ok(Self(text.to_owned())) } else { Err(NoDigest) }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl TryFrom<String> for Digest {
    type Error = NoDigest;

    fn try_from(text: String) -> Result<Self, NoDigest> {
        text.parse()
    }
}

impl ReferenceError {
    /// What is wrong, without the way out.
    pub(super) fn message(&self) -> String {
        format!("`{}` {}", self.text, self.problem)
    }

    pub(super) fn hint(&self) -> &str {
        &self.hint
    }
}
