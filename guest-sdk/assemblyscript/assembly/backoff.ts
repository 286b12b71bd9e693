// How long to wait before the next attempt. Waits are numbers here; nothing sleeps.

import { Attempt } from "./situation";

/** How chance spreads the waits (Marc Brooker, "Exponential Backoff And Jitter", 2015). */
export namespace Jitter {
  export const None = "none";
  export const Full = "full";
  export const Equal = "equal";
  export const Decorrelated = "decorrelated";
  export const all: string[] = [None, Full, Equal, Decorrelated];
}

/** Random numbers that a replay draws again: SplitMix64. Not for secrets. */
export class Random {
  constructor(private state: u64) {}

  /** Draws 64 random bits. */
  next(): u64 {
    this.state += 0x9e3779b97f4a7c15;
    let mixed = this.state;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }

  /** Draws a number from 0 to `most`, both included. */
  upTo(most: u64): u64 {
    const drawn = this.next();
    return most == u64.MAX_VALUE ? drawn : high(drawn, most + 1);
  }
}

/** The upper 64 bits of a product. */
function high(one: u64, other: u64): u64 {
  const a = one >> 32, b = one & 0xffffffff, c = other >> 32, d = other & 0xffffffff;
  const middle = a * d + ((b * d) >> 32);
  return a * c + (middle >> 32) + ((b * c + (middle & 0xffffffff)) >> 32);
}

/** A setting in seconds, 0 or more, as nanoseconds; what is beyond counting is an endless span. */
export function nanoseconds(seconds: f64): u64 {
  if (!(seconds >= 0)) throw new RangeError("seconds are negative or no number, expected 0 or more");
  const whole = Math.floor(seconds);
  if (!(whole < 18446744073)) return u64.MAX_VALUE;
  return u64(whole) * 1_000_000_000 + u64(nearest((seconds - whole) * 1e9));
}

/** A setting in seconds as milliseconds. */
export function milliseconds(seconds: f64): u64 {
  return nanoseconds(seconds) / 1_000_000;
}

/** Waits that grow by a factor: first, first * factor, first * factor^2... */
export class Backoff {
  private firstNs: u64;
  private capNs: u64 = u64.MAX_VALUE;
  private jitter: string = Jitter.None;
  private random: Random = new Random(0);
  private grown: f64;
  private previousNs: u64;

  /** A factor that is negative or not a number counts as 1. */
  constructor(firstSeconds: f64, private factor: f64 = 2) {
    this.firstNs = nanoseconds(firstSeconds);
    if (!(factor >= 0)) this.factor = 1;
    this.grown = f64(this.firstNs);
    this.previousNs = this.firstNs;
  }

  /** Lets no wait be longer than this. */
  capped(seconds: f64): Backoff {
    this.capNs = nanoseconds(seconds);
    return this;
  }

  /** Spreads the waits by chance: give it the experiment's seed. */
  jittered(jitter: string, seed: u64): Backoff {
    this.jitter = jitter;
    this.random = new Random(seed);
    return this;
  }

  /** The wait that follows these attempts, in milliseconds. */
  waitAfterMs(attempts: Attempt[]): u64 {
    const retries = attempts.length - 1;
    if (this.jitter == Jitter.Decorrelated && retries > 0) {
      const waitedMs = attempts[retries].waitedForMs;
      this.previousNs = waitedMs > u64.MAX_VALUE / 1_000_000 ? u64.MAX_VALUE : waitedMs * 1_000_000;
      return this.stepNs() / 1_000_000;
    }
    for (let i = 0; i < retries; i++) this.stepNs();
    return this.stepNs() / 1_000_000;
  }

  private stepNs(): u64 {
    const plain = min(saturated(this.grown + 0.5), this.capNs);
    this.grown *= this.factor;
    let wait = plain;
    if (this.jitter == Jitter.Full) {
      wait = this.random.upTo(plain);
    } else if (this.jitter == Jitter.Equal) {
      wait = plain - plain / 2 + this.random.upTo(plain / 2);
    } else if (this.jitter == Jitter.Decorrelated) {
      const tripled = this.previousNs > u64.MAX_VALUE / 3 ? u64.MAX_VALUE : this.previousNs * 3;
      const drawn = this.random.upTo(tripled > this.firstNs ? tripled - this.firstNs : 0);
      wait = min(drawn > u64.MAX_VALUE - this.firstNs ? u64.MAX_VALUE : this.firstNs + drawn, this.capNs);
    }
    this.previousNs = wait;
    return wait;
  }
}

function saturated(value: f64): u64 {
  if (!(value > 0)) return 0;
  return value >= 18446744073709551616.0 ? u64.MAX_VALUE : u64(value);
}
