// A policy is plain functions: they are tested without a host, a GPU, or WebAssembly.

import assert from "node:assert/strict";
import { test } from "node:test";

import { accept, giveUp, retry } from "reprieve-guest";
import { policy } from "./policy.js";

const failed = (cause, evidence) => ({ failure: { class: cause, evidence } });
const experiment = { parameters: [{ name: "batch", value: "64" }], adjustable: ["batch"], seed: 7 };
const decide = (attempts, of = experiment) => policy.decide(of, attempts, {}, policy.settings);

test("a success is accepted", () => {
  assert.deepEqual(decide([{ failure: null }]), accept());
});

test("the network gets three more chances", () => {
  const network = failed("network", "connection reset");
  const { delay } = decide([network]).val;
  assert.ok(delay >= 15_000 && delay <= 30_000, `${delay} ms`);
  assert.deepEqual(decide(Array(4).fill(network)), giveUp("connection reset"));
});

test("a service that asks for time gets it", () => {
  assert.equal(decide([failed("rate-limited", "429, retry after 90 seconds")]).val.delay, 90_000);
});

test("the batch is halved while that can be done", () => {
  const short = [failed("device-memory", "out of memory")];
  assert.deepEqual(decide(short), retry(0, "half the batch needs less", { overrides: { batch: 32 } }));
  const smallest = { ...experiment, parameters: [{ name: "batch", value: "1" }] };
  assert.deepEqual(decide(short, smallest), giveUp("out of memory"));
});

test("settings that make no sense are refused", () => {
  policy.check({ ...policy.settings, max_retries: 5 });
  assert.throws(() => policy.check({ ...policy.settings, smallest_batch: 0 }), /expected 1 or more/);
});
