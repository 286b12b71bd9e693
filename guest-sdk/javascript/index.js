// Write a Reprieve policy in JavaScript or TypeScript: what follows a failed GPU experiment.
//
// A policy remembers nothing between calls, and does no work: it answers, and
// the host waits, places and cleans. Spans of time are milliseconds.

// Answers are checked where they are made, so that the author's line is told, and once more where they are given.

/** A value as a message has it. */
function shown(value) {
  try {
    return typeof value === "string" || (typeof value === "object" && value) ? JSON.stringify(value) : String(value);
  } catch {
    return String(value);
  }
}

function wrong(name, value, expected) {
  throw new TypeError(`\`${name}\` is \`${shown(value)}\`, expected ${expected}`);
}

const text = (name, value) => (typeof value === "string" ? value : wrong(name, value, "a text"));

const oneOf = (name, value, choices) =>
  choices.includes(value) ? value : wrong(name, value, `one of ${choices.map((choice) => `\`${choice}\``).join(", ")}`);

/** The value of a parameter, as a text. */
function parameterValue(name, value) {
  const right = ["string", "number", "boolean"].includes(typeof value) && !Number.isNaN(value);
  return right ? String(value) : wrong(name, value, "a text, a number or a boolean");
}

/** Takes the attempt's outcome as the stage's outcome. */
export const accept = () => ({ tag: "accept" });

/** Runs the stage again after so many milliseconds, for this reason. */
export function retry(delay, reason, { overrides = {}, placement = "any-devices", turn = "when-due" } = {}) {
  if (typeof overrides !== "object" || !overrides || Array.isArray(overrides)) {
    wrong("overrides", overrides, "values by the names of parameters");
  }
  const list = Object.entries(overrides).map(([name, value]) => ({
    name,
    value: parameterValue(`overrides.${name}`, value),
  }));
  return decided({ tag: "retry", val: { delay: whole(delay), placement, turn, overrides: list, reason } });
}

/** The experiment has failed, for this reason. The study goes on. */
export const giveUp = (reason) => decided({ tag: "give-up", val: reason });

/** Starts no further experiment, for this reason. */
export const stopStudy = (reason) => decided({ tag: "stop-study", val: reason });

/** A decision that is one, or an error that says what of it is wrong. */
function decided(decision) {
  const { tag, val } = decision ?? {};
  if (tag === "give-up" || tag === "stop-study") {
    text("reason", val);
  } else if (tag === "retry" && val) {
    whole(val.delay);
    text("reason", val.reason);
    oneOf("placement", val.placement, ["same-devices", "other-devices", "any-devices"]);
    oneOf("turn", val.turn, ["when-due", "last"]);
    if (!Array.isArray(val.overrides)) wrong("overrides", val.overrides, "a list of names and values");
    for (const one of val.overrides) text(`overrides.${text("overrides.name", one?.name)}`, one.value);
  } else if (tag !== "accept") {
    throw new TypeError(`\`decide\` returned \`${shown(decision)}\`, expected a decision`);
  }
  return decision;
}

/** The steps of a cleanup. `orQuarantine(step)`: without it the device is not fit for the next experiment. */
export const steps = {
  endLeftovers: (graceMs) => step({ tag: "end-leftovers", val: whole(graceMs) }),
  removeSharedMemory: () => step({ tag: "remove-shared-memory" }),
  synchronize: () => step({ tag: "synchronize" }),
  releaseCachedMemory: () => step({ tag: "release-cached-memory" }),
  resetContexts: () => step({ tag: "reset-contexts" }),
  awaitMemory: (tolerance, timeoutMs) => step({ tag: "await-memory", val: { tolerance, timeout: whole(timeoutMs) } }),
  awaitTemperature: (atMost, timeoutMs) => step({ tag: "await-temperature", val: { atMost, timeout: whole(timeoutMs) } }),
  awaitIdle: (atMost, timeoutMs) => step({ tag: "await-idle", val: { atMost, timeout: whole(timeoutMs) } }),
  probe: (allocate, timeoutMs) => step({ tag: "probe", val: { allocate, timeout: whole(timeoutMs) } }),
  pause: (ms) => step({ tag: "pause", val: whole(ms) }),
  runHook: (name) => step({ tag: "run-hook", val: name }),
  orQuarantine: (one) => ({ ...one, ifItFails: "quarantine-device" }),
  orStop: (one) => ({ ...one, ifItFails: "stop-study" }),
};

