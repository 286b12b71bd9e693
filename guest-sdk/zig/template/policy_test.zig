//! A policy is a plain struct: it is tested without a host, a GPU, or WebAssembly.

const std = @import("std");

const reprieve = @import("reprieve");
const MyPolicy = @import("policy.zig").MyPolicy;
const expect = std.testing.expect;
const expectEqualStrings = std.testing.expectEqualStrings;

fn decide(arena: *std.heap.ArenaAllocator, batch: []const u8, attempts: []const reprieve.Attempt) !reprieve.Decision {
    const experiment: reprieve.Experiment = .{
        .parameters = &.{.{ .name = "batch", .value = batch }},
        .adjustable = &.{"batch"},
        .seed = 7,
    };
    return (MyPolicy{}).decide(arena.allocator(), experiment, .{ .all = attempts }, .{});
}

test "a success is accepted" {
    var arena: std.heap.ArenaAllocator = .init(std.testing.allocator);
    defer arena.deinit();
    try expect(try decide(&arena, "64", &.{.{}}) == .accept);
}

test "the network gets three more chances" {
    var arena: std.heap.ArenaAllocator = .init(std.testing.allocator);
    defer arena.deinit();
    const network: reprieve.Attempt = .failed(.network, "connection reset");
    const first = try decide(&arena, "64", &.{network});
    try expect(first.retry.delay_ms >= 15_000 and first.retry.delay_ms <= 30_000);
    const fourth = try decide(&arena, "64", &.{ network, network, network, network });
    try expectEqualStrings("connection reset", fourth.give_up);
}

test "a service that asks for time gets it" {
    var arena: std.heap.ArenaAllocator = .init(std.testing.allocator);
    defer arena.deinit();
    const asked = try decide(&arena, "64", &.{.failed(.rate_limited, "429, retry after 90 seconds")});
    try expect(asked.retry.delay_ms == 90_000);
}

test "the batch is halved while that can be done" {
    var arena: std.heap.ArenaAllocator = .init(std.testing.allocator);
    defer arena.deinit();
    const short: reprieve.Attempt = .failed(.device_memory, "out of memory");
    const half = try decide(&arena, "64", &.{short});
    try expectEqualStrings("32", half.retry.overrides[0].value);
    try expectEqualStrings("out of memory", (try decide(&arena, "1", &.{short})).give_up);
}

test "what may pass is tried once more" {
    var arena: std.heap.ArenaAllocator = .init(std.testing.allocator);
    defer arena.deinit();
    const hang: reprieve.Attempt = .failed(.hang, "silent");
    try expect(try decide(&arena, "64", &.{hang}) == .retry);
    try expectEqualStrings("silent", (try decide(&arena, "64", &.{ hang, hang })).give_up);
}

test "what the experiment says of its failure goes before its class" {
    var arena: std.heap.ArenaAllocator = .init(std.testing.allocator);
    defer arena.deinit();
    var passing: reprieve.Attempt = .failed(.access, "it says so");
    passing.self_report = .{ .retryable = true };
    try expect(try decide(&arena, "64", &.{passing}) == .retry);
    var final: reprieve.Attempt = .failed(.network, "it says so");
    final.self_report = .{ .retryable = false };
    try expectEqualStrings("it says so", (try decide(&arena, "64", &.{final})).give_up);
}

test "settings that make no sense are refused" {
    var arena: std.heap.ArenaAllocator = .init(std.testing.allocator);
    defer arena.deinit();
    for ([_][2][]const u8{
        .{ "{ \"smallest_batch\": 0 }", "`smallest_batch`: `0`, expected a whole number from 1 to 4294967295" },
        .{ "{ \"delay_seconds\": -1 }", "`delay_seconds`: `-1`, expected a number, 0 or more" },
        .{ "{ \"max_retries\": -1 }", "`max_retries`: `-1`, expected a whole number from 0 to 4294967295" },
        .{ "{ \"max_retries\": 1.5 }", "`max_retries`: `1.5`, expected a whole number from 0 to 4294967295" },
    }) |wrong| {
        const read = try reprieve.fromJson(MyPolicy, arena.allocator(), wrong[0]);
        try expectEqualStrings(wrong[1], read.refused);
    }
}
