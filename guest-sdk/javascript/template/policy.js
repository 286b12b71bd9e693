// What follows when an attempt at an experiment has ended.
//
// The host calls `decide` once an attempt, each time on a fresh instance: a
// policy remembers nothing, and all it may know arrives as arguments. It does
// no work either: it answers, and the host waits, places and cleans.

import { accept, askedToWait, Backoff, define, giveUp, parameter, retry } from "reprieve-guest";

// These pass by themselves, after a while.
const canPass = ["network", "rate-limited", "driver-transient", "device-occupied"];

export const policy = {
  name: "my-policy",
  summary: "Retries what can pass, and halves the batch while device memory is short",

  // The settings, which a study gives in `[policy]`, with their defaults.
  settings: {
    // How often a failure that can pass is tried again.
    max_retries: 3,
    // The wait before the first retry; it doubles from one to the next.
    delay_seconds: 30,
    // The batch is not halved below this.
    smallest_batch: 1,
  },

  // Refuses settings; the error's text is what their author reads.
  check(settings) {
    for (const [name, value] of Object.entries(settings)) {
      if (typeof value !== "number") throw new Error(`\`${name}\` is \`${value}\`, expected a number`);
    }
    if (settings.smallest_batch < 1) {
      throw new Error(`\`smallest_batch\` is \`${settings.smallest_batch}\`, expected 1 or more`);
    }
  },

  // Judges the newest attempt, the last one. Successes are judged too: a
  // policy may throw away a measurement that it does not trust.
  decide(experiment, attempts, progress, settings) {
    const attempt = attempts.at(-1);
    const { failure } = attempt;
    if (!failure) return accept();
    const retries = attempts.length - 1;
    if (canPass.includes(failure.class) && retries < settings.max_retries) {
      // A service that asks for time gets it. The seed makes chance the same
      // in every replay.
      const waits = new Backoff({ first: 1000 * settings.delay_seconds, jitter: "equal", seed: experiment.seed });
      return retry(askedToWait(attempt) ?? waits.waitAfter(attempts), `can pass: ${failure.evidence}`);
    }
    // A smaller batch needs less memory, where the study lets it be changed.
    if (failure.class === "device-memory" && experiment.adjustable.includes("batch")) {
      const half = Math.floor(Number(parameter(experiment, "batch")) / 2);
      if (half >= settings.smallest_batch) {
        return retry(0, "half the batch needs less", { overrides: { batch: half } });
      }
    }
    return giveUp(failure.evidence);
  },
};

export const { guest, retryPolicy } = define(policy);