const step = (action) => ({ action, ifItFails: "carry-on" });

/** A plan that is one, or an error that says what of it is wrong. */
function planned(plan) {
  if (!Array.isArray(plan)) throw new TypeError(`\`plan\` returned \`${shown(plan)}\`, expected a list of steps`);
  for (const one of plan) {
    if (typeof one?.action?.tag !== "string") throw new TypeError(`\`plan\` has \`${shown(one)}\` in it, expected a step`);
    oneOf("ifItFails", one.ifItFails, ["carry-on", "quarantine-device", "stop-study"]);
  }
  return plan;
}

function whole(ms) {
  if (!(ms >= 0)) throw new RangeError(`\`${ms}\` ms is no span of time, expected 0 or more`);
  return Math.floor(Math.min(Number(ms), Number.MAX_SAFE_INTEGER));
}

const U64 = (1n << 64n) - 1n;

/**
 * Random numbers that a replay draws again (SplitMix64); not for secrets.
 * Numbers of JavaScript hold 53 bits of the seed, so what is drawn differs
 * from what other languages draw.
 */
export class Random {
  #state;
  constructor(seed) {
    this.#state = BigInt(seed) & U64;
  }
  nextU64() {
    this.#state = (this.#state + 0x9e3779b97f4a7c15n) & U64;
    let mixed = this.#state;
    mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & U64;
    mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & U64;
    return mixed ^ (mixed >> 31n);
  }
  /** Draws a number from 0 up to, and without, `most`. */
  upTo(most) {
    return (Number(this.nextU64() >> 11n) / 2 ** 53) * most;
  }
}

/**
 * An endless sequence of waits in milliseconds; its first item is the wait after the first attempt.
 * `jitter` is none, full, equal or decorrelated; give it the experiment's seed.
 */
