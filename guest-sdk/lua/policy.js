// A policy in Lua, as one in JavaScript.

import { accept, askedToWait, Backoff, define, giveUp, retry, stopStudy } from "reprieve-guest";

import { Machine, Record } from "./lua.js";

/** What `reprieve.lua` asks of JavaScript. */
export const host = {
  wait_ms({ first_ms: first, factor = 2, cap_ms: cap = Infinity, jitter = "none", seed = 0 }, attempts, waitedFor) {
    const waits = new Backoff({ first, factor, cap, jitter, seed });
    if (waitedFor !== undefined) return waits.waitAfter(Array(attempts).fill({ waitedFor }));
    for (let count = 1; count < attempts; count++) waits.next();
    return waits.next().value;
  },
  asked_to_wait_ms: (message, evidence) => askedToWait({ selfReport: { message }, failure: { evidence } }),
};

const EXPORTS = `
local reprieve, policy = require "reprieve", require(...)
local settings = reprieve.configure(policy, {})
return {
  name = policy.name, version = policy.version, summary = policy.summary, schema = reprieve.schema(policy),
  configure = function(given) settings = reprieve.configure(policy, given) end,
  decide = policy.decide and function(experiment, attempts, progress)
    return policy.decide(experiment, attempts, progress, settings)
  end,
  plan = policy.plan and function(experiment, attempt) return policy.plan(experiment, attempt, settings) end,
}`;

/** What a component exports for the policy that this module returns. */
export function component(modules, name) {
  const policy = new Machine(modules, host).run(name, EXPORTS.replace("...", JSON.stringify(name)));
  const { guest, retryPolicy, cleanupPolicy } = define({
    decide: (experiment, attempts, progress) =>
      decision(policy.decide(told(experiment), told(attempts), told(progress))),
    plan: (experiment, attempt) => {
      const steps = policy.plan(told(experiment), attempt && told(attempt));
      if (Array.isArray(steps)) return steps.map(step);
      // A table with nothing in it is no list yet.
      if (typeof steps === "object" && Object.keys(steps).length === 0) return [];
      throw new TypeError(`\`plan\` returned ${shown(steps)}, expected a list of steps`);
    },
  });
  const { version = "0.1.0", summary = "", schema } = policy;
  const settingsSchema = schema ? JSON.stringify(schema) : null;
  guest.describe = () => ({ name: policy.name, version, summary, settingsSchema });
  guest.configure = (settings) => {
    try {
      policy.configure(JSON.parse(settings));
    } catch (error) {
      // A thrown text is the contract's refusal.
      throw error.message;
    }
  };
  const roles = [policy.decide && "retryPolicy", policy.plan && "cleanupPolicy"].filter(Boolean);
  return { guest, retryPolicy, cleanupPolicy, roles };
}

const named = (list) => Object.fromEntries(list.map(({ name, value }) => [name, value]));
const tables = {
  parameters: named,
  labels: named,
  facts: named,
  adjustable: (names) => Object.fromEntries(names.map((name) => [name, true])),
};

/** A record of the contract for Lua: its fields in snake case, and as tables by name what has names. */
function told(value) {
  if (Array.isArray(value)) return value.map(told);
  if (value === null || typeof value !== "object") return value;
  return new Record((name) => {
    const field = value[name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase())];
    return (tables[name] ?? told)(field);
  });
}

/** A value as a message has it, in the words of Lua. */
const shown = (value) => `\`${value === undefined ? "nil" : JSON.stringify(value)}\``;

function decision(answer) {
  const { decision, delay_ms: delay, reason, overrides, placement, turn } = answer ?? {};
  switch (decision) {
    case "accept":
      return accept();
    case "retry":
      return retry(delay, reason, { overrides, placement, turn });
    case "give-up":
      return giveUp(reason);
    case "stop-study":
      return stopStudy(reason);
    default:
      throw new TypeError(`\`decide\` returned ${shown(answer)}, expected a decision`);
  }
}

function step({ action: tag, value, if_it_fails: ifItFails }) {
  const { at_most: atMost, ...goal } = typeof value === "object" ? value : {};
  const val = typeof value === "object" ? (atMost === undefined ? goal : { atMost, ...goal }) : value;
  return { action: val === undefined ? { tag } : { tag, val }, ifItFails };
}
