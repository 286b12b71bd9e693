//! The network: manifests and blobs, from and to a registry.
//!
//! Does not know what they hold. Plain HTTP goes to this machine only; who
//! asks is said as docker's own configuration has it, and else not at all.

use std::time::Duration;

use docker_credential::{CredentialRetrievalError, DockerCredential};
use futures_util::TryStreamExt;
use oci_client::client::{Client, ClientConfig, ClientProtocol};
use oci_client::errors::{DigestError, OciDistributionError, OciEnvelope, OciErrorCode};
use oci_client::secrets::RegistryAuth;
use oci_client::{Reference as Name, RegistryOperation};

use super::artifact::{Described, MANIFEST_TYPE};
use super::problem::{Part, RegistryError, words};
use crate::study::{Digest, Reference};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a registry may say nothing.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// The manifest that the registry has for a reference: by its digest, where it has one.
pub(super) fn manifest(reference: &Reference) -> Result<Vec<u8>, RegistryError> {
    talk(reference, Part::Manifest, async |session| {
        let Session { client, name, auth } = &session;
        client.auth(name, auth, RegistryOperation::Pull).await?;
        let (bytes, _) = client.pull_manifest_raw(name, auth, &[MANIFEST_TYPE]).await?;
        Ok(Some(bytes.to_vec()))
    })
}

/// A blob that a manifest describes.
pub(super) fn blob(reference: &Reference, described: &Described) -> Result<Vec<u8>, RegistryError> {
    talk(reference, Part::Component, async |session| {
        let Session { client, name, auth } = &session;
        client.auth(name, auth, RegistryOperation::Pull).await?;
        let mut stream = client.pull_blob_stream(name, described.digest.as_str()).await?.stream;
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.try_next().await? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() as u64 > described.size_bytes {
                return Ok(None);
            }
        }
        Ok(Some(bytes))
    })
}

/// Puts blobs there, then the manifest that names them.
pub(super) fn push(reference: &Reference, blobs: &[&[u8]], manifest: Vec<u8>) -> Result<(), RegistryError> {
    talk(reference, Part::Component, async |session| {
        let Session { client, name, auth } = &session;
        client.auth(name, auth, RegistryOperation::Push).await?;
        for blob in blobs {
            client.push_blob(name, blob.to_vec(), Digest::of(blob).as_str()).await?;
        }
        let media_type = MANIFEST_TYPE.parse().expect("it is a header's value");
        client.push_manifest_raw(name, manifest, media_type).await?;
        Ok(Some(()))
    })
}

/// A registry, a name in it, and who asks.
struct Session {
    client: Client,
    name: Name,
    auth: RegistryAuth,
}

/// Has a conversation, on a runtime of its own. `None` is an answer that is too long.
fn talk<T>(
    reference: &Reference,
    part: Part,
    conversation: impl AsyncFnOnce(Session) -> Result<Option<T>, OciDistributionError>,
) -> Result<T, RegistryError> {
    let session = Session { client: client(reference)?, name: name(reference), auth: auth(reference)? };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| no_client(&error))?;
    match runtime.block_on(conversation(session)) {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => Err(RegistryError::TooLarge(Box::new(reference.clone()))),
        Err(error) => Err(told(reference, part, error)),
    }
}

fn client(reference: &Reference) -> Result<Client, RegistryError> {
    // An error says that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let protocol = if reference.is_loopback() { ClientProtocol::Http } else { ClientProtocol::Https };
    let config = ClientConfig {
        protocol,
        connect_timeout: Some(CONNECT_TIMEOUT),
        read_timeout: Some(READ_TIMEOUT),
        user_agent: concat!("reprieve/", env!("CARGO_PKG_VERSION")),
        ..ClientConfig::default()
    };
    Client::try_from(config).map_err(|error| no_client(&error))
}

fn name(reference: &Reference) -> Name {
    let (registry, repository) = (reference.registry().to_owned(), reference.repository().to_owned());
    match (reference.digest(), reference.tag()) {
        (Some(digest), _) => Name::with_digest(registry, repository, digest.to_string()),
        (None, tag) => Name::with_tag(registry, repository, tag.unwrap_or_default().to_owned()),
    }
}

fn auth(reference: &Reference) -> Result<RegistryAuth, RegistryError> {
    let registry = reference.registry();
    // Docker keeps its own registry's under the name that this had before.
    let server = if registry == "docker.io" { "https://index.docker.io/v1/" } else { registry };
    let unusable = |why: &str| RegistryError::Credentials { registry: registry.to_owned(), why: words(why) };
    match docker_credential::get_credential(server) {
        Ok(DockerCredential::UsernamePassword(user, password)) => Ok(RegistryAuth::Basic(user, password)),
        Ok(DockerCredential::IdentityToken(_)) => Err(unusable("they are an identity token, not a password")),
        Err(
            CredentialRetrievalError::ConfigNotFound
            | CredentialRetrievalError::ConfigReadError
            | CredentialRetrievalError::NoCredentialConfigured,
        ) => Ok(RegistryAuth::Anonymous),
        Err(error) => Err(unusable(&error.to_string())),
    }
}

/// An error in words for whoever named the reference.
fn told(reference: &Reference, part: Part, error: OciDistributionError) -> RegistryError {
    use OciDistributionError as E;
    match error {
        E::ImageManifestNotFoundError(_) | E::ServerError { code: 404, .. } => no_such(reference),
        E::UnauthorizedError { .. } | E::ServerError { code: 401 | 403, .. } => no_access(reference, ""),
        E::AuthenticationFailure(why) => no_access(reference, &why),
        E::RegistryError { envelope, .. } => refused(reference, &envelope),
        E::DigestError(DigestError::VerificationError { expected, actual }) => {
            match (expected.parse(), actual.parse()) {
                (Ok(expected), Ok(found)) => RegistryError::mismatch(reference, part, &expected, found),
                _ => unreachable(reference, &format!("`{expected}` was asked for, and `{actual}` came")),
            }
        }
        E::IoError(error) => match error.downcast::<DigestError>() {
            Ok(digest) => told(reference, part, E::DigestError(digest)),
            Err(error) => unreachable(reference, &with_causes(&error)),
        },
        error => unreachable(reference, &with_causes(&error)),
    }
}

/// What the registry itself said no with.
fn refused(reference: &Reference, envelope: &OciEnvelope) -> RegistryError {
    use OciErrorCode as Code;
    let said = |codes: &[Code]| envelope.errors.iter().any(|error| codes.contains(&error.code));
    let why: Vec<&str> = envelope.errors.iter().map(|error| &*error.message).collect();
    let why = why.join("; ");
    if said(&[Code::ManifestUnknown, Code::NameUnknown, Code::NotFound, Code::BlobUnknown]) {
        no_such(reference)
    } else if said(&[Code::Unauthorized, Code::Denied]) {
        no_access(reference, &why)
    } else {
        unreachable(reference, &why)
    }
}

fn no_client(error: &dyn std::error::Error) -> RegistryError {
    RegistryError::NoClient(words(&with_causes(error)))
}

fn no_such(reference: &Reference) -> RegistryError {
    RegistryError::NoSuch(Box::new(reference.clone()))
}

fn no_access(reference: &Reference, why: &str) -> RegistryError {
    RegistryError::NoAccess { reference: Box::new(reference.clone()), why: words(why) }
}

fn unreachable(reference: &Reference, why: &str) -> RegistryError {
    RegistryError::Unreachable { reference: Box::new(reference.clone()), why: words(why) }
}

/// The first cause is often no more than that a request failed.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
