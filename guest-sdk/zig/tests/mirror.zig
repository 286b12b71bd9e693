//! Says again all that it is told, and has done all that can be done. A test of
//! the host's holds it to that, so that every field is known to be in its place.

const std = @import("std");

const reprieve = @import("reprieve");
const Allocator = std.mem.Allocator;

const Said = struct {
    arena: Allocator,
    text: []const u8 = "",

    fn say(said: *Said, comptime format: []const u8, values: anytype) !void {
        said.text = try said.arena.print("{s}" ++ format, .{said.text} ++ values);
    }

    fn all(said: *Said, parameters: []const reprieve.Parameter) !void {
        for (parameters) |one| try said.say(" {s}={s}", .{ one.name, one.value });
    }

    fn optional(said: *Said, value: ?u32) !void {
        if (value) |some| try said.say(" {d}", .{some}) else try said.say(" -", .{});
    }

    fn experiment(said: *Said, told: reprieve.Experiment) !void {
        try said.say("{s}", .{told.name});
        try said.all(told.parameters);
        try said.say(" can", .{});
        for (told.adjustable) |name| try said.say(" {s}", .{name});
        try said.say(" by", .{});
        try said.all(told.labels);
        try said.say(" on {d}, {d}", .{ told.devices, told.seed });
    }

    fn attempt(said: *Said, told: reprieve.Attempt) !void {
        try said.say(" / {d} of {d}: {d} ", .{ told.number, @backingInt(told.stage), @backingInt(told.ending) });
        switch (told.ending) {
            .exited, .signalled => |number| try said.say("{d}", .{number}),
            .not_started => |why| try said.say("{s}", .{why}),
            else => {},
        }
        try said.say(", failed ", .{});
        if (told.failure) |failure| {
            try said.say("{d} {s}", .{ @backingInt(failure.class), failure.evidence });
        } else try said.say("-", .{});
        try said.say(", waited {d} ran {d}", .{ told.waited_for_ms, told.ran_for_ms });
        try said.say(", `{s}` `{s}`, said ", .{ told.stderr_tail, told.stdout_tail });
        if (told.self_report) |report| {
            try said.say("{d} {s} `{s}`", .{ @intFromBool(report.retryable.?), report.kind, report.message });
        } else try said.say("-", .{});
        try said.say(", faults", .{});
        for (told.faults) |fault| try said.say(" {d}:{d}", .{ fault.device, fault.xid });
        try said.say(", memory", .{});
        for (told.memory) |use| {
            const values = .{ use.device, use.baseline_bytes, use.peak_bytes, use.residual_bytes };
            try said.say(" {d}:{d}:{d}:{d}", values);
        }
        try said.say(", {d} others, {d} slow, knows", .{ told.foreign_processes, told.throttled_for_ms });
        try said.all(told.facts);
    }

    fn devices(said: *Said) !void {
        const status = (try reprieve.readDevice(said.arena, 0)).ok;
        const memory = status.memory;
        try said.say(" / {d} devices: {s} {s} {d} {d} {d},", .{
            reprieve.deviceCount(), status.uuid, status.name, memory.total, memory.used, memory.baseline,
        });
        try said.optional(status.temperature_celsius);
        try said.optional(status.power_milliwatts);
        try said.optional(status.utilization_percent);
        try said.say(" {d} {d} {d}, {d}", .{
            @intFromBool(status.throttled.?), status.uncorrected_errors.?, @backingInt(status.recovery.?), status.processes,
        });
        try said.say("; error {d}", .{@backingInt((try reprieve.readDevice(said.arena, 1)).err)});
    }
};

const Mirror = struct {
    pub const info: reprieve.Info = .{ .name = "mirror" };

    pub fn decide(
        _: Mirror,
        arena: Allocator,
        experiment: reprieve.Experiment,
        attempts: reprieve.Attempts,
        progress: reprieve.Progress,
    ) !reprieve.Decision {
        var said: Said = .{ .arena = arena };
        try said.experiment(experiment);
        for (attempts.all) |attempt| try said.attempt(attempt);
        try said.say(" / {d} {d} {d} {d} {d} {d}", .{
            progress.succeeded,       progress.failed,     progress.remaining, progress.retries,
            progress.failed_in_a_row, progress.elapsed_ms,
        });
        try said.devices();
        return .{ .retry = .{ .delay_ms = attempts.last().waited_for_ms, .reason = said.text } };
    }

    pub fn plan(
        _: Mirror,
        arena: Allocator,
        _: reprieve.Experiment,
        after: ?reprieve.Attempt,
    ) ![]const reprieve.Step {
        const attempt = after orelse return &.{};
        var said: Said = .{ .arena = arena };
        var steps: std.ArrayList(reprieve.Step) = .empty;
        try steps.appendSlice(arena, &.{
            .{ .action = .{ .end_leftovers = 1 } },
            .{ .action = .remove_shared_memory, .if_it_fails = .quarantine_device },
            .{ .action = .synchronize, .if_it_fails = .stop_study },
            .{ .action = .release_cached_memory },
            .{ .action = .reset_contexts },
            .{ .action = .{ .await_memory = .{ .tolerance_bytes = 5_000_000_000, .timeout_ms = 6 } } },
            .{ .action = .{ .await_temperature = .{ .at_most_celsius = 45, .timeout_ms = 7 } } },
            .{ .action = .{ .await_idle = .{ .at_most_percent = 8, .timeout_ms = 9 } } },
            .{ .action = .{ .probe = .{ .allocate_bytes = 10, .timeout_ms = 11 } } },
            .{ .action = .{ .pause = 12 } },
            .{ .action = .{ .run_hook = "haken ü" } },
        });
        try said.say("after {d}:", .{attempt.number});
        for (steps.items) |step| switch (try reprieve.perform(arena, step.action)) {
            .err => |why| try said.say(" refused {s}", .{why}),
            .ok => |report| {
                try said.say(" {d}", .{@backingInt(report.outcome)});
                switch (report.outcome) {
                    .done => {},
                    .skipped, .failed => |why| try said.say(" {s}", .{why}),
                }
                try said.say(" {d} {d}", .{ report.took_ms, report.released_bytes });
            },
        };
        try steps.append(arena, .{ .action = .{ .run_hook = said.text } });
        return steps.items;
    }
};

comptime {
    reprieve.exportPolicy(Mirror);
}
