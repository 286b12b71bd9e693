//! Reads and writes values as the component model's canonical ABI lays them out in memory.
//!
//! Which layout a value has follows from its type, at compile time. Covers what
//! the contract has, and no more: no floats, no flags, no resources.

const std = @import("std");

const Allocator = std.mem.Allocator;

/// Whether this is a component, in which addresses have 32 bits.
pub const in_component = @import("builtin").cpu.arch == .wasm32;

/// How many bytes a value takes.
pub fn size(T: type) usize {
    @setEvalBranchQuota(20_000); // an attempt nests deep
    return std.mem.alignForward(usize, switch (@typeInfo(T)) {
        .bool, .@"enum" => 1,
        .int => @sizeOf(T),
        .pointer => 8,
        .optional => |info| payload(&.{info.child}) + size(info.child),
        .@"union" => |info| payload(info.field_types) + largest(info.field_types),
        .@"struct" => |info| end: {
            var at: usize = 0;
            for (info.field_types) |field| at = std.mem.alignForward(usize, at, alignment(field)) + size(field);
            break :end at;
        },
        .void => 0,
        else => @compileError("the contract has no " ++ @typeName(T)),
    }, alignment(T));
}

fn alignment(T: type) usize {
    return switch (@typeInfo(T)) {
        .int => @sizeOf(T),
        .pointer => 4,
        .optional => |info| alignment(info.child),
        inline .@"struct", .@"union" => |info| most: {
            var most: usize = 1;
            for (info.field_types) |field| most = @max(most, alignment(field));
            break :most most;
        },
        else => 1,
    };
}

/// Where the payload begins behind a byte that tells the case.
fn payload(cases: []const type) usize {
    var at: usize = 1;
    for (cases) |case| at = @max(at, alignment(case));
    return at;
}

fn largest(cases: []const type) usize {
    var most: usize = 0;
    for (cases) |case| most = @max(most, size(case));
    return most;
}

/// Reads a value. Texts stay where the host has put them.
pub fn load(T: type, arena: Allocator, from: [*]const u8) Allocator.Error!T {
    switch (@typeInfo(T)) {
        .void => return {},
        .bool => return from[0] != 0,
        .int => return std.mem.readInt(T, from[0..@sizeOf(T)], .little),
        .@"enum" => return @fromBackingInt(@intCast(from[0])),
        .pointer => |info| {
            const items: [*]const u8 = @ptrFromInt(std.mem.readInt(u32, from[0..4], .little));
            const count = std.mem.readInt(u32, from[4..8], .little);
            if (info.child == u8) return items[0..count];
            const list = try arena.alloc(info.child, count);
            for (list, 0..) |*item, i| item.* = try load(info.child, arena, items + i * comptime size(info.child));
            return list;
        },
        .optional => |info| {
            return if (from[0] == 0) null else try load(info.child, arena, from + comptime payload(&.{info.child}));
        },
        .@"union" => |info| {
            inline for (info.field_names, info.field_types, 0..) |name, Case, i| {
                if (from[0] == i) {
                    return @unionInit(T, name, try load(Case, arena, from + comptime payload(info.field_types)));
                }
            }
            unreachable; // the host passes no case that the contract does not have
        },
        .@"struct" => |info| {
            var value: T = undefined;
            comptime var at: usize = 0;
            inline for (info.field_names, info.field_types) |name, Field| {
                at = comptime std.mem.alignForward(usize, at, alignment(Field));
                @field(value, name) = try load(Field, arena, from + at);
                at += comptime size(Field);
            }
            return value;
        },
        else => comptime unreachable,
    }
}

/// Writes a value in memory of its own.
pub fn stored(arena: Allocator, value: anytype) Allocator.Error![*]u8 {
    const memory = try arena.alignedAlloc(u8, .@"8", comptime size(@TypeOf(value)));
    try store(arena, value, memory.ptr);
    return memory.ptr;
}

fn store(arena: Allocator, value: anytype, to: [*]u8) Allocator.Error!void {
    const T = @TypeOf(value);
    switch (@typeInfo(T)) {
        .void => {},
        .bool => to[0] = @intFromBool(value),
        .int => std.mem.writeInt(T, to[0..@sizeOf(T)], value, .little),
        .@"enum" => to[0] = @backingInt(value),
        .pointer => |info| {
            var items: usize = @intFromPtr(value.ptr);
            if (info.child != u8) {
                const step = comptime size(info.child);
                const list = try arena.alignedAlloc(u8, .@"8", value.len * step);
                for (value, 0..) |item, i| try store(arena, item, list.ptr + i * step);
                items = @intFromPtr(list.ptr);
            }
            // Nothing may lie at an empty list's address, but it has to be aligned.
            std.mem.writeInt(u32, to[0..4], if (value.len == 0) 8 else @intCast(items), .little);
            std.mem.writeInt(u32, to[4..8], @intCast(value.len), .little);
        },
        .optional => |info| {
            to[0] = @intFromBool(value != null);
            if (value) |some| try store(arena, some, to + comptime payload(&.{info.child}));
        },
        .@"union" => |info| {
            to[0] = @backingInt(value);
            switch (value) {
                inline else => |case| try store(arena, case, to + comptime payload(info.field_types)),
            }
        },
        .@"struct" => |info| {
            comptime var at: usize = 0;
            inline for (info.field_names, info.field_types) |name, Field| {
                at = comptime std.mem.alignForward(usize, at, alignment(Field));
                try store(arena, @field(value, name), to + at);
                at += comptime size(Field);
            }
        },
        else => comptime unreachable,
    }
}

test "sizes are those that the component model gives the contract's records" {
    const situation = @import("situation.zig");
    try std.testing.expectEqual(136, comptime size(situation.Attempt));
    try std.testing.expectEqual(48, comptime size(situation.Experiment));
    try std.testing.expectEqual(40, comptime size(@import("decision.zig").Decision));
    try std.testing.expectEqual(32, comptime size(@import("cleanup.zig").Step));
    try std.testing.expectEqual(104, comptime size(@import("devices.zig").Reading));
}
