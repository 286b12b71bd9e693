//! Policies in Zig.

use super::desk::Desk;
use super::mirror::tells_all;
use super::{by_chance, conforms, settings, tells_its_settings};

const SDK: &str = "../reprieve/guest-sdk/zig";

fn build(desk: &Desk, policy: &str) -> Vec<u8> {
    desk.run(&format!(
        "venv/bin/python-zig build-exe -target wasm32-freestanding -fno-entry -rdynamic -O ReleaseSafe -fstrip \
           --dep reprieve -Mroot={SDK}/{policy} -Mreprieve={SDK}/src/reprieve.zig -femit-bin=core.wasm
         reprieve policy componentize core.wasm -o policy.wasm"
    ));
    desk.read("policy.wasm")
}

#[test]
fn the_standard_policy_in_zig_decides_as_the_built_in_one() {
    let Some(desk) = Desk::with_ziglang() else { return };
    let component = build(&desk, "examples/standard.zig");
    conforms(&component, [settings(), by_chance()].concat());
    tells_its_settings(&component);
}

#[test]
fn what_a_policy_in_zig_is_told_and_has_done_arrives_whole() {
    let Some(desk) = Desk::with_ziglang() else { return };
    tells_all(&build(&desk, "tests/mirror.zig"));
}

#[test]
fn the_zig_sdk_s_readme_is_right_word_for_word() {
    let Some(desk) = Desk::with_ziglang() else { return };
    desk.follow("zig", "zig", &["two_strikes.zig"]);
}

#[test]
fn the_zig_sdk_s_own_tests_pass_without_a_host() {
    let Some(desk) = Desk::with_ziglang() else { return };
    desk.run(&format!("venv/bin/python-zig test {SDK}/src/reprieve.zig"));
}
