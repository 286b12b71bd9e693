// The leased devices: how they are, and what cleaning them brings. For plans
// that depend on it; `perform` is for policies that plan.

import { Step } from "./cleanup";
import { allocate, putText, textAt } from "./memory";

// @ts-ignore: decorator
@external("reprieve:policy/nvml-status@0.1.0", "device-count")
declare function deviceCount(): u32;
// @ts-ignore: decorator
@external("reprieve:policy/nvml-status@0.1.0", "read")
declare function readInto(device: u32, answer: usize): void;
// @ts-ignore: decorator
@external("reprieve:policy/gpu-cleanup@0.1.0", "perform")
declare function performInto(kind: u32, first: u64, second: u64, answer: usize): void;

/** What the driver recommends. */
export enum Recovery { None, ResetDevice, RestartMachine, Inspect }

/** A reading of one device, or why there is none. -1 is what the device does not offer. */
export class Status {
  /** Why there is no reading: `unavailable`, `no-such-device` and so on. Empty where there is one. */
  error: string = "";
  uuid: string = "";
  name: string = "";
  memoryTotal: u64 = 0;
  memoryUsed: u64 = 0;
  memoryBaseline: u64 = 0;
  temperatureCelsius: i64 = -1;
  powerMilliwatts: i64 = -1;
  utilizationPercent: i64 = -1;
  /** Whether heat or a power brake holds the clocks down: 0, 1 or -1. */
  throttled: i32 = -1;
  uncorrectedErrors: i64 = -1;
  /** A `Recovery`, or -1. */
  recovery: i32 = -1;
  processes: u32 = 0;
}

/** How an action went. */
export enum Outcome { Done, Skipped, Failed, Refused }

/** What an action brought. */
export class Report {
  outcome: Outcome = Outcome.Done;
  /** Why it was skipped, failed or was refused. */
  why: string = "";
  tookMs: u64 = 0;
  releasedBytes: u64 = 0;
}

/** How many devices the experiment holds. */
export function devices(): u32 {
  return deviceCount();
}

const ERRORS: string[] = ["unavailable", "no-such-device", "not-supported", "device-lost", "transient", "other"];

/** Reads one device, by its position among the leased devices. */
export function readDevice(device: u32): Status {
  const answer = allocate(104);
  readInto(device, answer);
  const at = answer + 8;
  const status = new Status();
  if (load<u8>(answer)) {
    const error = load<u8>(at);
    const text = error == 0 || error > 3 ? textAt(at + 4) : "";
    status.error = text == "" ? ERRORS[error] : `${ERRORS[error]}: ${text}`;
    return status;
  }
  status.uuid = textAt(at);
  status.name = textAt(at + 8);
  status.memoryTotal = load<u64>(at, 16);
  status.memoryUsed = load<u64>(at, 24);
  status.memoryBaseline = load<u64>(at, 32);
  if (load<u8>(at, 40)) status.temperatureCelsius = load<u32>(at, 44);
  if (load<u8>(at, 48)) status.powerMilliwatts = load<u32>(at, 52);
  if (load<u8>(at, 56)) status.utilizationPercent = load<u32>(at, 60);
  if (load<u8>(at, 64)) status.throttled = load<u8>(at, 65);
  if (load<u8>(at, 72)) status.uncorrectedErrors = load<i64>(at, 80);
  if (load<u8>(at, 88)) status.recovery = load<u8>(at, 89);
  status.processes = load<u32>(at, 92);
  return status;
}

/** Runs a step's action now. */
export function perform(step: Step): Report {
  const answer = allocate(40);
  let first = step.first, second = step.second;
  if (step.kind == 10) {
    const text = allocate(8);
    putText(text, step.text);
    first = load<u32>(text);
    second = load<u32>(text, 4);
  }
  performInto(step.kind, first, second, answer);
  const report = new Report();
  if (load<u8>(answer)) {
    report.outcome = Outcome.Refused;
    report.why = textAt(answer + 8);
    return report;
  }
  report.outcome = load<u8>(answer, 8);
  if (report.outcome != Outcome.Done) report.why = textAt(answer + 12);
  report.tookMs = load<u64>(answer, 24);
  report.releasedBytes = load<u64>(answer, 32);
  return report;
}
