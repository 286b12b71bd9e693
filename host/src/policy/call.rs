//! One call of a policy: a fresh instance, its bounds, and what went wrong.
//!
//! Nothing of a call is left when it has ended, whatever its end.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use regex::Regex;
use wasmtime::component::{Instance, InstancePre};
use wasmtime::{Store, Trap, UpdateDeadline, WasmBacktrace};

use super::devices::Devices;
use super::engine::{Engine, Slot};
use super::limits::Limits;
use super::sandbox::{Breach, Moment, Sandbox};
use super::thrown::thrown;
use crate::clock;
use crate::decision::{PolicyFault, PolicyFaultKind};
use crate::text::{clip, line, printable, printable_lines, tail};

/// Bytes of a guest's output that a fault carries.
const TAIL_BYTES: usize = 4 << 10;

/// Bytes of one line of a fault: a function's name, wasmtime's words.
const LINE_BYTES: usize = 500;

/// Handles of guest-made resources. The contract has none; adapters use a few.
const HANDLES: usize = 1_000;

/// What a policy answered, and what that took.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// The decision or the plan, or how the policy failed to make one.
    pub result: Result<T, PolicyFault>,
    /// Fuel used, the same on any machine. After a fault only about right.
    pub fuel: u64,
    /// The most linear memory that the call had, in bytes.
    pub memory_bytes: u64,
    /// Wall-clock time, the wait for a free slot not counted.
    pub took: Duration,
    /// How much of that the fresh instance took.
    pub instantiation: Duration,
    /// What the policy wrote to standard output and error, line by line, with
    /// control characters escaped. Empty for most calls.
    pub log: String,
}

/// What a call was doing when it failed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Start,
    Run,
}

/// A call in progress.
pub(super) struct Call<'a> {
    pub(super) store: Store<Sandbox>,
    phase: Phase,
    limits: Limits,
    stack_bytes: u64,
    began: Instant,
    instantiation: Duration,
    // Last, so that the instance is back in the pool before its slot is free.
    _slot: Slot<'a>,
}

impl<'a> Call<'a> {
    pub(super) fn new(engine: &'a Engine, limits: Limits, moment: Moment, devices: Box<dyn Devices>) -> Self {
        let slot = engine.enter();
        let began = clock::monotonic();
        let mut store = Store::new(engine.wasmtime(), Sandbox::new(moment, limits, devices));
        store.limiter(|sandbox| sandbox);
        store.set_fuel(limits.fuel).expect("the engine counts fuel");
        store.set_epoch_deadline(Engine::ticks(limits.deadline));
        store.epoch_deadline_callback(|mut store| {
            let put_off = store.data_mut().take_outside_for();
            if put_off.is_zero() {
                Err(Trap::Interrupt.into())
            } else {
                Ok(UpdateDeadline::Continue(Engine::ticks(put_off)))
            }
        });
        store.set_hostcall_fuel(usize::try_from(limits.hostcall_bytes).unwrap_or(usize::MAX));
        store.set_max_component_handles(HANDLES);
        let stack_bytes = engine.stack_bytes();
        Self {
            store,
            phase: Phase::Start,
            limits,
            stack_bytes,
            began,
            instantiation: Duration::ZERO,
            _slot: slot,
        }
    }

    pub(super) fn instantiate(&mut self, pre: &InstancePre<Sandbox>) -> wasmtime::Result<Instance> {
        let instance = pre.instantiate(&mut self.store)?;
        self.phase = Phase::Run;
        self.instantiation = self.began.elapsed();
        Ok(instance)
    }

    /// The call's end: what it used, and what it wrote, which goes to the log as well.
    pub(super) fn end<T>(self, policy: &str, result: Result<T, PolicyFault>) -> Answer<T> {
        let left = self.store.get_fuel().expect("the engine counts fuel");
        let took = self.began.elapsed();
        let written = self.store.data().log();
        let log = if written.is_empty() { String::new() } else { printable_lines(written) };
        for line in log.lines() {
            tracing::info!(policy, "{line}");
        }
        let memory_bytes = self.store.data().memory_bytes();
        Answer {
            result,
            fuel: self.limits.fuel.saturating_sub(left),
            memory_bytes,
            took,
            instantiation: self.instantiation,
            log,
        }
    }

