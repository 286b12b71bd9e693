//! How long to wait before the next attempt.
//!
//! Waits are numbers here; nothing sleeps. The host's scheduler does the
//! waiting, and the devices are free meanwhile. The numbers are those that the
//! SDKs of all languages draw from the same seed.

const std = @import("std");

const situation = @import("situation.zig");

/// Random numbers that a replay draws again: SplitMix64. Not for secrets.
pub const Random = struct {
    generator: std.Random.SplitMix64,

    /// Starts from a seed: give it the experiment's.
    pub fn init(seed: u64) Random {
        return .{ .generator = .init(seed) };
    }

    /// Draws 64 random bits.
    pub fn next(random: *Random) u64 {
        return random.generator.next();
    }

    /// Draws a number from 0 to `most`, both included.
    pub fn upTo(random: *Random, most: u64) u64 {
        return @intCast((@as(u128, random.next()) * (@as(u128, most) + 1)) >> 64);
    }
};

/// How chance spreads the waits (Marc Brooker, "Exponential Backoff And Jitter", 2015).
pub const Jitter = enum {
    /// Exactly the backoff's wait.
    none,
    /// Anything from nothing to the backoff's wait.
    full,
    /// Half the backoff's wait, and anything from nothing to the other half.
    equal,
    /// Anything from the first wait to three times the previous one.
    decorrelated,
};

/// Waits that grow: the wait after attempt n is `first * factor^(n-1)`.
pub const Backoff = struct {
    first_seconds: f64,
    /// 1 gives waits that are all alike, and stands for what makes no sense.
    factor: f64 = 2,
    cap_seconds: f64 = std.math.inf(f64),
    jitter: Jitter = .none,
    /// The experiment's, where there is jitter.
    seed: u64 = 0,

    /// The wait that follows these attempts.
    pub fn waitAfterMs(backoff: Backoff, attempts: situation.Attempts) u64 {
        const first = nanoseconds(backoff.first_seconds);
        const cap = nanoseconds(backoff.cap_seconds);
        const factor = if (backoff.factor >= 0) backoff.factor else 1;
        var random: Random = .init(backoff.seed);
        var grown: f64 = @floatFromInt(first);
        var wait = first;
        var steps = attempts.retries() + 1;
        if (backoff.jitter == .decorrelated and steps > 1) {
            // It builds on the wait that really was.
            wait = attempts.last().waited_for_ms *| std.time.ns_per_ms;
            steps = 1;
        }
        for (0..steps) |_| {
            const plain = @min(saturated(grown + 0.5), cap);
            grown *= factor;
            wait = switch (backoff.jitter) {
                .none => plain,
                .full => random.upTo(plain),
                .equal => plain - plain / 2 + random.upTo(plain / 2),
                .decorrelated => @min(cap, first +| random.upTo((wait *| 3) -| first)),
            };
        }
        return wait / std.time.ns_per_ms;
    }
};

/// A setting in milliseconds; one that is too long is an endless one. Panics
/// where it is negative or no number, which `fromJson` refuses.
pub fn milliseconds(seconds: f64) u64 {
    const span = nanoseconds(seconds);
    return if (span == std.math.maxInt(u64)) span else span / std.time.ns_per_ms;
}

/// To the nearest nanosecond, or an endless span.
fn nanoseconds(seconds: f64) u64 {
    if (!(seconds >= 0)) @panic("seconds are negative or no number, expected 0 or more");
    const whole = @floor(seconds);
    return saturated(whole) *| std.time.ns_per_s +| saturated(nearest((seconds - whole) * std.time.ns_per_s));
}

/// The nearest whole number, of two the even one.
fn nearest(value: f64) f64 {
    // Beyond 2^52 there are no fractions, and the sum is rounded to even.
    return (value + 0x1p52) - 0x1p52;
}

/// Both ends of the range saturate, and what is not a number is nothing.
fn saturated(value: f64) u64 {
    if (!(value > 0)) return 0;
    return if (value >= 0x1p64) std.math.maxInt(u64) else @intFromFloat(value);
}

fn after(comptime waits_ms: []const u64) situation.Attempts {
    comptime var all: [waits_ms.len]situation.Attempt = undefined;
    inline for (&all, waits_ms) |*attempt, wait| attempt.* = .{ .waited_for_ms = wait };
    const frozen = all;
    return .{ .all = &frozen };
}

test "the numbers are those of the published generator" {
    var random: Random = .init(1_234_567);
    for ([_]u64{ 6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423 }) |expected| {
        try std.testing.expectEqual(expected, random.next());
    }
}

test "waits grow up to their cap" {
    const waits: Backoff = .{ .first_seconds = 1, .cap_seconds = 5 };
    try std.testing.expectEqual(1000, waits.waitAfterMs(after(&.{0})));
    try std.testing.expectEqual(4000, waits.waitAfterMs(after(&.{ 0, 0, 0 })));
    try std.testing.expectEqual(5000, waits.waitAfterMs(after(&.{ 0, 0, 0, 0 })));
}

test "numbers that make no sense do no harm" {
    for ([_]f64{ std.math.nan(f64), -3 }) |factor| {
        const waits: Backoff = .{ .first_seconds = 2, .factor = factor };
        try std.testing.expectEqual(2000, waits.waitAfterMs(after(&.{ 0, 0 })));
    }
    const endless: Backoff = .{ .first_seconds = std.math.inf(f64), .factor = 0 };
    try std.testing.expectEqual(0, endless.waitAfterMs(after(&.{ 0, 0, 0 })));
    try std.testing.expectEqual(std.math.maxInt(u64), milliseconds(std.math.inf(f64)));
    try std.testing.expectEqual(1001, milliseconds(1.001));
}
