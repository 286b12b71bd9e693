//! The network: manifests and blobs, from and to a registry.
//!
//! Does not know what they hold. Plain HTTP goes to this machine only; who
//! asks is said as docker's own configuration has it, and else not at all.
//! Of what comes in no more is read than there may be.

use std::time::Duration;

use docker_credential::{CredentialRetrievalError, DockerCredential};
use oci_client::client::{Client, ClientConfig, ClientProtocol};
use oci_client::errors::{OciDistributionError, OciEnvelope, OciErrorCode};
use oci_client::secrets::RegistryAuth;
use oci_client::{Reference as Name, RegistryOperation};

use super::artifact::{Described, MANIFEST_TYPE};
use super::problem::{Part, RegistryError, words};
use crate::study::{Digest, Reference};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a registry may say nothing.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

const USER_AGENT: &str = concat!("reprieve/", env!("CARGO_PKG_VERSION"));

/// The largest manifest: what the OCI distribution specification has registries take.
const MANIFEST_BYTES: u64 = 4 << 20;

/// The most of an error that is read.
const ERROR_BYTES: u64 = 64 << 10;

/// The manifest that the registry has for a reference: by its digest, where it has one.
pub(super) fn manifest(reference: &Reference) -> Result<Vec<u8>, RegistryError> {
    let named = reference.digest().map_or_else(|| reference.tag().unwrap_or_default(), Digest::as_str);
    get(reference, Part::Manifest, &format!("manifests/{named}"), MANIFEST_BYTES)
}

/// A blob that a manifest describes.
pub(super) fn blob(reference: &Reference, described: &Described) -> Result<Vec<u8>, RegistryError> {
    get(reference, Part::Component, &format!("blobs/{}", described.digest), described.size_bytes)
}

/// Puts blobs there, then the manifest that names them.
pub(super) fn push(reference: &Reference, blobs: &[&[u8]], manifest: Vec<u8>) -> Result<(), RegistryError> {
    talk(reference, async |Session { client, name, auth }| {
        client.auth(&name, &auth, RegistryOperation::Push).await?;
        for blob in blobs {
            client.push_blob(&name, blob.to_vec(), Digest::of(blob).as_str()).await?;
        }
        let media_type = MANIFEST_TYPE.parse().expect("it is a header's value");
        client.push_manifest_raw(&name, manifest, media_type).await?;
        Ok(())
    })
}

/// What the registry has at a path of the reference's name. The client would read all that comes.
fn get(reference: &Reference, part: Part, path: &str, most_bytes: u64) -> Result<Vec<u8>, RegistryError> {
    let scheme = if reference.is_loopback() { "http" } else { "https" };
    let bytes = talk(reference, async |Session { client, name, auth }| {
        let token = client.auth(&name, &auth, RegistryOperation::Pull).await?;
        let http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .build()?;
        // Docker's own registry answers under another name.
        let url = format!("{scheme}://{}/v2/{}/{path}", name.resolve_registry(), name.repository());
        let request = http.get(url).header("Accept", MANIFEST_TYPE);
        let request = match (token, auth) {
            (Some(token), _) => request.bearer_auth(token),
            (None, RegistryAuth::Basic(user, password)) => request.basic_auth(user, Some(password)),
            (None, _) => request,
        };
        let answer = request.send().await?;
        let status = answer.status();
        if status != reqwest::StatusCode::OK {
            let said = bounded(answer, ERROR_BYTES).await?.unwrap_or_default();
            return Err(Trouble::Refused { status: status.as_u16(), said });
        }
        Ok(bounded(answer, most_bytes).await?)
    })?;
    bytes.ok_or_else(|| RegistryError::Endless { reference: Box::new(reference.clone()), part, most_bytes })
}

/// All of an answer; `None` where there is more than this.
async fn bounded(mut answer: reqwest::Response, most_bytes: u64) -> reqwest::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > most_bytes {
            return Ok(None);
        }
    }
    Ok(Some(bytes))
}

/// A registry, a name in it, and who asks.
struct Session {
    client: Client,
    name: Name,
    auth: RegistryAuth,
}

/// What went wrong in a conversation, before it is put into words.
enum Trouble {
    Client(OciDistributionError),
    Request(reqwest::Error),
    Refused { status: u16, said: Vec<u8> },
}

impl From<OciDistributionError> for Trouble {
    fn from(error: OciDistributionError) -> Self {
        Self::Client(error)
    }
}

