// How long a remote service asked to be left alone, as errors' texts say it.

const LEADS: string[] = ["retry after", "try again in", "try again after", "retry in"];

/** The span after one of the leads, in milliseconds, or -1. */
export function asked(text: string): i64 {
  const lower = text.toLowerCase();
  const spaced = lower.replaceAll("-", " ").replaceAll("_", " ");
  for (let start = 0; start < spaced.length; start++) {
    for (let i = 0; i < LEADS.length; i++) {
      if (spaced.startsWith(LEADS[i], start)) {
        const found = span(lower, start + LEADS[i].length);
        if (found >= 0) return found;
      }
    }
  }
  return -1;
}

/** Reads `30`, `: 30`, `2.5 seconds`, `1m30s`. Any other word after a number means that it is no span. */
function span(text: string, from: i32): i64 {
  let at = after(text, from, " :=\"'");
  let total: i64 = -1;
  while (at < text.length && "0123456789".includes(text.charAt(at))) {
    const end = after(text, at, "0123456789.");
    const word = after(text, end, " ");
    const next = after(text, word, "abcdefghijklmnopqrstuvwxyz");
    const unit = unitMs(text.substring(word, next));
    if (unit == 0) return -1;
    const part = times(thousandths(text.substring(at, end)), unit) / 1000;
    total = i64(min<u64>(i64.MAX_VALUE, u64(max<i64>(total, 0)) + part));
    at = next;
  }
  return total;
}

/** The first place that has none of these letters. */
function after(text: string, from: i32, letters: string): i32 {
  while (from < text.length && letters.includes(text.charAt(from))) from++;
  return from;
}

/** Reads `12.34` as 12340: what a fraction has beyond three digits is cut. */
function thousandths(number: string): u64 {
  const parts = number.split(".");
  const digits = parts[0] + ((parts.length > 1 ? parts[1] : "") + "000").substring(0, 3);
  let read: u64 = 0;
  for (let i = 0; i < digits.length; i++) {
    if (read > (u64.MAX_VALUE - 9) / 10) return u64.MAX_VALUE;
    read = read * 10 + u64(digits.charCodeAt(i) - 48);
  }
  return read;
}

function times(one: u64, other: u64): u64 {
  return one > u64.MAX_VALUE / other ? u64.MAX_VALUE : one * other;
}

/** A number alone is seconds, as in the header Retry-After. */
function unitMs(unit: string): u64 {
  if (["ms", "millisecond", "milliseconds"].includes(unit)) return 1;
  if (["", "s", "sec", "secs", "second", "seconds"].includes(unit)) return 1000;
  if (["m", "min", "mins", "minute", "minutes"].includes(unit)) return 60_000;
  if (["h", "hr", "hrs", "hour", "hours"].includes(unit)) return 3_600_000;
  return 0;
}
