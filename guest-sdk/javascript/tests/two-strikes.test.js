// A policy is plain functions: they are tested without a host, a GPU, or WebAssembly.

import assert from "node:assert/strict";
import { test } from "node:test";

import { accept, Backoff, configure, giveUp, retry } from "reprieve-guest";
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

test("what is no span of time is refused by its value", () => {
  for (const wrong of [NaN, -1, undefined]) {
    const told = { name: "RangeError", message: `\`${wrong}\` ms is no span of time, expected 0 or more` };
    assert.throws(() => retry(wrong, "soon"), told);
    assert.throws(() => new Backoff({ first: wrong }), told);
  }
});

test("an answer that is none is refused where it is made", () => {
  for (const [make, message] of [
    [() => giveUp(undefined), "`reason` is `undefined`, expected a text"],
    [() => retry(0, "", { turn: "soon" }), '`turn` is `"soon"`, expected one of `when-due`, `last`'],
    [() => retry(0, "", { overrides: { batch: [] } }), "`overrides.batch` is `[]`, expected a text, a number or a boolean"],
    [() => retry(0, "", { overrides: { batch: NaN } }), "`overrides.batch` is `NaN`, expected a text, a number or a boolean"],
  ]) {
    assert.throws(make, { name: "TypeError", message });
  }
});

test("settings are held to their types and bounds", () => {
  const settings = {
    retries: { type: "integer", minimum: 0, maximum: 9, default: 3 },
    most: { type: ["number", "null"], default: null },
    when: { type: "array", items: { enum: ["hang", "crash"] }, default: [] },
  };
  assert.deepEqual(configure({ settings }, { most: 0.5, when: ["hang"] }), { retries: 3, most: 0.5, when: ["hang"] });
  for (const [given, refusal] of [
    [{ retries: -1 }, "`retries`: `-1`, expected a whole number, 0 or more, at most 9"],
    [{ retries: null }, "`retries`: `null`, expected a whole number, 0 or more, at most 9"],
    [{ most: "1" }, "`most`: `\"1\"`, expected a number or null"],
    [{ when: ["hunger"] }, "`when`: `[\"hunger\"]`, expected a list, each one of `hang`, `crash`"],
    [{ toString: 1 }, "unknown setting `toString`, expected one of retries, most, when"],
  ]) {
    assert.throws(() => configure({ settings }, given), { message: refusal });
  }
});
