// Write a Reprieve policy in JavaScript or TypeScript: what follows a failed GPU experiment.
//
// A policy remembers nothing between calls, and does no work: it answers, and
// the host waits, places and cleans. Spans of time are milliseconds.

/** Takes the attempt's outcome as the stage's outcome. */
export const accept = () => ({ tag: "accept" });

/** Runs the stage again after so many milliseconds, for this reason. */
export const retry = (delay, reason, { overrides = {}, placement = "any-devices", turn = "when-due" } = {}) => ({
  tag: "retry",
  val: {
    delay: whole(delay),
    placement,
    turn,
    overrides: Object.entries(overrides).map(([name, value]) => ({ name, value: String(value) })),
    reason,
  },
});

/** The experiment has failed, for this reason. The study goes on. */
export const giveUp = (reason) => ({ tag: "give-up", val: reason });

/** Starts no further experiment, for this reason. */
export const stopStudy = (reason) => ({ tag: "stop-study", val: reason });

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
const whole = (ms) => Math.max(0, Math.floor(Math.min(ms, Number.MAX_SAFE_INTEGER)));

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

/**
 * What a component exports, for a policy:
 * `export const { guest, retryPolicy, cleanupPolicy } = define({ name, decide })`.
 *
 * `settings` are the settings with their defaults; `check` may throw an error
 * that refuses them; `decide` and `plan` get them last.
 */
export function define({ name, version = "0.1.0", summary = "", settings = {}, schema = null, check, decide, plan }) {
  let configured = settings;
  return {
    guest: {
      describe: () => ({ name, version, summary, settingsSchema: schema }),
      configure(text) {
        const given = JSON.parse(text);
        const unknown = Object.keys(given).find((key) => !(key in settings));
        // A thrown text is the contract's refusal.
        if (unknown !== undefined) throw `unknown setting \`${unknown}\`, expected one of ${Object.keys(settings).join(", ") || "none"}`;
        configured = { ...settings, ...given };
        try {
          check?.(configured);
        } catch (error) {
          throw String(error.message ?? error);
        }
      },
    },
    retryPolicy: { decide: (experiment, attempts, progress) => decide(experiment, attempts, progress, configured) },
    cleanupPolicy: {
      plan: (experiment, occasion) => plan(experiment, occasion.tag === "after-attempt" ? occasion.val : undefined, configured),
    },
  };
}
