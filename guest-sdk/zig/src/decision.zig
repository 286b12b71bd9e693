//! What a policy decides.

const std = @import("std");

const situation = @import("situation.zig");

/// Which devices the next attempt may use.
pub const Placement = enum { same_devices, other_devices, any_devices };

/// When the next attempt takes its turn once its delay has passed.
pub const Turn = enum { when_due, last };

/// Another attempt at the same stage.
pub const Retry = struct {
    delay_ms: u64 = 0,
    placement: Placement = .any_devices,
    turn: Turn = .when_due,
    /// Values that replace those of adjustable parameters.
    overrides: []const situation.Parameter = &.{},
    /// Why, in one line for people.
    reason: []const u8,
};

/// What follows an attempt. A reason is one line for people.
pub const Decision = union(enum) {
    /// Take the attempt's outcome as the stage's outcome.
    accept,
    /// Run the stage again.
    retry: Retry,
    /// The experiment has failed. The study goes on.
    give_up: []const u8,
    /// Start no further experiment.
    stop_study: []const u8,

    /// A retry that replaces the value of one parameter.
    pub fn retryWith(
        arena: std.mem.Allocator,
        reason: []const u8,
        parameter: []const u8,
        value: anytype,
    ) std.mem.Allocator.Error!Decision {
        const text = try arena.print("{d}", .{value});
        const overrides = try arena.dupe(situation.Parameter, &.{.{ .name = parameter, .value = text }});
        return .{ .retry = .{ .reason = reason, .overrides = overrides } };
    }
};
