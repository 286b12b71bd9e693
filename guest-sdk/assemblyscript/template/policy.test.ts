// Each function that is exported is a test. It runs without a host and without a GPU.

import { Attempt, Decision, DecisionKind, Experiment, Progress, SelfReport, Settings } from "reprieve-assemblyscript/assembly";
import { MyPolicy } from "./policy";

function decide(attempts: Attempt[], batch: string = "64"): Decision {
  const experiment = new Experiment();
  experiment.parameters.set("batch", batch);
  experiment.adjustable.push("batch");
  experiment.seed = 7;
  return new MyPolicy().decide(experiment, attempts, new Progress());
}

/** Why these settings are refused; empty where they are not. */
function refusal(json: string): string {
  const settings = new Settings(json);
  new MyPolicy().configure(settings);
  return settings.refusal;
}

export function aSuccessIsAccepted(): void {
  assert(decide([Attempt.succeeded()]).kind == DecisionKind.Accept);
}

export function theNetworkGetsThreeMoreChances(): void {
  const network = Attempt.failed("network", "connection reset");
  const first = decide([network]);
  assert(first.afterMs >= 15_000 && first.afterMs <= 30_000, `${first.afterMs} ms`);
  const last = decide([network, network, network, network]);
  assert(last.kind == DecisionKind.GiveUp && last.reason == "connection reset", last.reason);
}

export function aServiceThatAsksForTimeGetsIt(): void {
  assert(decide([Attempt.failed("rate-limited", "429, retry after 90 seconds")]).afterMs == 90_000);
}

export function theBatchIsHalvedWhileThatCanBeDone(): void {
  const short = [Attempt.failed("device-memory", "out of memory")];
  assert(decide(short).overrides.get("batch") == "32");
  assert(decide(short, "1").kind == DecisionKind.GiveUp);
}

export function whatTheExperimentSaysItselfGoesFirst(): void {
  const refused = Attempt.failed("network", "401 from the mirror");
  refused.selfReport = new SelfReport(true, false, "LicenceError", "");
  assert(decide([refused]).kind == DecisionKind.GiveUp);
  const flaky = Attempt.failed("configuration", "no such file");
  flaky.selfReport = new SelfReport(true, true, "NotYetThere", "");
  assert(decide([flaky]).kind == DecisionKind.Retry);
}

export function settingsThatMakeNoSenseAreRefused(): void {
  assert(refusal('{"max_retries": 5}') == "");
  assert(refusal('{"smallest_batch": 0}') == "`smallest_batch`: `0`, expected 1 or more");
  assert(refusal('{"delay_seconds": -1}') == "`delay_seconds`: `-1`, expected a number, 0 or more");
  assert(refusal('{"max_retries": -1}') == "`max_retries`: `-1`, expected a whole number from 0 to 4294967295");
  assert(refusal('{"max_retry": 1}').includes("unknown setting"));
}
