//! The engine that runs policies: wasmtime's settings, its clock tick, its slots.
//!
//! Knows nothing of the contract: see `load` and `call`.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use thiserror::Error;
use wasmtime::component::Component;
use wasmtime::{Config, EngineWeak, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::cache::Cache;
use super::complexity;
use super::limits::{LimitError, Limits, pick};

/// How often the clock that enforces deadlines ticks. A deadline is met late by
/// at most two ticks, and never early.
const TICK: Duration = Duration::from_millis(10);

/// How many ticks without a call pass before the clock stops.
///
/// Waking it costs a call some microseconds, so it goes on through bursts.
const IDLE_TICKS: u32 = 100;

/// How many calls can run at the same time; others wait. At some 20 µs a call
/// more of them would only cost address space: 16 GiB each, none of it memory.
const SLOTS: u32 = 8;

/// Bytes of a linear memory that stay resident between calls, and are reset in
/// place. Pays where the kernel can tell which pages a call has written.
const KEEP_RESIDENT_BYTES: usize = 2 << 20;

/// The same for tables: without it a decision takes half as long again.
const TABLE_RESIDENT_BYTES: usize = 64 << 10;

/// Runs policies. Cheap to clone; all clones share one pool of instances.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    wasmtime: wasmtime::Engine,
    cache: Option<Cache>,
    stack_bytes: u64,
    pulse: Arc<Pulse>,
}

/// The engine could not be set up.
#[derive(Debug, Error)]
pub enum EngineError {
    /// wasmtime refused the machine or its settings.
    #[error("the policy engine cannot start: {0}\nhint: it needs x86-64 or aarch64 and some virtual memory")]
    Wasmtime(String),
    /// More stack than can be asked for.
    #[error("{0}")]
    Stack(#[from] LimitError),
    /// The thread that enforces deadlines could not be started.
    #[error("the policy engine's clock cannot start: {0}\nhint: raise the limit of threads (`ulimit -u`)")]
    Clock(#[from] std::io::Error),
}

impl Engine {
    /// Starts an engine that keeps compiled policies in `cache`, or compiles
    /// each anew where that is `None`.
    ///
    /// The directory is made where it is missing, for its owner only. One that
    /// others could write to is left alone, with a warning, since what lies in
    /// it is run as machine code.
    ///
    /// # Errors
    /// [`EngineError`] where wasmtime does not support the machine, or no thread can be had.
    pub fn new(cache: Option<PathBuf>) -> Result<Self, EngineError> {
        Self::with_stack(cache, Limits::STACK_BYTES)
    }

    /// An engine as [`Self::new`] starts it, whose calls have this much stack.
    ///
    /// # Errors
    /// As [`Self::new`], and where it is more than [`Limits::STACK_BYTES_CAP`].
    pub fn with_stack(cache: Option<PathBuf>, stack_bytes: u64) -> Result<Self, EngineError> {
        pick("stack_bytes", Some(stack_bytes), Limits::STACK_BYTES, Limits::STACK_BYTES_CAP)?;
        let wasmtime = wasmtime::Engine::new(&config(stack_bytes, Some(pool())))
            .or_else(|error| {
                tracing::debug!(%error, "no pool of policy instances, each is allocated on its own");
                wasmtime::Engine::new(&config(stack_bytes, None))
            })
            .map_err(|error| EngineError::Wasmtime(format!("{error:#}")))?;
        let pulse = Arc::new(Pulse::new());
        let (weak, beat) = (wasmtime.weak(), Arc::clone(&pulse));
        std::thread::Builder::new().name("policy-clock".into()).spawn(move || tick(&weak, &beat))?;
        let cache = cache.and_then(|directory| Cache::open(directory, &wasmtime));
        Ok(Self(Arc::new(Inner { wasmtime, cache, stack_bytes, pulse })))
    }

    pub(super) fn stack_bytes(&self) -> u64 {
        self.0.stack_bytes
    }

    pub(super) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.0.wasmtime
    }

    /// The component's machine code, from the cache where it is there.
    pub(super) fn compile(&self, bytes: &[u8], digest: &str) -> wasmtime::Result<Component> {
        match &self.0.cache {
            Some(cache) => cache.compile(&self.0.wasmtime, bytes, digest),
            None => compile(&self.0.wasmtime, bytes),
        }
    }

    /// Waits until fewer calls run than there are slots in the pool. A slot is
    /// held only while a call runs, so the wait is bounded by their deadlines.
    pub(super) fn enter(&self) -> Slot<'_> {
        self.0.pulse.enter();
        Slot(&self.0.pulse)
    }

