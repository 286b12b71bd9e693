//! The desk of an author, with the toolchain of a language on it. What the
//! SDKs' READMEs say is done there word for word.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{path_with_reprieve, root};

/// A directory with `venv` in it, a checkout beside it as `../reprieve`, and
/// the command `reprieve` on the path.
pub(super) struct Desk {
    home: tempfile::TempDir,
    cache: PathBuf,
    /// Where its commands are found, before all else.
    bins: Vec<PathBuf>,
}

impl Desk {
    /// One with ziglang in its `venv`, where `tests/run` has installed it.
    pub(super) fn with_ziglang() -> Option<Self> {
        let bin = fetched("zig/bin", "python-zig")?;
        let desk = Self::new(&bin.join("../cache"));
        link(&bin.join(".."), &desk.dir().join("venv"));
        Some(desk)
    }

    /// One with LDC.
    pub(super) fn with_ldc() -> Option<Self> {
        let bin = fetched("d/bin", "ldc2")?;
        Some(Self { bins: vec![bin.clone()], ..Self::new(&bin.join("../cache")) })
    }

    /// One with Nim, and with ziglang for the C that it writes.
    pub(super) fn with_nim() -> Option<Self> {
        Some(Self { bins: vec![fetched("nim/bin", "nim")?], ..Self::with_ziglang()? })
    }

    /// One with modules of npm, as `tests/run` has installed them into this
    /// folder, and with these SDKs, each by the name that it is imported by.
    pub(super) fn with_modules(guests: &str, modules: &[&str], sdks: &[(&str, &str)]) -> Option<Self> {
        let folder = format!("{guests}/node_modules");
        let mut installed = None;
        for module in modules {
            installed = Some(fetched(&folder, module)?);
        }
        let installed = installed.expect("a language needs some module");
        let desk = Self::new(&installed.join("../cache"));
        let own = desk.dir().join("node_modules");
        std::fs::create_dir(&own).expect("a directory");
        for module in modules {
            link(&installed.join(module), &own.join(module));
        }
        for (name, sdk) in sdks {
            link(&root().join("guest-sdk").join(sdk), &own.join(name));
        }
        std::fs::write(desk.dir().join("package.json"), "{}").expect("it can be written");
        Some(desk)
    }

    fn new(cache: &Path) -> Self {
        let home = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let desk = Self { home, cache: cache.to_owned(), bins: Vec::new() };
        std::fs::create_dir(desk.dir()).expect("a directory of the author's own");
        link(&root(), &desk.home.path().join("reprieve"));
        desk
    }

    fn dir(&self) -> PathBuf {
        self.home.path().join("mine")
    }

    /// Puts a file there.
    pub(super) fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.dir().join(file), text).expect("it can be written");
    }

    /// Puts a file of an SDK there, under another name.
    pub(super) fn copy(&self, of_sdk: &str, file: &str) {
        let from = root().join("guest-sdk").join(of_sdk);
        std::fs::copy(from, self.dir().join(file)).expect("it can be copied");
    }

    /// What a command there has made.
    pub(super) fn read(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.dir().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    /// Runs commands of a shell there.
    pub(super) fn run(&self, script: &str) {
        let bins = self.bins.iter().map(|bin| format!("{}:", bin.display())).collect::<String>();
        let ran = Command::new("sh")
            .args(["-euc", script])
            .current_dir(self.dir())
            .env("PATH", bins + &path_with_reprieve())
            // What is compiled once is kept from one run of the tests to the next.
            .env("ZIG_GLOBAL_CACHE_DIR", &self.cache)
            .env("ZIG_LOCAL_CACHE_DIR", &self.cache)
            .env("XDG_CACHE_HOME", &self.cache)
            .output()
            .expect("sh starts");
        let told = [ran.stdout, ran.stderr].concat();
        assert!(ran.status.success(), "{script}\n{}", String::from_utf8_lossy(&told));
    }

    /// Writes down the examples that a README shows in these fences, and then
    /// runs its commands, except the first ones, which install what is in `venv`.
    pub(super) fn follow(&self, language: &str, fence: &str, examples: &[&str]) {
        let sdk = root().join("guest-sdk").join(language);
        let read = |path: &str| std::fs::read_to_string(sdk.join(path)).expect("it is there");
        let readme = read("README.md");
        for example in examples {
            let text = read(&format!("examples/{example}"));
            assert!(readme.contains(&format!("```{fence}\n{text}```\n")), "not word for word: {example}");
            self.write(example, text);
        }
        for script in readme.split("```sh\n").skip(2).filter_map(|block| block.split("```").next()) {
            self.run(script);
        }
    }
}

/// Where this is that `tests/run` fetches into this folder of the guests'.
#[expect(clippy::print_stdout, reason = "a test that cannot be run says so")]
fn fetched(folder: &str, what: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../guests").join(folder);
    if !folder.join(what).exists() {
        println!("SKIPPED: `{what}` is not there; `tests/run` fetches it");
        return None;
    }
    Some(folder.canonicalize().expect("it is there"))
}

fn link(from: &Path, to: &Path) {
    std::os::unix::fs::symlink(from, to).expect("it can be linked");
}
