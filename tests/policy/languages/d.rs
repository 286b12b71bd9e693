//! Policies in D.

use super::desk::Desk;
use super::mirror::tells_all;
use super::{by_chance, conforms, settings, tells_its_settings};

const SDK: &str = "../reprieve/guest-sdk/d";

fn build(desk: &Desk, policy: &str) -> Vec<u8> {
    desk.run(&format!(
        "ldc2 -betterC -mtriple=wasm32-unknown-unknown-wasm -Oz -w -fvisibility=hidden -L--no-entry \
           -i -I={SDK}/source {SDK}/{policy} -of=core.wasm
         reprieve policy componentize core.wasm -o policy.wasm"
    ));
    desk.read("policy.wasm")
}

#[test]
fn the_standard_policy_in_d_decides_as_the_built_in_one() {
    let Some(desk) = Desk::with_ldc() else { return };
    let component = build(&desk, "examples/standard.d");
    conforms(&component, [settings(), by_chance()].concat());
    tells_its_settings(&component);
}

#[test]
fn what_a_policy_in_d_is_told_and_has_done_arrives_whole() {
    let Some(desk) = Desk::with_ldc() else { return };
    tells_all(&build(&desk, "tests/mirror.d"));
}

#[test]
fn the_d_sdk_s_readme_is_right_word_for_word() {
    let Some(desk) = Desk::with_ldc() else { return };
    desk.follow("d", "d", &["two_strikes.d"]);
}

#[test]
fn the_d_sdk_s_own_tests_pass_without_a_host() {
    let Some(desk) = Desk::with_ldc() else { return };
    desk.run(&format!("ldc2 -w -unittest -main -i -I={SDK}/source -run {SDK}/source/reprieve/package.d"));
}
