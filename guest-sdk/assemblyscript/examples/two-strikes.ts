import { Attempt, Backoff, Decision, Experiment, failuresOf, Jitter, policy, Policy, Progress } from "reprieve-assemblyscript/assembly";

export * from "reprieve-assemblyscript/assembly/retry-only";

/** Retries a network failure twice, and halves the batch while device memory is short. */
export class TwoStrikes extends Policy {
  name: string = "two-strikes";
  summary: string = "Retries a network failure twice, and halves the batch while device memory is short";

  decide(experiment: Experiment, attempts: Attempt[], progress: Progress): Decision {
    const failure = attempts[attempts.length - 1].failure;
    if (!failure) return Decision.accept();
    if (failure.cause == "network" && failuresOf(attempts, "network") <= 2) {
      const waits = new Backoff(1.0, 2.0).jittered(Jitter.Full, experiment.seed);
      return Decision.retry(waits.waitAfterMs(attempts), "can pass: " + failure.evidence);
    }
    const batch = experiment.whole("batch");
    if (failure.cause == "device-memory" && batch >= 2 && experiment.adjustable.includes("batch")) {
      return Decision.retry(0, "half the batch needs less").with("batch", (batch / 2).toString());
    }
    return Decision.giveUp(failure.evidence);
  }
}

policy(new TwoStrikes());
