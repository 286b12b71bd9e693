// What a policy is told: the experiment, its attempts, the study so far.

import { asked } from "./retryafter";

/** The names of failures, in the contract's order: those that settings use. */
export const FAILURE_CLASSES: string[] = [
  "network", "rate-limited", "driver-transient", "communication", "device-memory", "device-occupied",
  "host-memory", "device-program", "device-hardware", "hang", "crash", "storage", "access",
  "configuration", "cancelled", "unknown",
];

/** The part of an experiment that an attempt ran. */
export enum Stage { Prepare, Measure, Finish }

/** How an attempt's process ended. */
export enum Ending { Exited, Signalled, TimedOut, FellSilent, NotStarted, Lost }

/** What the host takes the cause of a failure to be, and why. */
export class Failure {
  constructor(
    /** One of `FAILURE_CLASSES`. */
    public cause: string,
    public evidence: string,
  ) {}
}

/** What the experiment said of its failure itself. */
export class SelfReport {
  constructor(
    /** Whether it said that the failure is worth retrying, or not. */
    public said: bool,
    public retryable: bool,
    public kind: string,
    public message: string,
  ) {}
}

/** A fault that the driver recorded: the position of its device, and NVIDIA's number. */
export class DeviceFault {
  constructor(public device: u32, public xid: u64) {}
}

/** A device's memory around an attempt, in bytes. */
export class DeviceMemoryUse {
  constructor(public device: u32, public baseline: u64, public peak: u64, public residual: u64) {}
}

/** One attempt that has ended. */
export class Attempt {
  number: u32 = 1;
  stage: Stage = Stage.Measure;
  ending: Ending = Ending.Exited;
  /** The exit code or the signal, where it ended by one. */
  code: i32 = 0;
  /** Why it could not be started. */
  notStarted: string = "";
  /** Null where the attempt succeeded. */
  failure: Failure | null = null;
  waitedForMs: u64 = 0;
  ranForMs: u64 = 0;
  stderrTail: string = "";
  stdoutTail: string = "";
  selfReport: SelfReport | null = null;
  faults: DeviceFault[] = [];
  memory: DeviceMemoryUse[] = [];
  foreignProcesses: u32 = 0;
  throttledForMs: u64 = 0;
  facts: Map<string, string> = new Map();

  /** A success, for tests. */
  static succeeded(): Attempt {
    return new Attempt();
  }

  /** A failure, for tests. */
  static failed(cause: string, evidence: string): Attempt {
    const attempt = new Attempt();
    attempt.failure = new Failure(cause, evidence);
    return attempt;
  }

  /** How long a remote service asked to be left alone, in milliseconds, or -1. */
  askedToWaitMs(): i64 {
    const report = this.selfReport;
    const failure = this.failure;
    const told = report ? asked(report.message) : -1;
    return told >= 0 || !failure ? told : asked(failure.evidence);
  }
}

/** The experiment that is judged. */
export class Experiment {
  name: string = "";
  parameters: Map<string, string> = new Map();
  /** Names of the parameters that a decision may override. */
  adjustable: string[] = [];
  labels: Map<string, string> = new Map();
  devices: u32 = 1;
  /** Randomness that a replay draws again. */
  seed: u64 = 0;

  /** The value of a parameter as a whole number; 0 where it is none. */
  whole(name: string): i64 {
    const read = this.parameters.has(name) ? parseInt(this.parameters.get(name)) : 0;
    return Math.abs(read) < 9e18 ? i64(read) : 0;
  }
}

/** The study so far. */
export class Progress {
  succeeded: u32 = 0;
  failed: u32 = 0;
  remaining: u32 = 1;
  retries: u32 = 0;
  failedInARow: u32 = 0;
  elapsedMs: u64 = 0;
}

/** How many attempts failed in this way, the last one counted. */
export function failuresOf(attempts: Attempt[], cause: string): i32 {
  let count = 0;
  for (let i = 0; i < attempts.length; i++) {
    const failure = attempts[i].failure;
    if (failure && failure.cause == cause) count++;
  }
  return count;
}
