// The types of `index.js`, for TypeScript and editors. What is of the contract is
// described in `wit/`; spans of time are milliseconds, and 64-bit numbers that
// may be large arrive as `bigint`.

export type Stage = "prepare" | "measure" | "finish";

export type FailureClass =
  | "network"
  | "rate-limited"
  | "driver-transient"
  | "communication"
  | "device-memory"
  | "device-occupied"
  | "host-memory"
  | "device-program"
  | "device-hardware"
  | "hang"
  | "crash"
  | "storage"
  | "access"
  | "configuration"
  | "cancelled"
  | "unknown";

export type Ending =
  | { tag: "exited"; val: number }
  | { tag: "signalled"; val: number }
  | { tag: "timed-out" }
  | { tag: "fell-silent" }
  | { tag: "not-started"; val: string }
  | { tag: "lost" };

export interface Parameter {
  name: string;
  value: string;
}

export interface Failure {
  class: FailureClass;
  evidence: string;
}

export interface SelfReport {
  retryable?: boolean | null;
  kind: string;
  message: string;
}

/** One attempt that has ended. */
export interface Attempt {
  number: number;
  stage: Stage;
  ending: Ending;
  /** None where the attempt succeeded. */
  failure?: Failure | null;
  waitedFor: number;
  ranFor: number;
  stderrTail: string;
  stdoutTail: string;
  selfReport?: SelfReport | null;
  faults: { device: number; xid: number | bigint }[];
  memory: { device: number; baseline: number; peak: number; residual: number }[];
  foreignProcesses: number;
  throttledFor: number;
  facts: Parameter[];
}

export interface Experiment {
  name: string;
  parameters: Parameter[];
  /** Names of the parameters that a decision may override. */
  adjustable: string[];
  labels: Parameter[];
  devices: number;
  /** Randomness that a replay draws again. */
  seed: number | bigint;
}

export interface Progress {
  succeeded: number;
  failed: number;
  remaining: number;
  retries: number;
  failedInARow: number;
  elapsed: number;
}

export type Placement = "same-devices" | "other-devices" | "any-devices";
export type Turn = "when-due" | "last";

export interface Retry {
  delay: number;
  placement: Placement;
  turn: Turn;
  overrides: Parameter[];
  reason: string;
}

export type Decision =
  | { tag: "accept" }
  | { tag: "retry"; val: Retry }
  | { tag: "give-up"; val: string }
  | { tag: "stop-study"; val: string };

export function accept(): Decision;
export function retry(
  delay: number,
  reason: string,
  others?: { overrides?: Record<string, string | number | boolean>; placement?: Placement; turn?: Turn },
): Decision;
export function giveUp(reason: string): Decision;
export function stopStudy(reason: string): Decision;

/** One action of a plan, made by `steps`. */
export interface Step {
  action: { tag: string; val?: unknown };
  ifItFails: "carry-on" | "quarantine-device" | "stop-study";
}

export const steps: {
  endLeftovers(graceMs: number): Step;
  removeSharedMemory(): Step;
  synchronize(): Step;
  releaseCachedMemory(): Step;
  resetContexts(): Step;
  awaitMemory(tolerance: number, timeoutMs: number): Step;
  awaitTemperature(atMost: number, timeoutMs: number): Step;
  awaitIdle(atMost: number, timeoutMs: number): Step;
  probe(allocate: number, timeoutMs: number): Step;
  pause(ms: number): Step;
  runHook(name: string): Step;
  orQuarantine(one: Step): Step;
  orStop(one: Step): Step;
};

export class Random {
  constructor(seed: number | bigint);
  nextU64(): bigint;
  upTo(most: number): number;
}

export type Jitter = "none" | "full" | "equal" | "decorrelated";

export class Backoff implements IterableIterator<number> {
  constructor(options: { first: number; factor?: number; cap?: number; jitter?: Jitter; seed?: number | bigint });
  next(): { value: number; done: false };
  [Symbol.iterator](): this;
  waitAfter(attempts: readonly Attempt[]): number;
}

export function failuresOf(attempts: readonly Attempt[], cause: FailureClass): number;
export function parameter(experiment: Experiment, name: string): string | undefined;
export function askedToWait(attempt: Attempt): number | undefined;
/** Whether the experiment itself called its failure worth retrying; undefined where it did not say. */
export function retryable(attempt: Attempt): boolean | undefined;

type Kind = "integer" | "number" | "string" | "boolean" | "array" | "null";

/** What values there are: a JSON Schema. */
export interface Values {
  type?: Kind | Kind[];
  enum?: readonly unknown[];
  minimum?: number;
  maximum?: number;
  items?: Values;
}

/** A setting: its values, its default, and what it is about in one line. */
export interface Setting extends Values {
  default: unknown;
  description?: string;
}

/** The settings' values. */
export type SettingsOf<Declared> = {
  [Name in keyof Declared]: Declared[Name] extends { default: infer Value } ? Value : never;
};

/** A policy; `Declared` are its settings, all of which have defaults. */
export interface Policy<Declared extends Record<string, Setting> = {}> {
  name: string;
  version?: string;
  summary?: string;
  /** The settings by name. */
  settings?: Declared;
  /** Throws an error that refuses settings which are right by their types and bounds. */
  check?(settings: SettingsOf<Declared>): void;
  /** Judges the newest attempt, the last one. Successes are judged too. */
  decide?(experiment: Experiment, attempts: Attempt[], progress: Progress, settings: SettingsOf<Declared>): Decision;
  /** Plans the cleanup: after this attempt, or before one where it is undefined. */
  plan?(experiment: Experiment, attempt: Attempt | undefined, settings: SettingsOf<Declared>): Step[];
}

/** A policy's settings: those that are given, and the others' defaults. Throws an error that refuses them. */
export function configure<Declared extends Record<string, Setting>>(
  policy: Pick<Policy<Declared>, "settings" | "check">,
  given?: Record<string, unknown>,
): SettingsOf<Declared>;

/** What a component exports: `export const { guest, retryPolicy, cleanupPolicy } = define(policy)`. */
export function define<Declared extends Record<string, Setting> = {}>(
  policy: Policy<Declared>,
): { guest: object; retryPolicy: object; cleanupPolicy: object };
