//! Reads a policy's settings. Who mistyped one is the reader of every refusal here.
//!
//! A policy's `const settings` says what a setting is for, and the least that a
//! number may be: `.{ .retries = .{ .about = "How often.", .at_least = 1 } }`.
//! Without `at_least` that is 0.

const std = @import("std");

const Allocator = std.mem.Allocator;

/// A policy with its settings, or why they are refused.
pub fn Settings(Policy: type) type {
    return union(enum) { ok: Policy, refused: []const u8 };
}

/// Reads settings, a JSON object, into the policy's fields. A policy that has a
/// `check(policy, arena)` may refuse what was read: it returns why, or null.
pub fn fromJson(Policy: type, arena: Allocator, json: []const u8) Allocator.Error!Settings(Policy) {
    const no_object: Settings(Policy) = .{ .refused = "the settings are no JSON object" };
    var scanner: std.json.Scanner = .initCompleteInput(arena, json);
    var policy: Policy = .{};
    if ((scanner.next() catch return no_object) != .object_begin) return no_object;
    while (true) {
        const token = scanner.nextAlloc(arena, .alloc_always) catch return no_object;
        if (token == .object_end) break;
        const name = token.allocated_string;
        const before = scanner.cursor;
        set(Policy, &policy, arena, name, &scanner) catch |failed| {
            if (failed == error.OutOfMemory) return error.OutOfMemory;
            const given = std.mem.trimStart(u8, json[before..scanner.cursor], ": \t\r\n");
            return .{ .refused = try refusal(Policy, arena, name, given) };
        };
    }
    if (@hasDecl(Policy, "check")) {
        if (try policy.check(arena)) |why| return .{ .refused = why };
    }
    return .{ .ok = policy };
}

const SetError = std.json.ParseError(std.json.Scanner);

fn set(Policy: type, policy: *Policy, arena: Allocator, name: []const u8, scanner: *std.json.Scanner) SetError!void {
    const info = @typeInfo(Policy).@"struct";
    inline for (info.field_names, info.field_types) |field, Field| {
        if (std.mem.eql(u8, field, name)) {
            @field(policy, field) = try std.json.innerParse(Field, arena, scanner, .{
                .allocate = .alloc_always,
                .max_value_len = scanner.input.len,
            });
            return if (!fits(@field(policy, field), leastOf(Policy, field))) error.Overflow;
        }
    }
    return error.UnknownField;
}

fn refusal(Policy: type, arena: Allocator, name: []const u8, given: []const u8) Allocator.Error![]const u8 {
    const info = @typeInfo(Policy).@"struct";
    inline for (info.field_names, info.field_types) |field, Field| {
        if (std.mem.eql(u8, field, name)) {
            return arena.print("`{s}`: `{s}`, expected {s}", .{ name, given, comptime expected(Field, leastOf(Policy, field)) });
        }
    }
    const known = comptime if (info.field_names.len == 0) "there are none" else "expected " ++ oneOf(info.field_names);
    return arena.print("unknown setting `{s}`, {s}", .{ name, known });
}

/// What the policy's `settings` say of one of them, or nothing.
pub fn said(Policy: type, comptime field: []const u8) if (says(Policy, field)) @TypeOf(@field(Policy.settings, field)) else struct {} {
    return if (comptime says(Policy, field)) @field(Policy.settings, field) else .{};
}

fn says(Policy: type, comptime field: []const u8) bool {
    return @hasDecl(Policy, "settings") and @hasField(@TypeOf(Policy.settings), field);
}

/// The least that a number may be.
pub fn leastOf(Policy: type, comptime field: []const u8) comptime_float {
    const told = said(Policy, field);
    return if (@hasField(@TypeOf(told), "at_least")) told.at_least else 0;
}

fn fits(value: anytype, comptime least: comptime_float) bool {
    return switch (@typeInfo(@TypeOf(value))) {
        .int => value >= @as(comptime_int, @intFromFloat(@ceil(least))),
        .float => value >= least,
        .optional => if (value) |given| fits(given, least) else true,
        else => true,
    };
}

/// What a setting of this type may be, in words.
fn expected(T: type, least: comptime_float) []const u8 {
    return switch (@typeInfo(T)) {
        .bool => "true or false",
        .int => std.fmt.comptimePrint("a whole number from {d} to {d}", .{ least, std.math.maxInt(T) }),
        .float => std.fmt.comptimePrint("a number, {d} or more", .{least}),
        .optional => |info| "null or " ++ expected(info.child, least),
        .@"enum" => |info| if (@hasDecl(T, "in_words")) T.in_words else oneOf(info.field_names),
        .pointer => |info| if (info.child == u8) "a text" else "a list, each item " ++ expected(info.child, least),
        else => "another value",
    };
}

fn oneOf(names: []const [:0]const u8) []const u8 {
    var list: []const u8 = "`" ++ names[0] ++ "`";
    for (names[1..], 2..) |name, i| list = list ++ (if (i == names.len) " or `" else ", `") ++ name ++ "`";
    return list;
}

test "settings replace defaults, and a wrong one is refused by its name" {
    const Patience = struct {
        retries: u32 = 3,
        minutes: f64 = 1,
        offset: i32 = 0,
        most: ?u32 = null,

        pub const settings = .{ .offset = .{ .at_least = -2 }, .most = .{ .at_least = 1 } };
    };
    var memory: std.heap.ArenaAllocator = .init(std.testing.allocator);
    defer memory.deinit();
    const arena = memory.allocator();
    const patience = (try fromJson(Patience, arena, "{\"minutes\": 0.5}")).ok;
    try std.testing.expectEqual(Patience{ .retries = 3, .minutes = 0.5 }, patience);
    for ([_][2][]const u8{
        .{ "{\"retrys\": 5}", "unknown setting `retrys`, expected `retries`, `minutes`, `offset` or `most`" },
        .{ "{\"minutes\": -0.5}", "`minutes`: `-0.5`, expected a number, 0 or more" },
        .{ "{\"offset\": -3}", "`offset`: `-3`, expected a whole number from -2 to 2147483647" },
        .{ "{\"most\": 0}", "`most`: `0`, expected null or a whole number from 1 to 4294967295" },
        .{ "{\"retries\": -1}", "`retries`: `-1`, expected a whole number from 0 to 4294967295" },
        .{ "[]", "the settings are no JSON object" },
        .{ "", "the settings are no JSON object" },
    }) |wrong| {
        try std.testing.expectEqualStrings(wrong[1], (try fromJson(Patience, arena, wrong[0])).refused);
    }
}
