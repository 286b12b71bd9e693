//! Guests that run away, break, flood or lie. Each ends in a fault of its kind,
//! and harms nothing but its own call: see [`fault`](crate::fault).

use std::time::Duration;

use reprieve::decision::PolicyFaultKind::{self, *};
use reprieve::policy::{Engine, LimitOverrides, Limits, Policy, PolicySource};
use serde_json::json;

use crate::{ENGINE, fault, guest, load, question};

#[track_caller]
fn assert_fault(name: &str, kind: PolicyFaultKind, message: &str) {
    let fault = fault(name);
    assert_eq!((fault.kind, fault.message.as_str()), (kind, message));
}

#[test]
fn an_endless_loop_runs_out_of_fuel() {
    assert_fault("loop-in-decide", OutOfFuel, "it used up its fuel of `20000000`");
}

#[test]
fn an_endless_loop_with_fuel_left_meets_the_deadline() {
    let overrides = LimitOverrides {
        fuel: Some(10_000_000_000),
        deadline: Some(Duration::from_millis(50)),
        ..<_>::default()
    };
    let source = PolicySource::Bytes { name: "loop".into(), bytes: guest::guest("loop-in-decide") };
    let limits = Limits::checked(overrides).expect("within the caps");
    let policy = Policy::load(&ENGINE, &source, &json!({}), limits).expect("the guest loads");
    let fault = policy.decide(&question(1)).result.expect_err("the guest fails");
    assert_eq!((fault.kind, fault.message.as_str()), (Deadline, "it ran past its deadline of `50ms`"));
}

#[test]
fn an_endless_loop_at_load_is_told_with_the_function_it_is_in() {
    insta::assert_snapshot!(load("spin", guest::guest("loop-in-configure")).unwrap_err(), @r"
    policy `spin` failed in `configure` when it was loaded: it used up its fuel of `20000000`
      in spin
    ");
    insta::assert_snapshot!(load("spin", guest::guest("loop-in-start")).unwrap_err(), @r"
    policy `spin` failed in `start` when it was loaded: it used up its fuel of `20000000`
      in spin
    ");
    insta::assert_snapshot!(load("spin", guest::guest("loop-in-realloc")).unwrap_err(), @r"
    policy `spin` failed in `configure` when it was loaded: it used up its fuel of `20000000`
      in spin
    ");
}

#[test]
fn memory_is_bounded_over_all_memories_together() {
    let bound = 64 << 20;
    for name in ["memory-bomb", "memories-bomb"] {
        let fault = fault(name);
        assert_eq!(fault.kind, Memory, "{name}");
        assert!(fault.message.ends_with(&format!("bytes of memory, its bound is `{bound}`")), "{fault:?}");
    }
}

#[test]
fn tables_are_bounded() {
    assert_fault("table-bomb", Memory, "it asked for `100001` table elements, its bound is `100000`");
}

#[test]
fn recursion_meets_the_end_of_the_stack() {
    assert_fault("recursion", Stack, "it recursed past its stack of `524288` bytes");
}

#[test]
fn a_study_may_allow_more_stack_and_no_less_is_told() {
    let engine = Engine::with_stack(None, 64 << 10).expect("a small stack is a stack");
    let source = PolicySource::Bytes { name: "recursion".into(), bytes: guest::guest("recursion") };
    let policy = Policy::load(&engine, &source, &json!({}), Limits::DEFAULT).expect("it loads");
    let fault = policy.decide(&question(1)).result.unwrap_err();
    assert_eq!((fault.kind, fault.message.as_str()), (Stack, "it recursed past its stack of `65536` bytes"));
}

#[test]
fn a_panic_is_told_with_its_functions_and_its_last_words() {
    let fault = fault("panic");
    assert_eq!((fault.kind, fault.message.as_str()), (Trap, "wasm `unreachable` instruction executed"));
    insta::assert_snapshot!(fault.backtrace.join("\n"), @r"
    rust_panic
    choose_delay
    <wasm function 4>
    ");
    insta::assert_snapshot!(fault.output_tail, @r"
    thread panicked:
    \u{1b}[31mno such class\u{1b}[0m
    ");
}

#[test]
fn an_exit_is_no_answer() {
    assert_fault("exit", Trap, "it exited with code `1` instead of answering");
    // One that says why was ended by its language's runtime: whose functions those are helps nobody.
    let told = fault("exit-told");
    assert_eq!(
        (&*told.output_tail, told.backtrace.is_empty()),
        ("KeyError: 1, in mine.py, line 6", true),
        "{told:?}"
    );
}

#[test]
fn an_answer_is_bounded() {
    assert_fault("huge-answer", Answer, "its answer holds `204800` bytes of text, the bound is `65536`");
    insta::assert_snapshot!(fault("many-overrides").message, @"its answer could not be read: too much data is being copied between the host and the guest: fuel allocated for hostcalls has been exhausted");
}

#[test]
fn an_answer_that_makes_no_sense_is_refused() {
    for name in ["not-a-decision", "not-utf8", "out-of-bounds"] {
        let fault = fault(name);
        assert_eq!(fault.kind, Answer, "{name}: {fault:?}");
        assert!(fault.message.starts_with("its answer could not be read: "), "{fault:?}");
    }
    assert_fault(
        "override-unasked",
        Answer,
        "it overrides `seed`, which the study does not declare adjustable",
    );
}

#[test]
fn output_is_bounded() {
    let fault = fault("log-flood");
    assert_eq!(fault.kind, HostCalls);
    assert_eq!(fault.message, "it wrote more than `65536` bytes to standard output and error");
    assert!(fault.output_tail.len() <= 4096);
}

#[test]
fn handles_are_bounded() {
    assert_eq!(fault("handle-flood").kind, HostCalls);
}

#[test]
fn waiting_ends_at_once() {
    let clock = "it waited, but its clock stands still: a delay belongs into the decision";
    assert_fault("sleeper", Trap, clock);
}

#[test]
fn settings_that_are_refused_only_later_are_a_fault() {
    assert_fault("fickle", Refused, "it refuses settings that it had accepted: not today");
}

#[test]
fn a_policy_that_only_plans_cleanup_decides_nothing() {
    let planner = load("planner", guest::component(&guest::text("planner"), "planner")).expect("it loads");
    assert_eq!((planner.info().roles.retry, planner.info().roles.cleanup), (false, true));
    let fault = planner.decide(&question(1)).result.expect_err("it has no say");
    assert_eq!(
        (fault.kind, fault.message.as_str()),
        (Answer, "it plans cleanup only, and decides on no retry")
    );
}
