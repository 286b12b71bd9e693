//! What the README says is so: its policy is the example, its study is a study, its code compiles.

use std::fs;
use std::path::Path;

use crate::support::Place;

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).expect("there is a README")
}

/// The first block of a language that holds a text.
fn block(language: &str, with: &str) -> String {
    let readme = readme();
    readme
        .split(&format!("```{language}\n"))
        .skip(1)
        .map(|rest| rest.split("```").next().expect("a block ends"))
        .find(|block| block.contains(with))
        .unwrap_or_else(|| panic!("no `{language}` block with `{with}`"))
        .to_owned()
}

#[test]
fn the_policy_shown_is_the_example_that_is_built() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-sdk/rust/examples/two_strikes.rs");
    assert_eq!(block("rust", "TwoStrikes"), fs::read_to_string(example).expect("there is an example"));
}

#[test]
fn the_study_shown_is_a_study() {
    let place = Place::of(&block("toml", "llama-latency"));
    let ran = place.reprieve(&["check", "study.toml"]);
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.stdout.contains("12 experiments") && ran.stdout.contains("70b-b8#3"), "{ran}");
}

#[test]
fn the_pattern_shown_names_a_class() {
    let study = "name = \"s\"\nslots = 1\npolicy = { settings = { max_retries = 0 } }\n\
                 [[experiments]]\nname = \"e\"\nmeasure = { shell = 'echo quota of tokens spent; exit 1' }\n";
    let place = Place::of(&format!("{study}{}", block("toml", "[[patterns]]")));
    let ran = place.run();
    assert!(ran.stdout.contains("rate-limited: quota of tokens spent"), "{ran}");
}

#[test]
fn every_class_is_named() {
    let readme = readme();
    let classes = reprieve::attempt::FailureClass::ALL.map(|class| format!("`{}`", class.name()));
    let missing: Vec<_> = classes.iter().filter(|name| !readme.contains(*name)).collect();
    assert_eq!(missing, [&""; 0]);
}

/// The example as a component, built by the README's command; `None`, with the
/// reason printed, where the toolchain for it is not here.
#[expect(clippy::print_stdout, reason = "a test that cannot be run says so")]
fn two_strikes() -> Option<std::path::PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("two-strikes");
    let command = "build --locked -p reprieve-guest --example two_strikes --release --target wasm32-wasip2";
    assert!(readme().contains(&command.replace(" --locked", "")), "the README builds it otherwise");
    let built = std::process::Command::new(env!("CARGO"))
        .args(command.split(' '))
        .current_dir(root)
        .env("CARGO_TARGET_DIR", &target)
        .output()
        .expect("cargo starts");
    let said = String::from_utf8_lossy(&built.stderr);
    if said.contains("target may not be installed") {
        println!("SKIPPED: the target wasm32-wasip2 is not installed, so no policy is built");
        return None;
    }
    assert!(built.status.success(), "{said}");
    Some(target.join("wasm32-wasip2/release/examples/two_strikes.wasm"))
}

#[test]
fn the_policy_shown_changes_what_is_decided() {
    let Some(policy) = two_strikes() else { return };
    let place = Place::of(
        r#"
        name = "night"
        policy = { settings = { max_retries = 5 } }
        [[experiments]]
        name = "greedy"
        parameters = { batch = 8 }
        adjustable = ["batch"]
        measure = { shell = '''
            echo "$REPRIEVE_PARAMETER_BATCH" >> batches
            [ "$REPRIEVE_PARAMETER_BATCH" -le 2 ] && exit 0
            echo "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 40.00 GiB." >&2
            exit 1
        ''' }
        "#,
    );
    let standard = place.reprieve(&["run", "study.toml", "--dir", "standard"]);
    assert_eq!((standard.code, place.lines("batches")), (100, vec!["8".to_owned()]), "{standard}");
    let policy = policy.to_str().expect("a path of ours");
    let ran = place.reprieve(&["run", "study.toml", "--dir", "own", "--policy", policy]);
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(place.lines("batches")[1..], ["8", "4", "2"], "{ran}");
}
