//! How long a remote service asked to be left alone: the texts in which the
//! header Retry-After (RFC 9110, section 10.2.3) and its paraphrases end up.
//!
//! Dates are passed over: a policy has no clock to compare them with.

const std = @import("std");

/// A space stands for any of ` `, `-` and `_`.
const leads = [_][]const u8{ "retry after", "try again in", "try again after", "retry in" };

/// A number alone is seconds. Any other word after it means that it is no span of time.
const units_ms: std.StaticStringMap(u64) = .initComptime(.{
    .{ "ms", 1 },            .{ "millisecond", 1 },  .{ "milliseconds", 1 },
    .{ "", 1000 },           .{ "s", 1000 },         .{ "sec", 1000 },
    .{ "secs", 1000 },       .{ "second", 1000 },    .{ "seconds", 1000 },
    .{ "m", 60_000 },        .{ "min", 60_000 },     .{ "mins", 60_000 },
    .{ "minute", 60_000 },   .{ "minutes", 60_000 }, .{ "h", 3_600_000 },
    .{ "hr", 3_600_000 },    .{ "hrs", 3_600_000 },  .{ "hour", 3_600_000 },
    .{ "hours", 3_600_000 },
});

/// The span of time that the text asks for, in milliseconds.
pub fn find(text: []const u8) ?u64 {
    for (0..text.len) |start| {
        for (leads) |lead| {
            const rest = afterLead(text[start..], lead) orelse continue;
            if (spanMs(rest)) |asked| return asked;
        }
    }
    return null;
}

fn afterLead(text: []const u8, lead: []const u8) ?[]const u8 {
    if (text.len < lead.len) return null;
    for (text[0..lead.len], lead) |have, want| {
        const same = if (want == ' ') std.mem.findScalar(u8, " -_", have) != null else std.ascii.toLower(have) == want;
        if (!same) return null;
    }
    return text[lead.len..];
}

/// Reads `30`, `: 30`, `2.5 seconds`, `1m30s` at the start of the text.
fn spanMs(text: []const u8) ?u64 {
    var rest = std.mem.trimStart(u8, text, " :=\"'");
    var total: ?u64 = null;
    while (rest.len > 0 and std.ascii.isDigit(rest[0])) {
        const number = take(&rest, isNumeric);
        rest = std.mem.trimStart(u8, rest, " ");
        var lower: [12]u8 = undefined;
        const word = take(&rest, std.ascii.isAlphabetic);
        if (word.len > lower.len) return null;
        const unit = units_ms.get(std.ascii.lowerString(&lower, word)) orelse return null;
        total = (total orelse 0) +| (thousandths(number) *| unit) / 1000;
    }
    return total;
}

fn take(from: *[]const u8, within: fn (u8) bool) []const u8 {
    var size: usize = 0;
    while (size < from.len and within(from.*[size])) size += 1;
    defer from.* = from.*[size..];
    return from.*[0..size];
}

fn isNumeric(byte: u8) bool {
    return std.ascii.isDigit(byte) or byte == '.';
}

/// Reads `12.34` as 12340; what a fraction has beyond three digits is cut.
fn thousandths(number: []const u8) u64 {
    var parts = std.mem.splitScalar(u8, number, '.');
    var read: u64 = 0;
    for (parts.first()) |digit| read = read *| 10 +| (digit - '0');
    const fraction = parts.next() orelse "";
    for (0..3) |place| read = read *| 10 +| (if (place < fraction.len) fraction[place] - '0' else 0);
    return read;
}

test "the texts that services write are understood" {
    const expected = [_]struct { []const u8, ?u64 }{
        .{ "429 Too Many Requests, retry after 30 seconds", 30_000 },
        .{ "Retry-After: 120", 120_000 },
        .{ "{\"retry_after\": 1.5}", 1_500 },
        .{ "Rate limit reached. Please try again in 20s.", 20_000 },
        .{ "Please try again in 1m30s", 90_000 },
        .{ "Please try again in 250ms.", 250 },
        .{ "please try again after 2 minutes", 120_000 },
        .{ "Retry in 1 hour", 3_600_000 },
        .{ "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT", null },
        .{ "will not retry after 3 attempts", null },
        .{ "retry after 1.23456789 s", 1_234 },
        .{ "retry after", null },
        .{ "", null },
    };
    for (expected) |one| try std.testing.expectEqual(one[1], find(one[0]));
}
