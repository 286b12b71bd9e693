//! Policies in AssemblyScript.

use super::desk::Desk;
use super::mirror::tells_all;
use super::{by_chance, conforms, settings, tells_its_settings};

fn desk() -> Option<Desk> {
    let modules = [".bin", "assemblyscript", "binaryen", "long"];
    Desk::with_modules("assemblyscript", &modules, &[("reprieve-assemblyscript", "assemblyscript")])
}

/// Builds a policy of the SDK as the README says.
fn build(desk: &Desk, policy: &str) -> Vec<u8> {
    desk.copy(&format!("assemblyscript/{policy}"), "two-strikes.ts");
    desk.run(
        "npx asc two-strikes.ts -o core.wasm -O --runtime stub --use abort=reprieveAbort --disableWarning 235 \
           --transform reprieve-assemblyscript/transform
         reprieve policy componentize core.wasm -o two-strikes.wasm",
    );
    desk.read("two-strikes.wasm")
}

#[test]
fn the_standard_policy_in_assemblyscript_decides_as_the_built_in_one() {
    let Some(desk) = desk() else { return };
    let component = build(&desk, "examples/standard.ts");
    conforms(&component, [settings(), by_chance()].concat());
    tells_its_settings(&component);
}

#[test]
fn what_a_policy_in_assemblyscript_is_told_and_has_done_arrives_whole() {
    let Some(desk) = desk() else { return };
    tells_all(&build(&desk, "tests/mirror.ts"));
}

#[test]
fn the_assemblyscript_sdk_s_readme_is_right_word_for_word() {
    let Some(desk) = desk() else { return };
    desk.follow("assemblyscript", "ts", &["two-strikes.ts", "two-strikes.test.ts"]);
}

#[test]
fn the_assemblyscript_sdk_s_own_tests_pass_without_a_host() {
    let Some(desk) = desk() else { return };
    desk.copy("assemblyscript/tests/sdk.test.ts", "two-strikes.test.ts");
    desk.run(
        "npx asc two-strikes.test.ts -o tests.wasm --runtime stub
         node node_modules/reprieve-assemblyscript/test.mjs tests.wasm",
    );
}
