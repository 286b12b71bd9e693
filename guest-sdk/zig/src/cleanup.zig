//! What a policy plans.

/// When a device's memory counts as clean.
pub const MemoryGoal = struct { tolerance_bytes: u64, timeout_ms: u64 };
/// When a device counts as cool.
pub const TemperatureGoal = struct { at_most_celsius: u32, timeout_ms: u64 };
/// When a device counts as idle.
pub const IdleGoal = struct { at_most_percent: u32, timeout_ms: u64 };
/// What proves a device usable.
pub const ProbeGoal = struct { allocate_bytes: u64, timeout_ms: u64 };

/// One piece of cleanup work, on every leased device. `wit/gpu-cleanup.wit` says more of each.
pub const Action = union(enum) {
    /// The grace between the signal and the kill, in milliseconds.
    end_leftovers: u64,
    remove_shared_memory,
    synchronize,
    release_cached_memory,
    reset_contexts,
    await_memory: MemoryGoal,
    await_temperature: TemperatureGoal,
    await_idle: IdleGoal,
    probe: ProbeGoal,
    /// In milliseconds.
    pause: u64,
    /// A command of the study's, by its name.
    run_hook: []const u8,
};

/// What becomes of the study where a step fails.
pub const Consequence = enum { carry_on, quarantine_device, stop_study };

/// An action, and what its failure means.
pub const Step = struct {
    action: Action,
    if_it_fails: Consequence = .carry_on,
};
