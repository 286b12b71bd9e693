//! Has a panic tell its text: the host keeps what a policy last wrote to standard error.

const std = @import("std");

const abi = @import("abi.zig");

/// What a policy's root file names: `pub const panic = reprieve.panic;`.
pub const panic = if (abi.in_component) std.debug.FullPanic(told) else std.debug.FullPanic(std.debug.defaultPanic);

fn told(text: []const u8, _: ?usize) noreturn {
    tell(&.{ "panic: ", text });
    @trap();
}

/// Writes a line to standard error, where there is one.
pub fn tell(texts: []const []const u8) void {
    if (!abi.in_component) return;
    for (texts) |text| write(text);
    write("\n");
}

const Text = extern struct { start: [*]const u8, size: usize };

extern "wasi_snapshot_preview1" fn fd_write(descriptor: u32, texts: *const Text, count: usize, written: *usize) u16;

fn write(text: []const u8) void {
    var written: usize = 0;
    // What cannot be told does not have to be.
    _ = fd_write(2, &.{ .start = text.ptr, .size = text.len }, 1, &written);
}
