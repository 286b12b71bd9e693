//! Policies in Nim.

use super::desk::Desk;
use super::mirror::tells_all;
use super::{by_chance, conforms, settings, tells_its_settings};

const SDK: &str = "../reprieve/guest-sdk/nim";

/// Puts a file of the SDK on the desk, as a project.
fn bring(desk: &Desk, file: &str) {
    desk.run(&format!(
        "cp {SDK}/{file} .
         echo 'switch \"path\", \"{SDK}/src\"' > config.nims
         echo 'when defined(wasm): include \"{SDK}/component.nims\"' >> config.nims"
    ));
}

fn build(desk: &Desk, folder: &str, policy: &str) -> Vec<u8> {
    bring(desk, &format!("{folder}/{policy}.nim"));
    desk.run(&format!(
        "nim c -d:wasm --hints:off -o:core.wasm {policy}.nim
         reprieve policy componentize core.wasm -o policy.wasm"
    ));
    desk.read("policy.wasm")
}

#[test]
fn the_standard_policy_in_nim_decides_as_the_built_in_one() {
    let Some(desk) = Desk::with_nim() else { return };
    let component = build(&desk, "examples", "standard");
    conforms(&component, [settings(), by_chance()].concat());
    tells_its_settings(&component);
}

#[test]
fn what_a_policy_in_nim_is_told_and_has_done_arrives_whole() {
    let Some(desk) = Desk::with_nim() else { return };
    tells_all(&build(&desk, "tests", "mirror"));
}

#[test]
fn the_nim_sdk_s_readme_is_right_word_for_word() {
    let Some(desk) = Desk::with_nim() else { return };
    desk.follow("nim", "nim", &["two_strikes.nim"]);
}

#[test]
fn the_nim_sdk_s_own_tests_pass_without_a_host() {
    let Some(desk) = Desk::with_nim() else { return };
    bring(&desk, "tests/sdk_test.nim");
    desk.run("nim r --hints:off sdk_test.nim");
}
