//! What follows when an attempt at an experiment has ended.
//!
//! The host calls `decide` once an attempt, each time on a fresh instance: a
//! policy remembers nothing, and all it may know arrives as arguments. It does
//! no work either: it answers, and the host waits, places and cleans.

const std = @import("std");

const reprieve = @import("reprieve");

pub const MyPolicy = struct {
    // The settings, which a study gives in `[policy]`, with their defaults.

    /// How often a failure that can pass is tried again.
    max_retries: u32 = 3,
    /// The wait before the first retry; it doubles from one to the next.
    delay_seconds: f64 = 30,
    /// The batch is not halved below this.
    smallest_batch: u32 = 1,

    pub const info: reprieve.Info = .{
        .name = "my-policy",
        .summary = "Retries what can pass, and halves the batch while device memory is short",
    };

    /// Refuses settings; the text is what their author reads.
    pub fn check(policy: MyPolicy, _: std.mem.Allocator) !?[]const u8 {
        return if (policy.smallest_batch == 0) "`smallest_batch` is `0`, expected 1 or more" else null;
    }

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
        switch (failure.class) {
            // These pass by themselves, after a while.
            .network, .rate_limited, .driver_transient, .device_occupied => {
                if (attempts.retries() >= policy.max_retries) return .{ .give_up = failure.evidence };
                // A service that asks for time gets it. The seed makes chance
                // the same in every replay.
                const waits: reprieve.Backoff = .{
                    .first_seconds = policy.delay_seconds,
                    .jitter = .equal,
                    .seed = experiment.seed,
                };
                return .{ .retry = .{
                    .delay_ms = attempt.askedToWaitMs() orelse waits.waitAfterMs(attempts),
                    .reason = try arena.print("can pass: {s}", .{failure.evidence}),
                } };
            },
            // A smaller batch needs less memory, where the study lets it be changed.
            .device_memory => {
                const half = (experiment.integer(u32, "batch") orelse 0) / 2;
                if (experiment.canAdjust("batch") and half >= policy.smallest_batch) {
                    return .retryWith(arena, "half the batch needs less", "batch", half);
                }
                return .{ .give_up = failure.evidence };
            },
            else => return .{ .give_up = failure.evidence },
        }
    }
};

comptime {
    reprieve.exportPolicy(MyPolicy);
}

test {
    _ = @import("policy_test.zig");
}