    /// A fault of the policy's own words or ours, rather than of wasmtime's.
    pub(super) fn refusal(&self, kind: PolicyFaultKind, message: String) -> PolicyFault {
        let written = self.store.data().log();
        let output_tail = tail(&printable_lines(written), TAIL_BYTES).to_owned();
        PolicyFault { kind, message, backtrace: Vec::new(), output_tail }
    }

    /// What an error of wasmtime's means.
    pub(super) fn fault(&self, error: &wasmtime::Error) -> PolicyFault {
        let inside = error.downcast_ref::<WasmBacktrace>();
        let (kind, message) = self.explain(error, inside.is_some());
        // What a script throws has its place in its text: the functions below are the runtime's.
        let written = printable_lines(self.store.data().log());
        if let Some((begin, exception)) = thrown(&written).filter(|_| kind == PolicyFaultKind::Trap) {
            let output_tail = tail(&(written[..begin].to_owned() + &exception), TAIL_BYTES).to_owned();
            return PolicyFault { kind, message: line(&exception), backtrace: Vec::new(), output_tail };
        }
        // A runtime that says what went wrong and exits is called by no author:
        // its way out is all that there is to see.
        let told =
            error.downcast_ref::<wasmtime_wasi::I32Exit>().is_some() && !self.store.data().log().is_empty();
        let backtrace = inside.filter(|_| !told).map(functions).unwrap_or_default();
        PolicyFault { backtrace, ..self.refusal(kind, message) }
    }

    fn explain(&self, error: &wasmtime::Error, inside: bool) -> (PolicyFaultKind, String) {
        if let Some(breach) = error.downcast_ref::<Breach>() {
            return (breach.kind(), breach.to_string());
        }
        if let Some(exit) = error.downcast_ref::<wasmtime_wasi::I32Exit>() {
            return (PolicyFaultKind::Trap, format!("it exited with code `{}` instead of answering", exit.0));
        }
        let words = error.root_cause().to_string();
        let words = words.strip_prefix("wasm trap: ").unwrap_or(&words);
        let words = printable(clip(words, LINE_BYTES));
        match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => {
                let fuel = self.limits.fuel;
                (PolicyFaultKind::OutOfFuel, format!("it used up its fuel of `{fuel}`"))
            }
            Some(Trap::Interrupt) => {
                let deadline = self.limits.deadline;
                (PolicyFaultKind::Deadline, format!("it ran past its deadline of `{deadline:?}`"))
            }
            Some(Trap::StackOverflow) => {
                let stack = self.stack_bytes;
                (PolicyFaultKind::Stack, format!("it recursed past its stack of `{stack}` bytes"))
            }
            Some(_) if inside => (PolicyFaultKind::Trap, words),
            // wasmtime has no public types for these errors, so where they come
            // from has to tell: an instance was not made; a function of ours was
            // handed what it may not be; the policy had returned, and what it
            // returned could not be read.
            None if self.phase == Phase::Start && !inside => (PolicyFaultKind::Memory, words),
            None if inside => (PolicyFaultKind::HostCalls, words),
            _ => (PolicyFaultKind::Answer, format!("its answer could not be read: {words}")),
        }
    }
}

/// The functions of a backtrace, innermost first, demangled by wasmtime,
/// without the module before them and the hashes that Rust adds.
fn functions(backtrace: &WasmBacktrace) -> Vec<String> {
    static HASH: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\[[0-9a-f]{8,16}\]|::h[0-9a-f]{16}$").expect("it is ours"));
    let text = backtrace.to_string();
    let names = text.lines().filter_map(|line| line.split_once(" - ")).map(|(_, name)| name);
    let names = names.map(|name| name.split_once('!').map_or(name, |(_, function)| function));
    names.map(|name| printable(clip(&HASH.replace_all(name, ""), LINE_BYTES))).collect()
}
