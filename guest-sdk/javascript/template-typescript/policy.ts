// What follows when an attempt at an experiment has ended.
//
// The host calls `decide` once an attempt, each time on a fresh instance: a
// policy remembers nothing, and all it may know arrives as arguments. It does
// no work either: it answers, and the host waits, places and cleans.

import { accept, askedToWait, Backoff, define, failuresOf, giveUp, parameter, retry, retryable } from "reprieve-guest";
import type { Attempt, Decision, Experiment, FailureClass, Progress, Setting, SettingsOf } from "reprieve-guest";

// These pass by themselves, after a while.
const passing: FailureClass[] = ["network", "rate-limited", "driver-transient", "communication", "device-occupied"];
// These may: one more attempt tells.
const once: FailureClass[] = ["hang", "crash", "device-program", "unknown"];

// The settings, which a study gives in `[policy]`. A `check(settings)` of the policy may refuse more of them.
const settings = {
  max_retries: {
    description: "How often a failure that can pass is tried again.",
    type: "integer",
    minimum: 0,
    default: 3,
  },
  delay_seconds: {
    description: "The wait before the first retry; it doubles from one to the next.",
    type: "number",
    minimum: 0,
    default: 30,
  },
  smallest_batch: {
    description: "The batch is not halved below this.",
    type: "integer",
    minimum: 1,
    default: 1,
  },
} satisfies Record<string, Setting>;

type Settings = SettingsOf<typeof settings>;

export const policy = {
  name: "my-policy",
  summary: "Retries what can pass, and halves the batch while device memory is short",
  settings,

  // Judges the newest attempt, the last one. Successes are judged too: a
  // policy may throw away a measurement that it does not trust.
  decide(experiment: Experiment, attempts: Attempt[], _progress: Progress, settings: Settings): Decision {
    const attempt = attempts[attempts.length - 1];
    const { failure } = attempt;
    if (!failure) return accept();
    // The experiment knows its failure best, where it says something of it.
    const verdict = retryable(attempt);
    if (verdict === false) return giveUp(failure.evidence);
    // A smaller batch needs less memory, where the study lets it be changed.
    if (failure.class === "device-memory" && experiment.adjustable.includes("batch")) {
      const half = Math.floor(Number(parameter(experiment, "batch")) / 2);
      if (half >= settings.smallest_batch) {
        return retry(0, "half the batch needs less", { overrides: { batch: half } });
      }
    }
    const again = failuresOf(attempts, failure.class) > 1;
    const canPass = verdict ?? (passing.includes(failure.class) || (once.includes(failure.class) && !again));
    const retries = attempts.length - 1;
    if (!canPass || retries >= settings.max_retries) return giveUp(failure.evidence);
    // A service that asks for time gets it. The seed makes chance the same in
    // every replay.
    const waits = new Backoff({ first: 1000 * settings.delay_seconds, jitter: "equal", seed: experiment.seed });
    return retry(askedToWait(attempt) ?? waits.waitAfter(attempts), `can pass: ${failure.evidence}`);
  },
};

export const { guest, retryPolicy } = define(policy);
