// A policy is plain functions: they are tested without a host, a GPU, or WebAssembly.

import assert from "node:assert/strict";
import { test } from "node:test";

import { accept, Backoff, giveUp, retry } from "reprieve-guest";
import { policy } from "../examples/two-strikes.js";

const failed = (cause, evidence) => ({ failure: { class: cause, evidence } });
const experiment = { parameters: [{ name: "batch", value: "8" }], adjustable: ["batch"], seed: 7 };

test("the third network failure is the last", () => {
  const attempts = Array(3).fill(failed("network", "connection reset"));
  assert.deepEqual(policy.decide(experiment, attempts), giveUp("connection reset"));
});

test("half the batch needs less", () => {
  const decision = policy.decide(experiment, [failed("device-memory", "out of memory")]);
  assert.deepEqual(decision, retry(0, "half the batch needs less", { overrides: { batch: 4 } }));
});

test("a success is accepted", () => {
  assert.deepEqual(policy.decide(experiment, [{ failure: null }]), accept());
});

test("waits grow up to their cap", () => {
  const waits = new Backoff({ first: 1000, cap: 5000 });
  assert.deepEqual(Array.from({ length: 4 }, () => waits.next().value), [1000, 2000, 4000, 5000]);
});
