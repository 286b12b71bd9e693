//! Write a Reprieve policy in Zig: what follows a failed GPU experiment.
//!
//! A policy is a struct whose fields are its settings. It may `decide` what
//! follows an attempt, `plan` the cleanup, or both. It remembers nothing between
//! calls, and does no work: it answers, and the host waits, places and cleans.

const backoff = @import("backoff.zig");
const cleanup = @import("cleanup.zig");
const component = @import("component.zig");
const decision = @import("decision.zig");
const devices = @import("devices.zig");
const panicking = @import("panicking.zig");
const schema = @import("schema.zig");
const settings = @import("settings.zig");
const situation = @import("situation.zig");

pub const Backoff = backoff.Backoff;
pub const Jitter = backoff.Jitter;
pub const Random = backoff.Random;
pub const milliseconds = backoff.milliseconds;

pub const Attempt = situation.Attempt;
pub const Attempts = situation.Attempts;
pub const Ending = situation.Ending;
pub const Experiment = situation.Experiment;
pub const Failure = situation.Failure;
pub const FailureClass = situation.FailureClass;
pub const Parameter = situation.Parameter;
pub const Progress = situation.Progress;
pub const SelfReport = situation.SelfReport;
pub const Stage = situation.Stage;

pub const Decision = decision.Decision;
pub const Placement = decision.Placement;
pub const Retry = decision.Retry;
pub const Turn = decision.Turn;

pub const Action = cleanup.Action;
pub const Step = cleanup.Step;

pub const Status = devices.Status;
pub const deviceCount = devices.count;
pub const readDevice = devices.read;
pub const perform = devices.perform;

pub const fromJson = settings.fromJson;
pub const Settings = settings.Settings;

/// Exports a policy from the component: `comptime { reprieve.exportPolicy(Mine); }`.
/// Outside WebAssembly it does nothing, so that the policy can be unit-tested.
pub const exportPolicy = component.exportPolicy;
pub const Info = component.Info;

/// Tells the text of a panic; a policy's root file names it: `pub const panic = reprieve.panic;`.
pub const panic = panicking.panic;

test {
    _ = .{ @import("abi.zig"), backoff, cleanup, component, decision, devices, @import("retry_after.zig"), schema, settings, situation };
}
