// What follows when an attempt at an experiment has ended.
//
// The host calls `decide` once an attempt, each time on a fresh instance: a
// policy remembers nothing, and all it may know arrives as arguments. It does
// no work either: it answers, and the host waits, places and cleans.

import {
  Attempt, Backoff, Decision, Experiment, failuresOf, Jitter, policy, Policy, Progress, Settings,
} from "reprieve-assemblyscript/assembly";

export * from "reprieve-assemblyscript/assembly/retry-only";

/** These pass by themselves, after a while. */
const PASSING: string[] = ["network", "rate-limited", "driver-transient", "communication", "device-occupied"];
/** These may: one more attempt tells. */
const ONCE: string[] = ["hang", "crash", "device-program", "unknown"];

export class MyPolicy extends Policy {
  name: string = "my-policy";
  summary: string = "Retries what can pass, and halves the batch while device memory is short";

  // The settings' defaults.
  maxRetries: u32 = 3;
  delaySeconds: f64 = 30;
  smallestBatch: u32 = 1;

  /** Reads the settings, which a study gives in `[policy]`. What is asked for here is all that there is. */
  configure(settings: Settings): void {
    this.maxRetries = settings.whole("max_retries", this.maxRetries, "How often a failure that can pass is tried again.");
    this.delaySeconds = settings.number(
      "delay_seconds", this.delaySeconds, "The wait before the first retry; it doubles from one to the next.",
    );
    this.smallestBatch = settings.whole("smallest_batch", this.smallestBatch, "The batch is not halved below this.");
    if (this.smallestBatch == 0) settings.refuse("`smallest_batch`: `0`, expected 1 or more");
  }

  /** Judges the newest attempt. Successes are judged too: a policy may throw away a measurement that it does not trust. */
  decide(experiment: Experiment, attempts: Attempt[], progress: Progress): Decision {
    const attempt = attempts[attempts.length - 1];
    const failure = attempt.failure;
    if (!failure) return Decision.accept();
    // The experiment knows its failure best, where it says something of it.
    const report = attempt.selfReport;
    let canPass = PASSING.includes(failure.cause) || (ONCE.includes(failure.cause) && failuresOf(attempts, failure.cause) == 1);
    if (report && report.said) {
      if (!report.retryable) return Decision.giveUp(failure.evidence);
      canPass = true;
    }
    // A smaller batch needs less memory, where the study lets it be changed.
    const half = experiment.whole("batch") / 2;
    const halves = failure.cause == "device-memory" && experiment.adjustable.includes("batch");
    if (halves && half >= i64(this.smallestBatch)) {
      return Decision.retry(0, "half the batch needs less").with("batch", half.toString());
    }
    if (!canPass || u32(attempts.length) > this.maxRetries) return Decision.giveUp(failure.evidence);
    // A service that asks for time gets it. The seed makes chance the same in
    // every replay.
    const asked = attempt.askedToWaitMs();
    const waits = new Backoff(this.delaySeconds).jittered(Jitter.Equal, experiment.seed);
    return Decision.retry(asked < 0 ? waits.waitAfterMs(attempts) : asked, "can pass: " + failure.evidence);
  }
}

policy(new MyPolicy());
