// A policy is plain functions: they are tested without a host, a GPU, or WebAssembly.

import assert from "node:assert/strict";
import { test } from "node:test";

import { accept, configure, giveUp, retry } from "reprieve-guest";
import { policy } from "./policy.js";

const failed = (cause, evidence, retryable) => ({
  failure: { class: cause, evidence },
  selfReport: { retryable, kind: "", message: "" },
});
const experiment = { parameters: [{ name: "batch", value: "64" }], adjustable: ["batch"], seed: 7 };
const decide = (attempts, of = experiment) => policy.decide(of, attempts, {}, configure(policy));

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

test("what may pass is tried once more", () => {
  const hang = failed("hang", "silent");
  assert.equal(decide([hang]).tag, "retry");
  assert.deepEqual(decide([hang, hang]), giveUp("silent"));
});

test("what the experiment says of its failure goes before its class", () => {
  assert.equal(decide([failed("access", "it says so", true)]).tag, "retry");
  assert.deepEqual(decide([failed("network", "it says so", false)]), giveUp("it says so"));
});

test("settings that make no sense are refused", () => {
  assert.equal(configure(policy, { max_retries: 5 }).max_retries, 5);
  for (const [given, refusal] of [
    [{ smallest_batch: 0 }, "`smallest_batch`: `0`, expected a whole number, 1 or more"],
    [{ delay_seconds: -1 }, "`delay_seconds`: `-1`, expected a number, 0 or more"],
    [{ max_retries: -1 }, "`max_retries`: `-1`, expected a whole number, 0 or more"],
    [{ max_retries: 1.5 }, "`max_retries`: `1.5`, expected a whole number, 0 or more"],
  ]) {
    assert.throws(() => configure(policy, given), { message: refusal });
  }
});
