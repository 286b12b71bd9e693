//! Policies in C.

use super::desk::Desk;
use super::mirror::tells_all;
use super::{by_chance, conforms, settings, tells_its_settings};

/// Warnings in an author's build would be warnings of the SDK.
const CC: &str = "venv/bin/python-zig cc -std=c23 -Wall -Wextra -Werror -I ../reprieve/guest-sdk/c";
const SDK: &str = "../reprieve/guest-sdk/c";

fn build(desk: &Desk, policy: &str) -> Vec<u8> {
    desk.run(&format!(
        "{CC} -target wasm32-wasi -mexec-model=reactor -Os -UNDEBUG -s {SDK}/{policy} {SDK}/src/*.c -o core.wasm
         reprieve policy componentize core.wasm -o policy.wasm"
    ));
    desk.read("policy.wasm")
}

#[test]
fn the_standard_policy_in_c_decides_as_the_built_in_one() {
    let Some(desk) = Desk::with_ziglang() else { return };
    let component = build(&desk, "examples/standard.c");
    conforms(&component, [settings(), by_chance()].concat());
    tells_its_settings(&component);
}

#[test]
fn what_a_policy_in_c_is_told_and_has_done_arrives_whole() {
    let Some(desk) = Desk::with_ziglang() else { return };
    tells_all(&build(&desk, "tests/mirror.c"));
}

#[test]
fn the_c_sdk_s_readme_is_right_word_for_word() {
    let Some(desk) = Desk::with_ziglang() else { return };
    desk.follow("c", "c", &["two_strikes.c", "two_strikes_test.c"]);
}

#[test]
fn the_c_sdk_s_own_tests_pass_without_a_host() {
    let Some(desk) = Desk::with_ziglang() else { return };
    desk.run(&format!("{CC} {SDK}/tests/sdk_test.c {SDK}/src/*.c -o sdk_test && ./sdk_test"));
}