export class Backoff {
  #previous;
  #grown;
  constructor({ first, factor = 2, cap = Infinity, jitter = "none", seed = 0 }) {
    if (!["none", "full", "equal", "decorrelated"].includes(jitter)) throw new Error(`unknown jitter \`${jitter}\``);
    whole(first);
    Object.assign(this, { first, factor: factor >= 0 ? factor : 1, cap, jitter, random: new Random(seed) });
    this.#grown = first;
    this.#previous = first;
  }
  next() {
    const plain = Math.min(Number.isNaN(this.#grown) ? 0 : this.#grown, this.cap);
    this.#grown *= this.factor;
    this.#previous = {
      none: () => plain,
      full: () => this.random.upTo(plain),
      equal: () => plain / 2 + this.random.upTo(plain / 2),
      decorrelated: () =>
        Math.min(this.cap, this.first + this.random.upTo(Math.max(0, this.#previous * 3 - this.first))),
    }[this.jitter]();
    return { value: this.#previous, done: false };
  }
  [Symbol.iterator]() {
    return this;
  }
  /** The wait that follows these attempts. */
  waitAfter(attempts) {
    const retries = attempts.length - 1;
    if (this.jitter === "decorrelated" && retries > 0) {
      this.#previous = attempts.at(-1).waitedFor;
      return this.next().value;
    }
    for (let skipped = 0; skipped < retries; skipped++) this.next();
    return this.next().value;
  }
}

/** How many attempts failed in this way, the last one counted. */
export const failuresOf = (attempts, cause) => attempts.filter((attempt) => attempt.failure?.class === cause).length;

/** The value of a parameter, or undefined. */
export const parameter = (experiment, name) => experiment.parameters.find((one) => one.name === name)?.value;

/** Whether the experiment itself called its failure worth retrying; undefined where it did not say. */
export const retryable = (attempt) => attempt.selfReport?.retryable ?? undefined;

const UNITS_MS = new Map(
  [["ms millisecond milliseconds", 1], [" s sec secs second seconds", 1000], ["m min mins minute minutes", 60000], ["h hr hrs hour hours", 3600000]]
    .flatMap(([names, ms]) => names.split(" ").map((name) => [name, ms])),
);

/** How long a remote service asked to be left alone, in milliseconds, where its text says so. */
export function askedToWait(attempt) {
  for (const text of [attempt.selfReport?.message, attempt.failure?.evidence]) {
    for (const lead of (text ?? "").matchAll(/retry[ _-]after|try[ _-]again[ _-](?:in|after)|retry[ _-]in/gi)) {
      let rest = text.slice(lead.index + lead[0].length).replace(/^[ :="']+/, "");
      let total;
      for (let part; (part = /^([0-9][0-9.]*) *([a-zA-Z]*)/.exec(rest)); rest = rest.slice(part[0].length)) {
        const unit = UNITS_MS.get(part[2].toLowerCase());
        if (unit === undefined) {
          total = undefined;
          break;
        }
        total = (total ?? 0) + Math.floor(Number.parseFloat(part[1]) * unit);
      }
      if (total !== undefined) return total;
    }
  }
  return undefined;
}

const KINDS = {
  integer: [Number.isInteger, "a whole number"],
  number: [Number.isFinite, "a number"],
  string: [(value) => typeof value === "string", "a text"],
  boolean: [(value) => typeof value === "boolean", "true or false"],
  array: [Array.isArray, "a list"],
  null: [(value) => value === null, "null"],
};

const fits = ({ type = [], enum: choices, minimum = -Infinity, maximum = Infinity, items = {} }, value) =>
  (choices?.includes(value) ?? true) &&
  ([type].flat().length === 0 || [type].flat().some((kind) => KINDS[kind]?.[0](value) ?? true)) &&
  (typeof value !== "number" || (value >= minimum && value <= maximum)) &&
  (!Array.isArray(value) || value.every((item) => fits(items, item)));

function expected({ type = [], enum: choices, minimum, maximum, items }) {
  const kind = choices
    ? `one of ${choices.map((choice) => `\`${choice}\``).join(", ")}`
    : [type].flat().map((kind) => KINDS[kind]?.[1] ?? kind).join(" or ");
  const least = minimum === undefined ? "" : `, ${minimum} or more`;
  const most = maximum === undefined ? "" : `, at most ${maximum}`;
  return `${kind}${least}${most}${items ? `, each ${expected(items)}` : ""}`;
}

/** A policy's settings: those that are given, and the others' defaults. Throws an error that refuses them. */
export function configure({ settings = {}, check }, given = {}) {
  const configured = Object.fromEntries(Object.entries(settings).map(([name, setting]) => [name, setting.default]));
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(settings, name)) {
      throw new Error(`unknown setting \`${name}\`, expected one of ${Object.keys(settings).join(", ") || "none"}`);
    }
    if (!fits(settings[name], value)) {
      throw new Error(`\`${name}\`: \`${JSON.stringify(value)}\`, expected ${expected(settings[name])}`);
    }
    configured[name] = value;
  }
  check?.(configured);
  return configured;
}

/** Has an exception told in its author's terms: `build.mjs` says which line of the source a line of the bundle is. */
const telling = (call) => (...given) => {
  try {
    return call(...given);
  } catch (error) {
    const told = error instanceof Error || typeof error === "string" ? `${error}` : (error?.message ?? shown(error));
    const places = globalThis.reprievePlaces ?? [];
    // What is no `Error` knows no place.
    const lines = [...String(error?.stack ?? "").matchAll(/:(\d+):\d+/g)].map(([, line]) => places[line - 1]);
    const place = lines.find(Boolean);
    throw Object.assign(new Error(place ? `${told}, in ${place}` : `${told}`), { stack: "" });
  }
};

/**
 * What a component exports, for a policy:
 * `export const { guest, retryPolicy, cleanupPolicy } = define({ name, decide })`.
 *
 * `settings` are the settings by name, each a JSON Schema with a default;
 * `check` may throw an error that refuses more; `decide` and `plan` get them last.
 */
export function define(policy) {
  const { name, version = "0.1.0", summary = "", settings = {}, decide, plan } = policy;
  const schema = { type: "object", additionalProperties: false, properties: settings };
  const settingsSchema = Object.keys(settings).length > 0 ? JSON.stringify(schema) : null;
  let configured;
  return {
    guest: {
      describe: () => ({ name, version, summary, settingsSchema }),
      configure(text) {
        try {
          configured = configure(policy, JSON.parse(text));
        } catch (error) {
          // A thrown text is the contract's refusal.
          throw String(error?.message ?? error);
        }
      },
    },
    retryPolicy: {
      decide: telling((experiment, attempts, progress) =>
        decided(decide(experiment, attempts, progress, configured)),
      ),
    },
    cleanupPolicy: {
      plan: telling((experiment, { tag, val }) =>
        planned(plan(experiment, tag === "after-attempt" ? val : undefined, configured)),
      ),
    },
  };
}