impl From<reqwest::Error> for Trouble {
    fn from(error: reqwest::Error) -> Self {
        Self::Request(error)
    }
}

/// Has a conversation, on a runtime of its own.
fn talk<T>(
    reference: &Reference,
    conversation: impl AsyncFnOnce(Session) -> Result<T, Trouble>,
) -> Result<T, RegistryError> {
    let session = Session { client: client(reference)?, name: name(reference), auth: auth(reference)? };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| no_client(&error))?;
    runtime.block_on(conversation(session)).map_err(|trouble| told(reference, trouble))
}

fn client(reference: &Reference) -> Result<Client, RegistryError> {
    // An error says that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let protocol = if reference.is_loopback() { ClientProtocol::Http } else { ClientProtocol::Https };
    let config = ClientConfig {
        protocol,
        connect_timeout: Some(CONNECT_TIMEOUT),
        read_timeout: Some(READ_TIMEOUT),
        user_agent: USER_AGENT,
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

/// Trouble in words for whoever named the reference.
fn told(reference: &Reference, trouble: Trouble) -> RegistryError {
    use OciDistributionError as E;
    let named = || Box::new(reference.clone());
    match trouble {
        Trouble::Refused { status, said } => status_told(reference, status, &said),
        Trouble::Client(E::ServerError { code, message, .. }) => {
            status_told(reference, code, message.as_bytes())
        }
        Trouble::Client(E::UnauthorizedError { .. }) => no_access(reference, ""),
        Trouble::Client(E::AuthenticationFailure(why)) => no_access(reference, &why),
        Trouble::Client(E::RegistryError { envelope, .. }) => refused(reference, None, &envelope),
        Trouble::Client(E::RequestError(error)) | Trouble::Request(error) => {
            RegistryError::Unreachable { reference: named(), why: words(&causes(&error)) }
        }
        // It has answered, with something else than what was to come.
        Trouble::Client(error) => {
            RegistryError::NotRegistry { reference: named(), why: words(&with_causes(&error)) }
        }
    }
}

/// What a status means, and what came with it.
fn status_told(reference: &Reference, status: u16, said: &[u8]) -> RegistryError {
    if let Ok(envelope) = serde_json::from_slice::<OciEnvelope>(said) {
        return refused(reference, Some(status), &envelope);
    }
    let why = format!("it answers with status `{status}`");
    match status {
        401 | 403 => no_access(reference, ""),
        // Something in between, or a registry that is not well.
        500 | 502..=504 => RegistryError::Unreachable { reference: Box::new(reference.clone()), why },
        _ => RegistryError::NotRegistry { reference: Box::new(reference.clone()), why },
    }
}

/// What the registry itself said no with.
fn refused(reference: &Reference, status: Option<u16>, envelope: &OciEnvelope) -> RegistryError {
    use OciErrorCode as Code;
    let said = |codes: &[Code]| envelope.errors.iter().any(|error| codes.contains(&error.code));
    let why = envelope.errors.iter().map(|error| match &*error.message {
        "" => serde_json::to_value(&error.code).map_or_else(|_| String::new(), |code| code.to_string()),
        message => message.to_owned(),
    });
    let why = why.collect::<Vec<_>>().join("; ");
    // Not every registry keeps to the codes that there are.
    if said(&[Code::ManifestUnknown, Code::NameUnknown, Code::NotFound, Code::BlobUnknown])
        || status == Some(404)
    {
        RegistryError::NoSuch(Box::new(reference.clone()))
    } else if said(&[Code::Unauthorized, Code::Denied]) || matches!(status, Some(401 | 403)) {
        no_access(reference, &why)
    } else {
        RegistryError::Refused { reference: Box::new(reference.clone()), why: words(&why) }
    }
}

fn no_client(error: &(dyn std::error::Error + 'static)) -> RegistryError {
    RegistryError::NoClient(words(&with_causes(error)))
}

fn no_access(reference: &Reference, why: &str) -> RegistryError {
    RegistryError::NoAccess { reference: Box::new(reference.clone()), why: words(why) }
}

/// Why a request failed: that it did, and at which address, stands beside it.
fn causes(error: &reqwest::Error) -> String {
    let all = with_causes(error);
    let own = format!("{error}: ");
    let why = all.strip_prefix(&own).unwrap_or(&all);
    why.strip_prefix("client error (Connect): ").unwrap_or(why).to_owned()
}

/// The first cause is often no more than that a request failed.
fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
