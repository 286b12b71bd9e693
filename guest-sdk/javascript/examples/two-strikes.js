import { accept, Backoff, define, failuresOf, giveUp, parameter, retry } from "reprieve-guest";

export const policy = {
  name: "two-strikes",
  summary: "Retries a network failure twice, and halves the batch while device memory is short",

  decide(experiment, attempts) {
    const { failure } = attempts.at(-1);
    if (!failure) return accept();
    const batch = Number(parameter(experiment, "batch"));
    if (failure.class === "network" && failuresOf(attempts, "network") <= 2) {
      const waits = new Backoff({ first: 1000, jitter: "full", seed: experiment.seed });
      return retry(waits.waitAfter(attempts), `can pass: ${failure.evidence}`);
    }
    if (failure.class === "device-memory" && batch >= 2 && experiment.adjustable.includes("batch")) {
      return retry(0, "half the batch needs less", { overrides: { batch: Math.floor(batch / 2) } });
    }
    return giveUp(failure.evidence);
  },
};

export const { guest, retryPolicy } = define(policy);
