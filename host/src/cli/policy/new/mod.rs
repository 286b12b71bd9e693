//! `reprieve policy new`: a project that builds, tests itself, and is the author's from then on.
//!
//! Fetches nothing and builds nothing: its README says how.

mod languages;

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser};
use include_dir::Dir;
use serde::Serialize;

use crate::exit_code;
use crate::reporter::Versioned;

use super::super::Failed;
use languages::{LANGUAGES, Language, Part, SITUATIONS};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// What the policy and its directory are called: letters, digits, `-` and `_`.
    #[arg(value_parser = name)]
    name: String,
    /// The language that it is written in.
    #[arg(long, value_parser = PossibleValuesParser::new(LANGUAGES.iter().map(Language::value)))]
    #[arg(ignore_case = true)]
    lang: String,
}

#[derive(Serialize)]
struct Told<'a> {
    directory: &'a str,
    language: &'a str,
    next: Vec<&'a str>,
}

/// The most characters of a name: as many as crates.io takes.
const NAME_CHARS: usize = 64;

/// What tools take for something else: npm its own folder, Rust its keywords
/// and the crates that each program has, all of them the SDK.
const RESERVED: &str = "node_modules reprieve reprieve-guest reprieve_guest \
    alloc core proc_macro std test \
    abstract as async await become box break const continue crate do dyn else enum extern false final fn for gen \
    if impl in let loop macro match mod move mut override priv pub ref return self static struct super trait true \
    try type typeof unsafe unsized use virtual where while yield";

/// A name that all languages' tools take for a package.
fn name(given: &str) -> Result<String, String> {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !given.starts_with(|c: char| c.is_ascii_alphabetic()) || !given.chars().all(inside) {
        return Err(
            "a name is letters, digits, `-` and `_`, a letter first, such as `night-shift`".to_owned()
        );
    }
    if given.len() > NAME_CHARS {
        return Err(format!("a name has at most {NAME_CHARS} characters, and this has {}", given.len()));
    }
    if RESERVED.split_whitespace().any(|word| word.eq_ignore_ascii_case(given)) {
        return Err(
            "it means something to the tools that build policies; for example `night-shift` does not"
                .to_owned(),
        );
    }
    Ok(given.to_owned())
}

impl Language {
    /// What names it: as well as its name, what people write, such as `C++`.
    fn value(&self) -> PossibleValue {
        PossibleValue::new(self.name).alias(self.title)
    }

    fn is(&self, given: &str) -> bool {
        self.value().matches(given, true)
    }
}

pub(super) fn run(args: &Args, json: bool) -> Result<u8, Failed> {
    let Args { name, lang } = args;
    let language = LANGUAGES.iter().find(|language| language.is(lang)).expect("clap knows them all");
    fs::create_dir(name).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Failed::Usage(format!("`{name}` is there already\nhint: choose another name, or move it away"))
        }
        _ => Failed::Usage(format!("`{name}` cannot be made: {error}\nhint: run this where you may write")),
    })?;
    let files = files(language, name);
    for (path, text) in &files {
        let path = Path::new(name).join(path);
        write(&path, text)
            .map_err(|error| Failed::Usage(format!("`{}` cannot be written: {error}", path.display())))?;
    }
    let readme = files.iter().find(|(path, _)| path == Path::new("README.md"));
    let next = readme.map(|(_, text)| commands(text)).unwrap_or_default();
    if json {
        Versioned::new(Told { directory: name, language: language.name, next }).print()?;
        return Ok(exit_code::SUCCESS);
    }
    let mut out = anstream::stdout().lock();
    writeln!(out, "{name}: a policy in {}; its README.md says what is what\n\nnext:", language.title)?;
    writeln!(out, "  cd {name}")?;
    for command in next {
        writeln!(out, "  {command}")?;
    }
    Ok(exit_code::SUCCESS)
}

/// The project's files, under its name.
fn files(language: &Language, name: &str) -> Vec<(PathBuf, String)> {
    let named = |text: &str| text.replace("my-policy", name).replace("my_policy", &name.replace('-', "_"));
    let mut files = vec![(PathBuf::from(SITUATIONS.0), SITUATIONS.1.to_owned())];
    files.extend(texts(&language.template).into_iter().map(|(path, text)| (path.to_owned(), named(text))));
    let sdk = Path::new(language.sdk);
    for part in language.parts {
        match part {
            Part::File(path, text) => files.push((sdk.join(path), (*text).to_owned())),
            Part::Folder(path, folder) => {
                let into = sdk.join(path);
                files
                    .extend(texts(folder).into_iter().map(|(path, text)| (into.join(path), text.to_owned())));
            }
        }
    }
    files
}

/// The texts in a folder. What is none, a tool has left there.
fn texts<'a>(folder: &'a Dir<'a>) -> Vec<(&'a Path, &'a str)> {
    let own = folder.files().filter_map(|file| Some((file.path(), file.contents_utf8()?)));
    own.chain(folder.dirs().flat_map(texts)).collect()
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(path, text)
}

/// The commands of a README: its first block for a shell.
fn commands(readme: &str) -> Vec<&str> {
    let block = readme.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next());
    block.map(|block| block.lines().collect()).unwrap_or_default()
}
