//! The languages that a policy can be written in: their templates, and their SDKs' sources.
//!
//! All of it is embedded, since a user's machine need not have this tree. A
//! template is a project by the name `my-policy`. A language is one entry here.

use include_dir::{Dir, include_dir};

/// A language with an SDK.
pub(super) struct Language {
    /// As `--lang` names it.
    pub(super) name: &'static str,
    /// As people write it.
    pub(super) title: &'static str,
    /// What is the author's own.
    pub(super) template: Dir<'static>,
    /// Where the SDK goes in a project.
    pub(super) sdk: &'static str,
    /// What of the SDK goes there.
    pub(super) parts: &'static [Part],
}

/// A part of an SDK, by its path there.
pub(super) enum Part {
    File(&'static str, &'static str),
    Folder(&'static str, Dir<'static>),
}

/// A file of an SDK, and its text.
macro_rules! file {
    ($sdk:literal, $path:literal) => {
        Part::File($path, include_str!(concat!("../../../../../guest-sdk/", $sdk, "/", $path)))
    };
}

/// What all projects have.
pub(super) const SITUATIONS: (&str, &str) =
    ("situations.toml", include_str!("../../../../../guest-sdk/template/situations.toml"));

pub(super) static LANGUAGES: [Language; 12] = [
    Language {
        name: "rust",
        title: "Rust",
        template: include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/rust/template"),
        sdk: "sdk",
        parts: &[
            file!("rust", "Cargo.toml"),
            Part::Folder("src", include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/rust/src")),
            Part::Folder("examples", include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/rust/examples")),
            WIT,
        ],
    },
    Language {
        name: "python",
        title: "Python",
        template: include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/python/template"),
        sdk: "reprieve_guest",
        parts: &[Part::Folder("", include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/python/reprieve_guest"))],
    },
    Language {
        name: "javascript",
        title: "JavaScript",
        template: include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/javascript/template"),
        sdk: "sdk",
        parts: JAVASCRIPT,
    },
    Language {
        name: "typescript",
        title: "TypeScript",
        template: include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/javascript/template-typescript"),
        sdk: "sdk",
        parts: JAVASCRIPT,
    },
    Language {
        name: "assemblyscript",
        title: "AssemblyScript",
        template: include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/assemblyscript/template"),
        sdk: "sdk",
        parts: &[
            file!("assemblyscript", "package.json"),
            file!("assemblyscript", "transform.mjs"),
            file!("assemblyscript", "test.mjs"),
            Part::Folder(
                "assembly",
                include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/assemblyscript/assembly"),
            ),
            WIT,
        ],
    },
    Language {
        name: "lua",
        title: "Lua",
        template: include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/lua/template"),
        sdk: "sdk",
        parts: &[
            file!("lua", "package.json"),
            file!("lua", "reprieve.lua"),
            file!("lua", "lua.js"),
            file!("lua", "policy.js"),
            file!("lua", "build.mjs"),
            file!("", "javascript/package.json"),
            file!("", "javascript/index.js"),
            file!("", "javascript/index.d.ts"),
            Part::Folder("javascript/wit", include_dir!("$CARGO_MANIFEST_DIR/../wit")),
        ],
    },
    Language {
        name: "c",
        title: "C",
        template: include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/c/template"),
        sdk: "sdk",
        parts: &[
            file!("c", "reprieve.h"),
            Part::Folder("src", include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/c/src")),
            WIT,
        ],
    },
    Language {
        name: "cpp",
        title: "C++",
        template: include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/cpp/template"),
        sdk: "sdk",
        parts: &[
            file!("", "cpp/reprieve.hpp"),
            file!("", "c/reprieve.h"),
            Part::Folder("c/src", include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/c/src")),
            WIT,
        ],
    },
    Language {
        name: "zig",
        title: "Zig",
        template: include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/zig/template"),
        sdk: "sdk",
        parts: &[Part::Folder("src", include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/zig/src")), WIT],
    },
    Language {
        name: "d",
        title: "D",
        template: include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/d/template"),
        sdk: "sdk",
        parts: &[Part::Folder("source", include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/d/source")), WIT],
    },
    Language {
        name: "nim",
        title: "Nim",
        template: include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/nim/template"),
        sdk: "sdk",
        parts: &[
            file!("nim", "component.nims"),
            Part::Folder("src", include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/nim/src")),
            WIT,
        ],
    },
    Language {
        name: "go",
        title: "Go",
        template: include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/go/template"),
        sdk: "sdk",
        parts: &[
            file!("go", "go.mod"),
            file!("go", "attempts.go"),
            file!("go", "backoff.go"),
            file!("go", "decision.go"),
            file!("go", "failureclass.go"),
            file!("go", "policy.go"),
            file!("go", "random.go"),
            file!("go", "retryafter.go"),
            file!("go", "schema.go"),
            file!("go", "settings.go"),
            file!("go", "situation.go"),
            file!("go", "span.go"),
            Part::Folder("cleanup", include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/go/cleanup")),
            Part::Folder("cleanuponly", include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/go/cleanuponly")),
            Part::Folder("gpu", include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/go/gpu")),
            Part::Folder("internal", include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/go/internal")),
            Part::Folder("policy", include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/go/policy")),
            Part::Folder("retryonly", include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/go/retryonly")),
            WIT,
        ],
    },
];

/// The contract.
const WIT: Part = Part::Folder("wit", include_dir!("$CARGO_MANIFEST_DIR/../wit"));

const JAVASCRIPT: &[Part] = &[
    file!("javascript", "package.json"),
    file!("javascript", "index.js"),
    file!("javascript", "index.d.ts"),
    file!("javascript", "build.mjs"),
    WIT,
];
