// A policy is plain functions: they are tested without a host, a GPU, or WebAssembly.

import assert from "node:assert/strict";
import { test } from "node:test";

import { accept, configure, giveUp, retry } from "reprieve-guest";
import type { Attempt, Experiment, Failure, Progress } from "reprieve-guest";
import { policy } from "./policy";

const ended = (failure?: Failure, retryable?: boolean): Attempt => ({
  number: 1,
  stage: "measure",
  ending: { tag: "exited", val: failure ? 1 : 0 },
  failure,
  waitedFor: 0,
  ranFor: 60_000,
  stderrTail: "",
  stdoutTail: "",
  selfReport: { retryable, kind: "", message: "" },
  faults: [],
  memory: [],
  foreignProcesses: 0,
  throttledFor: 0,
  facts: [],
});
const experiment = (batch: string): Experiment => ({
  name: "experiment",
  parameters: [{ name: "batch", value: batch }],
  adjustable: ["batch"],
  labels: [],
  devices: 1,
  seed: 7,
});
const progress: Progress = { succeeded: 0, failed: 0, remaining: 1, retries: 0, failedInARow: 0, elapsed: 0 };
const decide = (attempts: Attempt[], batch = "64") =>
  policy.decide(experiment(batch), attempts, progress, configure(policy));

test("a success is accepted", () => {
  assert.deepEqual(decide([ended()]), accept());
});

test("the network gets three more chances", () => {
  const network = ended({ class: "network", evidence: "connection reset" });
  const decision = decide([network]);
  assert.ok(decision.tag === "retry" && decision.val.delay >= 15_000 && decision.val.delay <= 30_000);
  assert.deepEqual(decide([network, network, network, network]), giveUp("connection reset"));
});

test("a service that asks for time gets it", () => {
  const decision = decide([ended({ class: "rate-limited", evidence: "429, retry after 90 seconds" })]);
  assert.ok(decision.tag === "retry" && decision.val.delay === 90_000);
});

test("the batch is halved while that can be done", () => {
  const short = [ended({ class: "device-memory", evidence: "out of memory" })];
  assert.deepEqual(decide(short), retry(0, "half the batch needs less", { overrides: { batch: 32 } }));
  assert.deepEqual(decide(short, "1"), giveUp("out of memory"));
});

test("what may pass is tried once more", () => {
  const hang = ended({ class: "hang", evidence: "silent" });
  assert.equal(decide([hang]).tag, "retry");
  assert.deepEqual(decide([hang, hang]), giveUp("silent"));
});

test("what the experiment says of its failure goes before its class", () => {
  assert.equal(decide([ended({ class: "access", evidence: "it says so" }, true)]).tag, "retry");
  assert.deepEqual(decide([ended({ class: "network", evidence: "it says so" }, false)]), giveUp("it says so"));
});

test("settings that make no sense are refused", () => {
  assert.equal(configure(policy, { max_retries: 5 }).max_retries, 5);
  for (const [given, refusal] of [
    [{ smallest_batch: 0 }, "`smallest_batch`: `0`, expected a whole number, 1 or more"],
    [{ delay_seconds: -1 }, "`delay_seconds`: `-1`, expected a number, 0 or more"],
    [{ max_retries: -1 }, "`max_retries`: `-1`, expected a whole number, 0 or more"],
    [{ max_retries: 1.5 }, "`max_retries`: `1.5`, expected a whole number, 0 or more"],
  ] as const) {
    assert.throws(() => configure(policy, given), { message: refusal });
  }
});
