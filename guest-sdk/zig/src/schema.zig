//! Tells a policy's settings as a JSON Schema, which `reprieve policy inspect`
//! shows, and the host holds settings against. It is made when the policy is compiled.

const std = @import("std");

const settings = @import("settings.zig");

/// The schema of a policy's fields: their types, bounds and defaults; null where there are none.
pub fn of(Policy: type) ?[]const u8 {
    @setEvalBranchQuota(1_000_000);
    const info = @typeInfo(Policy).@"struct";
    const defaults: Policy = .{};
    var properties: []const u8 = "";
    for (info.field_names, info.field_types) |name, Field| {
        const told = settings.said(Policy, name);
        const about = if (@hasField(@TypeOf(told), "about")) told.about else "";
        properties = properties ++ (if (properties.len > 0) "," else "") ++ quoted(name) ++
            ":{\"description\":" ++ quoted(about) ++ "," ++ values(Field, settings.leastOf(Policy, name)) ++
            ",\"default\":" ++ json(@field(defaults, name)) ++ "}";
    }
    if (properties.len == 0) return null;
    return "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{" ++ properties ++ "}}";
}

/// Which values a type has.
fn values(T: type, least: comptime_float) []const u8 {
    return switch (@typeInfo(T)) {
        .bool => "\"type\":\"boolean\"",
        .int => std.fmt.comptimePrint("\"type\":\"integer\",\"minimum\":{d},\"maximum\":{d}", .{
            least, std.math.maxInt(T),
        }),
        .float => std.fmt.comptimePrint("\"type\":\"number\",\"minimum\":{d}", .{least}),
        .optional => |info| "\"anyOf\":[{" ++ values(info.child, least) ++ "},{\"type\":\"null\"}]",
        .@"enum" => "\"enum\":" ++ json(@as([]const T, std.enums.values(T))),
        .pointer => |info| if (info.child == u8)
            "\"type\":\"string\""
        else
            "\"type\":\"array\",\"items\":{" ++ values(info.child, least) ++ "}",
        else => "\"description\":\"\"",
    };
}

/// A value as JSON has it.
fn json(value: anytype) []const u8 {
    const T = @TypeOf(value);
    switch (@typeInfo(T)) {
        .bool => return if (value) "true" else "false",
        .int, .float => return std.fmt.comptimePrint("{d}", .{value}),
        .optional => return if (value) |given| json(given) else "null",
        .@"enum" => return quoted(if (@hasDecl(T, "name")) value.name() else @tagName(value)),
        .pointer => |info| {
            if (info.child == u8) return quoted(value);
            var items: []const u8 = "";
            for (value) |item| items = items ++ (if (items.len > 0) "," else "") ++ json(item);
            return "[" ++ items ++ "]";
        },
        else => return "null",
    }
}

fn quoted(text: []const u8) []const u8 {
    var safe: []const u8 = "";
    for (text) |byte| {
        safe = safe ++ switch (byte) {
            '"', '\\' => &[_]u8{ '\\', byte },
            0...31 => std.fmt.comptimePrint("\\u{x:0>4}", .{byte}),
            else => &[_]u8{byte},
        };
    }
    return "\"" ++ safe ++ "\"";
}

test "the schema tells types, bounds and defaults" {
    const Jitter = @import("backoff.zig").Jitter;
    const Patience = struct {
        retries: u32 = 3,
        minutes: ?f64 = 0.5,
        jitter: []const Jitter = &.{.full},
        greeting: []const u8 = "\n",

        pub const settings = .{ .retries = .{ .about = "How \"often\".", .at_least = 1 } };
    };
    try std.testing.expectEqualStrings(
        "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{" ++
            "\"retries\":{\"description\":\"How \\\"often\\\".\"," ++
            "\"type\":\"integer\",\"minimum\":1,\"maximum\":4294967295,\"default\":3}," ++
            "\"minutes\":{\"description\":\"\",\"anyOf\":[{\"type\":\"number\",\"minimum\":0},{\"type\":\"null\"}],\"default\":0.5}," ++
            "\"jitter\":{\"description\":\"\",\"type\":\"array\"," ++
            "\"items\":{\"enum\":[\"none\",\"full\",\"equal\",\"decorrelated\"]},\"default\":[\"full\"]}," ++
            "\"greeting\":{\"description\":\"\",\"type\":\"string\",\"default\":\"\\u000a\"}}}",
        comptime of(Patience).?,
    );
    try std.testing.expectEqual(null, comptime of(struct {}));
}