    /// The deadline in ticks, such that it is never too short.
    pub(super) fn ticks(deadline: Duration) -> u64 {
        u64::try_from(deadline.as_nanos().div_ceil(TICK.as_nanos())).unwrap_or(u64::MAX / 2) + 1
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.pulse.close();
    }
}

/// Settings under which the same call gives the same answer on any machine.
fn config(stack_bytes: u64, pool: Option<PoolingAllocationConfig>) -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        // Policies are small, and run for microseconds: what optimising takes at
        // the first load is never won back (benches: a quarter less to compile,
        // and decisions as quick).
        .cranelift_opt_level(wasmtime::OptLevel::None)
        .epoch_interruption(true)
        .max_wasm_stack(usize::try_from(stack_bytes).unwrap_or(usize::MAX))
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        // No policy uses asynchronous components, and without them a call is cheaper.
        .concurrency_support(false);
    if let Some(pool) = pool {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
}

/// A pool for so many calls at once. Its default size would take longer to
/// set up than the first decision takes.
fn pool() -> PoolingAllocationConfig {
    let cap = Limits::CAP;
    let instances = u32::try_from(cap.instances).expect("the cap on instances is small");
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(SLOTS)
        .total_core_instances(SLOTS * instances)
        .max_core_instances_per_component(instances)
        .total_memories(SLOTS * Limits::MEMORIES)
        .max_memories_per_component(Limits::MEMORIES)
        .max_memories_per_module(Limits::MEMORIES)
        .max_memory_size(usize::try_from(cap.memory_bytes).unwrap_or(usize::MAX))
        .total_tables(SLOTS * Limits::TABLES)
        .max_tables_per_component(Limits::TABLES)
        .max_tables_per_module(Limits::TABLES)
        .table_elements(usize::try_from(cap.table_elements).unwrap_or(usize::MAX))
        .total_stacks(0);
    // Without the kernel's page map (Linux 6.7) all that is kept resident is
    // rewritten after every call, which costs more than dropping it.
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        pool.pagemap_scan(wasmtime::Enabled::Yes)
            .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
            .table_keep_resident(TABLE_RESIDENT_BYTES);
    }
    pool
}

/// The slots of the pool, and whether the clock has anything to do.
struct Pulse {
    state: Mutex<State>,
    /// Woken when the clock has to tick again.
    started: Condvar,
    /// Woken when a slot is free.
    freed: Condvar,
}

struct State {
    calls: u32,
    waiting: u32,
    asleep: bool,
    closed: bool,
}

/// The right to run one call; given back on drop.
pub(super) struct Slot<'a>(&'a Pulse);

impl Pulse {
    fn new() -> Self {
        let state = State { calls: 0, waiting: 0, asleep: true, closed: false };
        Self { state: Mutex::new(state), started: Condvar::new(), freed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn enter(&self) {
        let mut state = self.lock();
        while state.calls >= SLOTS {
            state.waiting += 1;
            state = self.freed.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
            state.waiting -= 1;
        }
        state.calls += 1;
        if state.asleep {
            state.asleep = false;
            self.started.notify_one();
        }
    }

    fn close(&self) {
        self.lock().closed = true;
        self.started.notify_one();
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.calls -= 1;
        if state.waiting > 0 {
            self.0.freed.notify_one();
        }
    }
}

/// The clock's thread: ticks while there are calls, and ends with the engine.
fn tick(engine: &EngineWeak, pulse: &Pulse) {
    let mut idle = 0;
    loop {
        let mut state = pulse.lock();
        idle = if state.calls == 0 { idle + 1 } else { 0 };
        if idle > IDLE_TICKS {
            state.asleep = true;
        }
        while state.asleep && !state.closed {
            state = pulse.started.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
            idle = 0;
        }
        if state.closed {
            return;
        }
        drop(state);
        #[expect(
            clippy::disallowed_methods,
            reason = "the clock that bounds calls has nothing else to wait for"
        )]
        std::thread::sleep(TICK);
        let Some(engine) = engine.upgrade() else { return };
        engine.increment_epoch();
    }
}

/// A component's machine code, where there is not too much of it.
pub(super) fn compile(engine: &wasmtime::Engine, bytes: &[u8]) -> wasmtime::Result<Component> {
    complexity::check(bytes)?;
    Component::from_binary(engine, bytes)
}
