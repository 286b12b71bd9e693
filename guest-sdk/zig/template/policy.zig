//! What follows when an attempt at an experiment has ended.
//!
//! The host calls `decide` once an attempt, each time on a fresh instance: a
//! policy remembers nothing, and all it may know arrives as arguments. It does
//! no work either: it answers, and the host waits, places and cleans.

const std = @import("std");

const reprieve = @import("reprieve");

/// Tells the text of a panic.
pub const panic = reprieve.panic;

pub const MyPolicy = struct {
    // The settings, which a study gives in `[policy]`, with their defaults.
    max_retries: u32 = 3,
    delay_seconds: f64 = 30,
    smallest_batch: u32 = 1,

    /// What they are for, and the least that a number may be: 0 where nothing
    /// is said. A function `check(policy, arena)` may refuse more of them.
    pub const settings = .{
        .max_retries = .{ .about = "How often a failure that can pass is tried again." },
        .delay_seconds = .{ .about = "The wait before the first retry; it doubles from one to the next." },
        .smallest_batch = .{ .about = "The batch is not halved below this.", .at_least = 1 },
    };

    pub const info: reprieve.Info = .{
        .name = "my-policy",
        .summary = "Retries what can pass, and halves the batch while device memory is short",
    };

    /// Judges the newest attempt. Successes are judged too: a policy may throw
    /// away a measurement that it does not trust.
    pub fn decide(
        policy: MyPolicy,
        arena: std.mem.Allocator,
        experiment: reprieve.Experiment,
        attempts: reprieve.Attempts,
        _: reprieve.Progress,
    ) !reprieve.Decision {
        const attempt = attempts.last();
        const failure = attempt.failure orelse return .accept;
        // The experiment knows its failure best, where it says something of it.
        const verdict = attempt.retryable();
        if (verdict == false) return .{ .give_up = failure.evidence };
        // A smaller batch needs less memory, where the study lets it be changed.
        const half = (experiment.integer(u32, "batch") orelse 0) / 2;
        if (failure.class == .device_memory and experiment.canAdjust("batch") and half >= policy.smallest_batch) {
            return .retryWith(arena, "half the batch needs less", "batch", half);
        }
        const can_pass = verdict orelse switch (failure.class) {
            // These do, after a while.
            .network, .rate_limited, .driver_transient, .communication, .device_occupied => true,
            // These may: one more attempt tells.
            .hang, .crash, .device_program, .unknown => attempts.failuresOf(failure.class) == 1,
            else => false,
        };
        if (!can_pass or attempts.retries() >= policy.max_retries) return .{ .give_up = failure.evidence };
        // A service that asks for time gets it. The seed makes chance the same
        // in every replay.
        const waits: reprieve.Backoff = .{
            .first_seconds = policy.delay_seconds,
            .jitter = .equal,
            .seed = experiment.seed,
        };
        return .{ .retry = .{
            .delay_ms = attempt.askedToWaitMs() orelse waits.waitAfterMs(attempts),
            .reason = try arena.print("can pass: {s}", .{failure.evidence}),
        } };
    }
};

comptime {
    reprieve.exportPolicy(MyPolicy);
}

test {
    _ = @import("policy_test.zig");
}
