//! A registry of one test's own: Debian's `docker-registry`, on the loopback address.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use reprieve::study::Digest;
use tempfile::TempDir;

use crate::support::until;

/// Users of a registry that wants to know who asks: `ann`, with the password `secret`.
pub(crate) const HTPASSWD: &str = "ann:$2a$04$.UL6UPNAIb.Dfi7ZjqqdGOzHI5Eym26Y.OHHmwkz5ImF3o8rBd4jm\n";

/// A running registry, and what it keeps.
pub(crate) struct Registry {
    program: PathBuf,
    dir: TempDir,
    port: u16,
    running: Option<Child>,
}

impl Registry {
    /// `None`, with the reason printed, where the program is not here.
    pub(crate) fn new() -> Option<Self> {
        Self::with("")
    }

    /// One that lets in those of [`HTPASSWD`] only.
    pub(crate) fn of_ann() -> Option<Self> {
        Self::with("auth:\n  htpasswd:\n    realm: here\n    path: htpasswd\n")
    }

    #[expect(clippy::print_stdout, reason = "a test that cannot be run says so")]
    fn with(auth: &str) -> Option<Self> {
        let fetched = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../registry/usr/bin/docker-registry");
        let installed = PathBuf::from("/usr/bin/docker-registry");
        let Some(program) = [fetched, installed].into_iter().find(|program| program.exists()) else {
            println!("SKIPPED: docker-registry is not here; `tests/run` fetches it from Debian");
            return None;
        };
        let program = program.canonicalize().expect("it is there");
        let dir = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        fs::write(dir.path().join("htpasswd"), HTPASSWD).expect("it can be written");
        let mut registry = Self { program, dir, port: 0, running: None };
        // Somebody else may take a free port before the registry does.
        until("a registry that starts", || {
            let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
            registry.port = free.local_addr().expect("it is bound").port();
            drop(free);
            let port = registry.port;
            let config = format!(
                "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: store\n\
                 http:\n  addr: 127.0.0.1:{port}\n{auth}"
            );
            fs::write(registry.dir.path().join("config.yml"), config).expect("it can be written");
            registry.try_start()
        });
        Some(registry)
    }

    pub(crate) fn start(&mut self) {
        assert!(self.try_start(), "the registry does not start");
    }

    fn try_start(&mut self) -> bool {
        let mut child = Command::new(&self.program)
            .args(["serve", "config.yml"])
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the registry's program runs");
        let mut ended = false;
        until("the registry", || {
            ended = child.try_wait().expect("it is our child").is_some();
            ended || TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        });
        self.running = Some(child);
        !ended
    }

    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// A reference to a name in it, with a tag or a digest after that.
    pub(crate) fn reference(&self, name: &str) -> String {
        format!("oci://127.0.0.1:{}/{name}", self.port)
    }

    /// Puts a blob there for a name, with nothing checked.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        let digest = Digest::of(bytes);
        let link = format!("repositories/{name}/_layers/sha256/{}/link", digest.digits());
        write(&self.blob(digest.as_str()), bytes);
        write(&self.store(&link), digest.as_str().as_bytes());
    }

    pub(crate) fn blob(&self, digest: &str) -> PathBuf {
        let digits = digest.trim_start_matches("sha256:");
        self.store(&format!("blobs/sha256/{}/{digits}/data", &digits[..2]))
    }

    fn store(&self, path: &str) -> PathBuf {
        self.dir.path().join("store/docker/registry/v2").join(path)
    }

    /// Does something to what it keeps under a digest, behind its back.
    pub(crate) fn tamper(&self, digest: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let path = self.blob(digest);
        let mut bytes = fs::read(&path).expect("the registry has it");
        change(&mut bytes);
        fs::write(&path, bytes).expect("it can be written");
    }

    /// Puts a manifest there as it stands, with nothing checked.
    pub(crate) fn plant(&self, name: &str, tag: &str, manifest: &str) {
        let digest = Digest::of(manifest.as_bytes());
        let revision = format!("repositories/{name}/_manifests/revisions/sha256/{}/link", digest.digits());
        let tagged = format!("repositories/{name}/_manifests/tags/{tag}/current/link");
        write(&self.blob(digest.as_str()), manifest.as_bytes());
        for link in [revision, tagged] {
            write(&self.store(&link), digest.as_str().as_bytes());
        }
    }
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().expect("it is in a directory")).expect("it can be made");
    fs::write(path, bytes).expect("it can be written");
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.stop();
    }
}
