//! What the host tells: the contract's records, and how to count and look things up in them.
//!
//! Fields are in the contract's order, and their types are the contract's:
//! `abi.zig` reads them from what the host passes. `wit/types.wit` says more of each.

const std = @import("std");

const retry_after = @import("retry_after.zig");

/// A named value: an experiment's parameter, or an override of one.
pub const Parameter = struct {
    name: []const u8,
    value: []const u8,
};

/// The part of an experiment that an attempt ran.
pub const Stage = enum { prepare, measure, finish };

/// How an attempt's process ended.
pub const Ending = union(enum) {
    exited: i32,
    signalled: i32,
    timed_out,
    fell_silent,
    /// The text says why.
    not_started: []const u8,
    lost,
};

/// What the host takes the cause of a failure to be.
pub const FailureClass = enum {
    network,
    rate_limited,
    driver_transient,
    communication,
    device_memory,
    device_occupied,
    host_memory,
    device_program,
    device_hardware,
    hang,
    crash,
    storage,
    access,
    configuration,
    cancelled,
    unknown,

    /// What a setting of this type is, for those who mistype one.
    pub const in_words = "a class of failure, as `wit/types.wit` names them";

    /// Its name in settings and output, for example `rate-limited`.
    pub fn name(class: FailureClass) []const u8 {
        switch (class) {
            inline else => |known| {
                const named = comptime kebab: {
                    var text = @tagName(known)[0..].*;
                    std.mem.replaceScalar(u8, &text, '_', '-');
                    break :kebab text;
                };
                return &named;
            },
        }
    }

    /// Reads the name.
    pub fn jsonParse(arena: std.mem.Allocator, source: anytype, options: std.json.ParseOptions) !FailureClass {
        const text = try std.json.innerParse([]const u8, arena, source, options);
        for (std.enums.values(FailureClass)) |class| {
            if (std.mem.eql(u8, class.name(), text)) return class;
        }
        return error.InvalidEnumTag;
    }
};

/// What the host takes the cause to be, and the evidence in one line.
pub const Failure = struct {
    class: FailureClass,
    evidence: []const u8 = "",
};

/// What the experiment said of its failure itself.
pub const SelfReport = struct {
    retryable: ?bool = null,
    kind: []const u8 = "",
    message: []const u8 = "",
};

/// A fault that the driver recorded: a device's position, and NVIDIA's number.
pub const DeviceFault = struct {
    device: u32,
    xid: u64,
};

/// A device's memory around an attempt.
pub const DeviceMemoryUse = struct {
    device: u32,
    baseline_bytes: u64,
    peak_bytes: u64,
    residual_bytes: u64,
};

/// One attempt that has ended. `.{}` is a success, for unit tests.
pub const Attempt = struct {
    number: u32 = 1,
    stage: Stage = .measure,
    ending: Ending = .{ .exited = 0 },
    failure: ?Failure = null,
    waited_for_ms: u64 = 0,
    ran_for_ms: u64 = 0,
    stderr_tail: []const u8 = "",
    stdout_tail: []const u8 = "",
    self_report: ?SelfReport = null,
    faults: []const DeviceFault = &.{},
    memory: []const DeviceMemoryUse = &.{},
    foreign_processes: u32 = 0,
    throttled_for_ms: u64 = 0,
    facts: []const Parameter = &.{},

    /// A failure, for unit tests.
    pub fn failed(class: FailureClass, evidence: []const u8) Attempt {
        return .{ .ending = .{ .exited = 1 }, .failure = .{ .class = class, .evidence = evidence } };
    }

    /// Whether the experiment itself called its failure worth retrying; null
    /// where it did not say.
    pub fn retryable(attempt: Attempt) ?bool {
        return if (attempt.self_report) |report| report.retryable else null;
    }

    /// How long a remote service asked to be left alone, where its text says so:
    /// "retry after 30 seconds", "Retry-After: 120", "try again in 1m30s".
    pub fn askedToWaitMs(attempt: Attempt) ?u64 {
        if (attempt.self_report) |report| {
            if (retry_after.find(report.message)) |asked| return asked;
        }
        return if (attempt.failure) |failure| retry_after.find(failure.evidence) else null;
    }
};

/// All attempts at a stage so far, oldest first; there always is one.
pub const Attempts = struct {
    all: []const Attempt,

    /// The attempt that is judged.
    pub fn last(attempts: Attempts) Attempt {
        return attempts.all[attempts.all.len - 1];
    }

    /// How many were retries: all but the first.
    pub fn retries(attempts: Attempts) usize {
        return attempts.all.len - 1;
    }

    /// How many failed in this way, the last one counted.
    pub fn failuresOf(attempts: Attempts, class: FailureClass) usize {
        var count: usize = 0;
        for (attempts.all) |attempt| {
            const failure = attempt.failure orelse continue;
            if (failure.class == class) count += 1;
        }
        return count;
    }
};

/// The experiment that is judged.
pub const Experiment = struct {
    name: []const u8 = "experiment",
    parameters: []const Parameter = &.{},
    /// Names of the parameters that a decision may override.
    adjustable: []const []const u8 = &.{},
    labels: []const Parameter = &.{},
    devices: u32 = 1,
    /// Randomness that a replay sees again.
    seed: u64 = 0,

    /// The value of a parameter, as the study file writes it.
    pub fn parameter(experiment: Experiment, name: []const u8) ?[]const u8 {
        for (experiment.parameters) |one| {
            if (std.mem.eql(u8, one.name, name)) return one.value;
        }
        return null;
    }

    /// A parameter as a whole number, or null where it is none.
    pub fn integer(experiment: Experiment, T: type, name: []const u8) ?T {
        const value = experiment.parameter(name) orelse return null;
        return std.fmt.parseInt(T, value, 10) catch null;
    }

    /// Whether a decision may override this parameter.
    pub fn canAdjust(experiment: Experiment, name: []const u8) bool {
        for (experiment.adjustable) |adjustable| {
            if (std.mem.eql(u8, adjustable, name)) return true;
        }
        return false;
    }
};

/// The study so far.
pub const Progress = struct {
    succeeded: u32 = 0,
    failed: u32 = 0,
    remaining: u32 = 1,
    retries: u32 = 0,
    failed_in_a_row: u32 = 0,
    elapsed_ms: u64 = 0,
};

test "settings name a class as the contract does" {
    try std.testing.expectEqualStrings("rate-limited", FailureClass.rate_limited.name());
    try std.testing.expectEqualStrings("hang", FailureClass.hang.name());
}

test "attempts are counted by class" {
    const network: Attempt = .failed(.network, "connection reset");
    const attempts: Attempts = .{ .all = &.{ network, .failed(.hang, ""), network } };
    try std.testing.expectEqual(2, attempts.failuresOf(.network));
    try std.testing.expectEqual(0, attempts.failuresOf(.crash));
    try std.testing.expectEqual(2, attempts.retries());
}
