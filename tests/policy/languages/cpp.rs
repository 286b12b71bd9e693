//! Policies in C++.

use super::desk::Desk;
use super::{by_chance, conforms, settings, tells_its_settings};

#[test]
fn the_standard_policy_in_cpp_decides_as_the_built_in_one() {
    let Some(desk) = Desk::with_ziglang() else { return };
    desk.run(
        "SDK=../reprieve/guest-sdk
         venv/bin/python-zig build-exe -target wasm32-wasi -mexec-model=reactor -O ReleaseSmall -lc++ -I $SDK/cpp \
           -cflags -std=c++23 -fno-exceptions -fno-rtti -Wall -Wextra -Werror -- $SDK/cpp/examples/standard.cpp \
           -cflags -std=c23 -- $SDK/c/src/*.c -femit-bin=core.wasm
         reprieve policy componentize core.wasm -o standard.wasm",
    );
    conforms(&desk.read("standard.wasm"), [settings(), by_chance()].concat());
    tells_its_settings(&desk.read("standard.wasm"));
}

#[test]
fn the_cpp_sdk_s_readme_is_right_word_for_word() {
    let Some(desk) = Desk::with_ziglang() else { return };
    desk.follow("cpp", "cpp", &["two_strikes.cpp", "two_strikes_test.cpp"]);
}

#[test]
fn the_cpp_sdk_s_own_tests_pass_without_a_host() {
    let Some(desk) = Desk::with_ziglang() else { return };
    desk.run(
        "SDK=../reprieve/guest-sdk
         venv/bin/python-zig build-exe -lc++ -I $SDK/cpp -cflags -std=c++23 -Wall -Wextra -Werror -- \
           $SDK/cpp/tests/sdk_test.cpp -cflags -std=c23 -- $SDK/c/src/*.c -femit-bin=sdk_test
         ./sdk_test",
    );
}
