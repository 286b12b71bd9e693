//! Makes a component's exports of a policy.
//!
//! Nothing is freed: the host drops a component's memory after each call.

const std = @import("std");

const abi = @import("abi.zig");
const cleanup = @import("cleanup.zig");
const decision = @import("decision.zig");
const panicking = @import("panicking.zig");
const schema = @import("schema.zig");
const settings = @import("settings.zig");
const situation = @import("situation.zig");

var memory: std.heap.ArenaAllocator = .init(std.heap.page_allocator);

/// What the host passes to `decide`.
const Question = struct {
    experiment: situation.Experiment,
    attempts: []const situation.Attempt,
    progress: situation.Progress,
};

/// What the host passes to `plan`.
const Occasion = struct {
    experiment: situation.Experiment,
    when: union(enum) { before_attempt, after_attempt: situation.Attempt },
};

/// What a policy says of itself; it is a `const info` of the policy's.
pub const Info = struct {
    name: []const u8,
    version: []const u8 = "0.1.0",
    /// One line for people.
    summary: []const u8 = "",
    /// A JSON Schema of the settings, or null for the one that their types make.
    settings_schema: ?[]const u8 = null,
};

fn allocate(old: ?[*]u8, old_size: usize, alignment: usize, size: usize) callconv(.c) [*]u8 {
    if (size == 0) return @ptrFromInt(alignment);
    // A component may call nothing while it is being told, so this cannot tell of it.
    const new = memory.allocator().rawAlloc(size, .fromByteUnits(alignment), @returnAddress()) orelse @trap();
    if (old) |kept| @memcpy(new[0..@min(old_size, size)], kept[0..@min(old_size, size)]);
    return new;
}

fn done(result: anytype) [*]u8 {
    return result catch |failed| {
        panicking.tell(&.{ "the policy failed: ", @errorName(failed) });
        @trap();
    };
}

/// The exports of one policy.
fn Exports(Policy: type) type {
    return struct {
        var policy: Policy = .{};

        fn describe() callconv(.c) [*]u8 {
            const own: Info = Policy.info;
            var info = own;
            info.settings_schema = own.settings_schema orelse comptime schema.of(Policy);
            return done(abi.stored(memory.allocator(), info));
        }

        fn configure(text: [*]const u8, size: usize) callconv(.c) [*]u8 {
            return done(configured(text[0..size]));
        }

        fn configured(text: []const u8) ![*]u8 {
            const Answer = union(enum) { ok, refused: []const u8 };
            const answer: Answer = switch (try settings.fromJson(Policy, memory.allocator(), text)) {
                .ok => |read| accepted: {
                    policy = read;
                    break :accepted .ok;
                },
                .refused => |why| .{ .refused = why },
            };
            return abi.stored(memory.allocator(), answer);
        }

        fn decide(from: [*]const u8) callconv(.c) [*]u8 {
            return done(decided(from));
        }

        fn decided(from: [*]const u8) ![*]u8 {
            const arena = memory.allocator();
            const asked = try abi.load(Question, arena, from);
            const answer: decision.Decision =
                try policy.decide(arena, asked.experiment, .{ .all = asked.attempts }, asked.progress);
            return abi.stored(arena, answer);
        }

        fn plan(from: [*]const u8) callconv(.c) [*]u8 {
            return done(planned(from));
        }

        fn planned(from: [*]const u8) ![*]u8 {
            const arena = memory.allocator();
            const asked = try abi.load(Occasion, arena, from);
            const attempt: ?situation.Attempt = switch (asked.when) {
                .before_attempt => null,
                .after_attempt => |attempt| attempt,
            };
            const steps: []const cleanup.Step = try policy.plan(arena, asked.experiment, attempt);
            return abi.stored(arena, steps);
        }
    };
}

/// Exports a policy from the component, with the roles that it has: `decide`, `plan` or both.
pub fn exportPolicy(Policy: type) void {
    if (!abi.in_component) return;
    const exports = Exports(Policy);
    @export(&allocate, .{ .name = "cabi_realloc" });
    @export(&exports.describe, .{ .name = "reprieve:policy/guest@0.1.0#describe" });
    @export(&exports.configure, .{ .name = "reprieve:policy/guest@0.1.0#configure" });
    if (@hasDecl(Policy, "decide")) {
        @export(&exports.decide, .{ .name = "reprieve:policy/retry-policy@0.1.0#decide" });
    }
    if (@hasDecl(Policy, "plan")) {
        @export(&exports.plan, .{ .name = "reprieve:policy/cleanup-policy@0.1.0#plan" });
    }
}
