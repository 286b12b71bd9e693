//! The leased devices, as the host sees them. Outside a host there are none.

const std = @import("std");

const abi = @import("abi.zig");
const cleanup = @import("cleanup.zig");

/// Memory in bytes.
pub const Memory = struct { total: u64, used: u64, baseline: u64 };

/// The driver's recommended recovery.
pub const Recovery = enum { none, reset_device, restart_machine, inspect };

/// A reading of one device.
pub const Status = struct {
    uuid: []const u8,
    name: []const u8,
    memory: Memory,
    temperature_celsius: ?u32,
    power_milliwatts: ?u32,
    utilization_percent: ?u32,
    throttled: ?bool,
    uncorrected_errors: ?u64,
    recovery: ?Recovery,
    processes: u32,
};

/// Why there is no reading.
pub const StatusError = union(enum) {
    unavailable: []const u8,
    no_such_device,
    not_supported,
    device_lost,
    transient: []const u8,
    other: []const u8,
};

/// How an action went.
pub const Outcome = union(enum) { done, skipped: []const u8, failed: []const u8 };

/// What an action brought.
pub const Report = struct { outcome: Outcome, took_ms: u64, released_bytes: u64 };

/// The contract's `result`.
pub const Reading = union(enum) { ok: Status, err: StatusError };
/// The contract's `result`: a refusal says why.
pub const Performed = union(enum) { ok: Report, err: []const u8 };

const outside = "the policy runs outside a host";

const imports = struct {
    extern "reprieve:policy/nvml-status@0.1.0" fn @"device-count"() u32;
    extern "reprieve:policy/nvml-status@0.1.0" fn read(device: u32, answer: [*]u8) void;
    extern "reprieve:policy/gpu-cleanup@0.1.0" fn perform(kind: u32, first: u64, second: u64, answer: [*]u8) void;
};

/// How many devices the experiment holds.
pub fn count() u32 {
    return if (abi.in_component) imports.@"device-count"() else 0;
}

/// Reads one, by its position from 0.
pub fn read(arena: std.mem.Allocator, device: u32) std.mem.Allocator.Error!Reading {
    if (!abi.in_component) return .{ .err = .{ .unavailable = outside } };
    var answer: [abi.size(Reading)]u8 align(8) = undefined;
    imports.read(device, &answer);
    return abi.load(Reading, arena, &answer);
}

/// Runs an action now, for plans that depend on what it brings. Only a plan may.
pub fn perform(arena: std.mem.Allocator, action: cleanup.Action) std.mem.Allocator.Error!Performed {
    if (!abi.in_component) return .{ .err = outside };
    const first: u64, const second: u64 = switch (action) {
        .end_leftovers, .pause => |ms| .{ ms, 0 },
        .await_memory => |goal| .{ goal.tolerance_bytes, goal.timeout_ms },
        .await_temperature => |goal| .{ goal.at_most_celsius, goal.timeout_ms },
        .await_idle => |goal| .{ goal.at_most_percent, goal.timeout_ms },
        .probe => |goal| .{ goal.allocate_bytes, goal.timeout_ms },
        .run_hook => |name| .{ @intFromPtr(name.ptr), name.len },
        else => .{ 0, 0 },
    };
    var answer: [abi.size(Performed)]u8 align(8) = undefined;
    imports.perform(@backingInt(action), first, second, &answer);
    return abi.load(Performed, arena, &answer);
}
