// The standard policy's behaviour, in JavaScript: it must decide as the built-in one does.

import { accept, askedToWait, Backoff, define, failuresOf, giveUp, retry, retryable, steps, stopStudy } from "reprieve-guest";

const classes = [
  ...["network", "rate-limited", "driver-transient", "communication", "device-memory", "device-occupied"],
  ...["host-memory", "device-program", "device-hardware", "hang", "crash", "storage", "access", "configuration"],
  ...["cancelled", "unknown"],
];
const passing = ["network", "rate-limited", "driver-transient", "communication", "device-occupied"];
const number = (value) => ({ type: "number", minimum: 0, default: value });
const integer = (value) => ({ type: "integer", minimum: 0, default: value });
const optional = (minimum) => ({ type: ["integer", "null"], minimum, default: null });
const list = (value) => ({ type: "array", items: { enum: classes }, default: value });

const settings = {
  max_retries: integer(3),
  delay_seconds: number(1),
  backoff_factor: number(2),
  max_delay_seconds: number(3600),
  jitter: { enum: ["none", "full", "equal", "decorrelated"], default: "none" },
  retry: list(passing),
  retry_once: list(["hang", "crash", "device-program", "unknown"]),
  retries_in_study: optional(0),
  stop_after_failures_in_a_row: optional(1),
  leftovers_grace_seconds: number(10),
  remove_shared_memory: { type: "boolean", default: true },
  memory_tolerance_mib: integer(64),
  memory_timeout_seconds: number(120),
  cool_down_to_celsius: optional(0),
  cool_down_timeout_seconds: number(600),
};

const tell = (what, evidence) => (evidence ? `${what}: ${evidence}` : what);
const count = (attempts) => (attempts.length === 1 ? "1 attempt" : `${attempts.length} attempts`);

/** Whether the failure can pass, why, and whether it is retried only once. */
function canPass(attempts, { class: cause, evidence }, set) {
  const can = retryable(attempts.at(-1));
  if (can !== undefined) {
    const verdict = can ? "worth retrying" : "final";
    const { message, kind } = attempts.at(-1).selfReport;
    const said = message || kind || evidence;
    return [can, tell(`the experiment called its ${cause} failure ${verdict}`, said), false];
  }
  if (set.retry.includes(cause)) return [true, tell(`${cause} failure can pass`, evidence), false];
  if (!set.retry_once.includes(cause)) return [false, tell(`${cause} failures do not pass by themselves`, evidence), false];
  if (failuresOf(attempts, cause) === 1) return [true, tell(`${cause} failures are retried once`, evidence), true];
  return [false, tell(`gave up after ${count(attempts)}: ${cause} failure again`, evidence), false];
}

function worthRetrying(attempts, failure, progress, set) {
  const [worth, why, once] = canPass(attempts, failure, set);
  if (!worth) return [false, why];
  const failed = `${failure.class} failure`;
  if (attempts.length > set.max_retries) return [false, tell(`gave up after ${count(attempts)}: ${failed}`, failure.evidence)];
  const most = set.retries_in_study;
  if (most !== null && progress.retries >= most) {
    return [false, tell(`the study's ${most} retries are used up: ${failed}`, failure.evidence)];
  }
  return [true, once ? why : `${why}; retry ${attempts.length} of ${set.max_retries}`];
}

function decide(experiment, attempts, progress, set) {
  const attempt = attempts.at(-1);
  const { failure } = attempt;
  if (!failure) return accept();
  const [worth, why] = worthRetrying(attempts, failure, progress, set);
  if (worth) {
    const cap = set.max_delay_seconds * 1000;
    const first = set.delay_seconds * 1000;
    const { backoff_factor: factor, jitter } = set;
    const wait = new Backoff({ first, factor, cap, jitter, seed: experiment.seed }).waitAfter(attempts);
    const asked = failure.class === "rate-limited" ? askedToWait(attempt) : undefined;
    return retry(asked === undefined ? wait : Math.min(cap, Math.max(wait, asked)), why);
  }
  const inARow = progress.failedInARow + 1;
  const most = set.stop_after_failures_in_a_row;
  if (most !== null && inARow >= most && attempt.stage !== "finish") {
    return stopStudy(`experiments that failed in a row: ${inARow}; the last: ${why}`);
  }
  return giveUp(why);
}

function plan(experiment, attempt, set) {
  if (!attempt) return [];
  const all = [steps.endLeftovers(set.leftovers_grace_seconds * 1000)];
  if (set.remove_shared_memory) all.push(steps.removeSharedMemory());
  all.push(steps.releaseCachedMemory());
  const tolerance = set.memory_tolerance_mib * 2 ** 20;
  all.push(steps.orQuarantine(steps.awaitMemory(tolerance, set.memory_timeout_seconds * 1000)));
  if (set.cool_down_to_celsius !== null) {
    all.push(steps.awaitTemperature(set.cool_down_to_celsius, set.cool_down_timeout_seconds * 1000));
  }
  return all;
}

const summary = "Retries failures that can pass, with growing waits; gives up on the rest";
export const { guest, retryPolicy, cleanupPolicy } = define({ name: "standard", summary, settings, decide, plan });
