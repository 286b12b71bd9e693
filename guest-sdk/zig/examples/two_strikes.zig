const std = @import("std");

const reprieve = @import("reprieve");

pub const panic = reprieve.panic;

/// Retries a network failure twice, and halves the batch while device memory is short.
pub const TwoStrikes = struct {
    pub const info: reprieve.Info = .{
        .name = "two-strikes",
        .summary = "Two strikes for the network, half the batch for memory",
    };

    pub fn decide(
        _: TwoStrikes,
        arena: std.mem.Allocator,
        experiment: reprieve.Experiment,
        attempts: reprieve.Attempts,
        _: reprieve.Progress,
    ) !reprieve.Decision {
        const failure = attempts.last().failure orelse return .accept;
        if (failure.class == .network and attempts.failuresOf(.network) <= 2) {
            const waits: reprieve.Backoff = .{ .first_seconds = 1, .jitter = .full, .seed = experiment.seed };
            return .{ .retry = .{
                .delay_ms = waits.waitAfterMs(attempts),
                .reason = try arena.print("can pass: {s}", .{failure.evidence}),
            } };
        }
        const batch = experiment.integer(u32, "batch") orelse 0;
        if (failure.class == .device_memory and batch >= 2 and experiment.canAdjust("batch")) {
            return .retryWith(arena, "half the batch needs less", "batch", batch / 2);
        }
        return .{ .give_up = failure.evidence };
    }
};

comptime {
    reprieve.exportPolicy(TwoStrikes);
}

test "the third network failure is the last" {
    const network: reprieve.Attempt = .failed(.network, "connection reset");
    const attempts: reprieve.Attempts = .{ .all = &.{ network, network, network } };
    const decision = try (TwoStrikes{}).decide(std.testing.allocator, .{}, attempts, .{});
    try std.testing.expectEqualStrings("connection reset", decision.give_up);
}
