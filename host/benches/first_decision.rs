//! What a fresh process pays until its first decision, and what compiling a policy takes.
//!
//! Whole processes, from their start to their end, on warm page caches:
//! `examples/decide_once.rs` with the standard policy in the cache of compiled
//! policies, `true`, and a Python that does no more than import tenacity.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod common;

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use common::{Variant, alternate, goal};
use reprieve::policy::{Engine, Limits, Policy, PolicySource};

const ROUNDS: usize = 31;
const COMPILATIONS: usize = 15;

fn main() -> ExitCode {
    common::machine();
    let decide_once = common::target().join("release/examples/decide_once");
    if !decide_once.exists() {
        println!("`{}` is not built; the README says how", decide_once.display());
        return ExitCode::FAILURE;
    }
    let cache = tempfile::tempdir().expect("a temporary directory");
    let cached = cache.path().join("policies");

    let mut variants = vec![
        process("/bin/true", Path::new("/bin/true"), &[]),
        process("decide_once, cache warm", &decide_once, &[cached.to_str().expect("Unicode")]),
    ];
    let python = has_tenacity();
    if let Some(python) = &python {
        variants.push(process("python3 -c 'import tenacity'", python, &["-c", "import tenacity"]));
    } else {
        println!("SKIPPED tenacity: it is not in `target/bench-peers/venv`");
    }
    println!("\na whole process, {ROUNDS} rounds:");
    let samples = alternate(ROUNDS, variants);
    samples.print("ms", &["/bin/true"]);
    goal(
        "a first decision in `/bin/true`s",
        samples.ratio("decide_once, cache warm", "/bin/true").median,
        4.0,
    );
    if python.is_some() {
        let ratio = samples.ratio("decide_once, cache warm", "python3 -c 'import tenacity'").median;
        goal("a first decision in imports of tenacity", ratio, 1.0 / 15.0);
    }

    println!("\nan engine and the standard policy, compiled by {COMPILATIONS} rounds:");
    let warm = cached.clone();
    let samples = alternate(
        COMPILATIONS,
        vec![
            Variant::wall("nothing cached", 1, || load(None)),
            Variant::wall("from the cache", 1, move || load(Some(warm.clone()))),
        ],
    );
    samples.print("ms", &["from the cache"]);
    goal("a compilation in seconds", samples.of("nothing cached").median / 1e6, 0.1);
    ExitCode::SUCCESS
}

fn load(cache: Option<PathBuf>) -> Policy {
    let engine = Engine::new(cache).expect("this machine runs policies");
    Policy::load(&engine, &PolicySource::Standard, &serde_json::json!({}), Limits::DEFAULT)
        .expect("the standard policy loads")
}

fn process(name: &str, program: &Path, args: &[&str]) -> Variant<'static> {
    let program = program.to_owned();
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    Variant::wall(name, 1, move || {
        let status = common::command(&program).args(&args).stdout(Stdio::null()).status().expect("it starts");
        assert!(status.success(), "{} fails", program.display());
    })
}

fn has_tenacity() -> Option<PathBuf> {
    let python = common::python();
    let status = common::command(&python).args(["-c", "import tenacity"]).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success()).then_some(python)
}
