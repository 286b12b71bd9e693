//! The standard policy's behaviour, in Zig: it must decide as the built-in one does.

const std = @import("std");

const reprieve = @import("reprieve");
const Allocator = std.mem.Allocator;
const FailureClass = reprieve.FailureClass;

pub const panic = reprieve.panic;

pub const Standard = struct {
    max_retries: u32 = 3,
    delay_seconds: f64 = 1,
    backoff_factor: f64 = 2,
    max_delay_seconds: f64 = 3600,
    jitter: reprieve.Jitter = .none,
    retry: []const FailureClass =
        &.{ .network, .rate_limited, .driver_transient, .communication, .device_occupied },
    retry_once: []const FailureClass = &.{ .hang, .crash, .device_program, .unknown },
    retries_in_study: ?u32 = null,
    stop_after_failures_in_a_row: ?u32 = null,
    leftovers_grace_seconds: f64 = 10,
    remove_shared_memory: bool = true,
    memory_tolerance_mib: u32 = 64,
    memory_timeout_seconds: f64 = 120,
    cool_down_to_celsius: ?u32 = null,
    cool_down_timeout_seconds: f64 = 600,

    pub const info: reprieve.Info = .{
        .name = "standard",
        .summary = "Retries failures that can pass, with growing waits; gives up on the rest",
    };

    pub const settings = .{ .stop_after_failures_in_a_row = .{ .at_least = 1 } };

    pub fn decide(
        policy: Standard,
        arena: Allocator,
        experiment: reprieve.Experiment,
        attempts: reprieve.Attempts,
        progress: reprieve.Progress,
    ) !reprieve.Decision {
        const attempt = attempts.last();
        const failure = attempt.failure orelse return .accept;
        const why = switch (try policy.worthRetrying(arena, attempts, failure, progress)) {
            .yes, .once => |why| {
                return .{ .retry = .{ .delay_ms = policy.delayMs(experiment, attempts, failure), .reason = why } };
            },
            .no => |why| why,
        };
        const in_a_row = progress.failed_in_a_row +| 1;
        if (policy.stop_after_failures_in_a_row) |most| {
            if (in_a_row >= most and attempt.stage != .finish) {
                const text = "experiments that failed in a row: {d}; the last: {s}";
                return .{ .stop_study = try arena.print(text, .{ in_a_row, why }) };
            }
        }
        return .{ .give_up = why };
    }

    /// Whether another attempt is worth it, and why.
    const Verdict = union(enum) { yes: []const u8, once: []const u8, no: []const u8 };

    fn worthRetrying(
        policy: Standard,
        arena: Allocator,
        attempts: reprieve.Attempts,
        failure: reprieve.Failure,
        progress: reprieve.Progress,
    ) !Verdict {
        const verdict = try policy.canPass(arena, attempts, failure);
        if (verdict == .no) return verdict;
        const class = failure.class.name();
        if (attempts.retries() >= policy.max_retries) {
            const what = try arena.print("{s}: {s} failure", .{ try gaveUp(arena, attempts), class });
            return .{ .no = try tell(arena, what, failure.evidence) };
        }
        if (policy.retries_in_study) |most| {
            if (progress.retries >= most) {
                const what = try arena.print("the study's {d} retries are used up: {s} failure", .{ most, class });
                return .{ .no = try tell(arena, what, failure.evidence) };
            }
        }
        return switch (verdict) {
            .yes => |why| .{ .yes = try arena.print("{s}; retry {d} of {d}", .{
                why, attempts.all.len, policy.max_retries,
            }) },
            else => verdict,
        };
    }

    /// Whether the failure can pass. The experiment knows best, where it said something.
    fn canPass(policy: Standard, arena: Allocator, attempts: reprieve.Attempts, failure: reprieve.Failure) !Verdict {
        const class = failure.class.name();
        if (attempts.last().retryable()) |retryable| {
            const verdict = if (retryable) "worth retrying" else "final";
            const what = try arena.print("the experiment called its {s} failure {s}", .{ class, verdict });
            const told = try tell(arena, what, said(attempts.last().self_report.?, failure));
            return if (retryable) .{ .yes = told } else .{ .no = told };
        }
        if (among(policy.retry, failure.class)) {
            return .{ .yes = try tell(arena, try arena.print("{s} failure can pass", .{class}), failure.evidence) };
        }
        if (!among(policy.retry_once, failure.class)) {
            const what = try arena.print("{s} failures do not pass by themselves", .{class});
            return .{ .no = try tell(arena, what, failure.evidence) };
        }
        if (attempts.failuresOf(failure.class) == 1) {
            const what = try arena.print("{s} failures are retried once", .{class});
            return .{ .once = try tell(arena, what, failure.evidence) };
        }
        const what = try arena.print("{s}: {s} failure again", .{ try gaveUp(arena, attempts), class });
        return .{ .no = try tell(arena, what, failure.evidence) };
    }

    /// The backoff's wait, or what a service asked for where that is more, within the cap.
    fn delayMs(
        policy: Standard,
        experiment: reprieve.Experiment,
        attempts: reprieve.Attempts,
        failure: reprieve.Failure,
    ) u64 {
        const waits: reprieve.Backoff = .{
            .first_seconds = policy.delay_seconds,
            .factor = policy.backoff_factor,
            .cap_seconds = policy.max_delay_seconds,
            .jitter = policy.jitter,
            .seed = experiment.seed,
        };
        const wait = waits.waitAfterMs(attempts);
        if (failure.class != .rate_limited) return wait;
        const asked = attempts.last().askedToWaitMs() orelse return wait;
        return @min(@max(asked, wait), reprieve.milliseconds(policy.max_delay_seconds));
    }

    pub fn plan(
        policy: Standard,
        arena: Allocator,
        _: reprieve.Experiment,
        after: ?reprieve.Attempt,
    ) ![]const reprieve.Step {
        if (after == null) return &.{};
        var steps: std.ArrayList(reprieve.Step) = .empty;
        const grace_ms = reprieve.milliseconds(policy.leftovers_grace_seconds);
        try steps.append(arena, .{ .action = .{ .end_leftovers = grace_ms } });
        if (policy.remove_shared_memory) try steps.append(arena, .{ .action = .remove_shared_memory });
        try steps.append(arena, .{ .action = .release_cached_memory });
        try steps.append(arena, .{
            .action = .{ .await_memory = .{
                .tolerance_bytes = @as(u64, policy.memory_tolerance_mib) << 20,
                .timeout_ms = reprieve.milliseconds(policy.memory_timeout_seconds),
            } },
            .if_it_fails = .quarantine_device,
        });
        if (policy.cool_down_to_celsius) |at_most| {
            const timeout_ms = reprieve.milliseconds(policy.cool_down_timeout_seconds);
            try steps.append(arena, .{
                .action = .{ .await_temperature = .{ .at_most_celsius = at_most, .timeout_ms = timeout_ms } },
            });
        }
        return steps.items;
    }
};

fn tell(arena: Allocator, what: []const u8, evidence: []const u8) ![]const u8 {
    return if (evidence.len == 0) what else arena.print("{s}: {s}", .{ what, evidence });
}

fn said(report: reprieve.SelfReport, failure: reprieve.Failure) []const u8 {
    for ([_][]const u8{ report.message, report.kind }) |words| {
        if (words.len > 0) return words;
    }
    return failure.evidence;
}

fn gaveUp(arena: Allocator, attempts: reprieve.Attempts) ![]const u8 {
    const noun = if (attempts.all.len == 1) "attempt" else "attempts";
    return arena.print("gave up after {d} {s}", .{ attempts.all.len, noun });
}

fn among(classes: []const FailureClass, class: FailureClass) bool {
    return std.mem.findScalar(FailureClass, classes, class) != null;
}

comptime {
    reprieve.exportPolicy(Standard);
}
