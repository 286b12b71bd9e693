//! Policies in Lua.

use reprieve::policy::PolicySource;
use reprieve::reporter::words;
use serde_json::json;

use super::desk::Desk;
use super::{conforms, engine, load, settings, tells_its_settings};
use crate::question;

fn desk() -> Option<Desk> {
    let modules = [".bin", "componentize-qjs", "esbuild", "fengari"];
    Desk::with_modules("javascript", &modules, &[("reprieve-lua", "lua"), ("reprieve-guest", "javascript")])
}

/// A JavaScript number holds 53 bits of a seed, and it draws the numbers.
#[test]
fn the_standard_policy_in_lua_decides_as_the_built_in_one() {
    let Some(desk) = desk() else { return };
    desk.copy("lua/examples/standard.lua", "standard.lua");
    desk.run("node node_modules/reprieve-lua/build.mjs standard.lua");
    let component = desk.read("standard.wasm");
    conforms(&component, settings());
    tells_its_settings(&component);
}

#[test]
fn what_goes_wrong_in_lua_is_told_with_its_line_or_by_what_is_wrong() {
    let Some(desk) = desk() else { return };
    let cases = [
        (
            "print('a clue', 1) return attempts[1].nothing.at_all",
            "broken.lua:3: attempt to index a nil value (field 'nothing')",
        ),
        ("error({ code = 5 })", "broken.lua:4: {\"code\":5}"),
        (
            "return reprieve.retry(0, 'less', { overrides = { batch = {} } })",
            "TypeError: `overrides.batch` is `{}`, expected a text, a number or a boolean",
        ),
        ("return 'retry'", "TypeError: `decide` returned `\"retry\"`, expected a decision"),
        ("", "TypeError: `decide` returned `nil`, expected a decision"),
    ];
    let bodies: String =
        cases.iter().map(|(body, _)| format!("  function(attempts) {body} end,\n")).collect();
    // One component, as each takes long to compile.
    let text = format!(
        "local reprieve = require 'reprieve'\nlocal bodies = {{\n{bodies}}}\n\
         return {{\n  name = 'broken', settings = {{ case = reprieve.setting(1) }},\n  \
         decide = function(_, attempts, _, settings) return bodies[settings.case](attempts) end,\n}}\n"
    );
    desk.write("broken.lua", text);
    desk.run("node node_modules/reprieve-lua/build.mjs broken.lua");
    let bytes = desk.read("broken.wasm");
    let (engine, source) = (engine(), PolicySource::Bytes { name: "broken".to_owned(), bytes });
    for (case, (_, expected)) in (1..).zip(cases) {
        let policy = load(&engine, &source, &json!({ "case": case })).expect("it loads");
        assert_eq!(words::fault(&policy.decide(&question(1)).result.expect_err("it raises")), expected);
    }
}

#[test]
fn the_lua_sdk_s_readme_is_right_word_for_word() {
    let Some(desk) = desk() else { return };
    desk.follow("lua", "lua", &["two_strikes.lua", "two_strikes_test.lua"]);
}

#[test]
fn the_lua_sdk_s_own_tests_pass_without_a_host() {
    let Some(desk) = desk() else { return };
    desk.copy("lua/tests/reprieve_test.lua", "reprieve_test.lua");
    desk.run("node node_modules/reprieve-lua/build.mjs --test reprieve_test.lua");
}
