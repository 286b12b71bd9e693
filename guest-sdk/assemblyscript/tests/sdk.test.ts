// The SDK by itself. Each check is one that the Rust SDK has too.

import { Attempt, Backoff, Jitter, milliseconds, Random, Settings } from "reprieve-assemblyscript/assembly";

function after(count: i32, waitedForMs: u64 = 0): Attempt[] {
  const attempts: Attempt[] = [];
  for (let i = 0; i < count; i++) attempts.push(Attempt.failed("network", ""));
  attempts[count - 1].waitedForMs = waitedForMs;
  return attempts;
}

function asked(text: string): i64 {
  return Attempt.failed("rate-limited", text).askedToWaitMs();
}

export function theNumbersAreThoseOfThePublishedGenerator(): void {
  const random = new Random(1234567);
  assert(random.next() == 6457827717110365317);
  assert(random.next() == 3203168211198807973);
  assert(random.next() == 9817491932198370423);
  assert(random.upTo(0) == 0 && random.upTo(1) <= 1);
}

export function waitsGrowUpToTheirCap(): void {
  assert(new Backoff(1).waitAfterMs(after(1)) == 1000 && new Backoff(1).waitAfterMs(after(3)) == 4000);
  assert(new Backoff(1).capped(5).waitAfterMs(after(9)) == 5000);
  assert(new Backoff(7, 1).waitAfterMs(after(9)) == 7000 && new Backoff(0.1, 1.1).waitAfterMs(after(2)) == 110);
}

export function numbersThatMakeNoSenseDoNoHarm(): void {
  assert(new Backoff(2, Infinity).capped(60).waitAfterMs(after(2)) == 60_000);
  assert(new Backoff(2, NaN).waitAfterMs(after(2)) == 2000 && new Backoff(2, -3).waitAfterMs(after(2)) == 2000);
  assert(new Backoff(0, Infinity).waitAfterMs(after(4)) == 0 && new Backoff(2, 0).waitAfterMs(after(2)) == 0);
  assert(milliseconds(Infinity) == u64.MAX_VALUE / 1_000_000 && milliseconds(1.001) == 1001);
}

export function decorrelatedWaitsBuildOnTheWaitThatWas(): void {
  for (let seed: u64 = 0; seed < 100; seed++) {
    const wait = new Backoff(1).capped(40).jittered(Jitter.Decorrelated, seed).waitAfterMs(after(2, 10_000));
    assert(wait >= 1000 && wait <= 30_000, wait.toString());
    const most = new Backoff(1).capped(40).jittered(Jitter.Decorrelated, seed).waitAfterMs(after(2, u64.MAX_VALUE));
    assert(most <= 40_000, most.toString());
  }
}

export function theTextsThatServicesWriteAreUnderstood(): void {
  assert(asked("429 Too Many Requests, retry after 30 seconds") == 30_000);
  assert(asked("Retry-After: 120") == 120_000);
  assert(asked('{"retry_after": 1.5}') == 1500);
  assert(asked("Please try again in 1m30s") == 90_000);
  assert(asked("Retry in 1 hour") == 3_600_000);
  assert(asked("retry after 1.23456789 s") == 1234);
  assert(asked("retry after 99999999999999999999 hours") > 3_600_000_000);
  assert(asked("") == -1 && asked("retry after") == -1 && asked("will not retry after 3 attempts") == -1);
  assert(asked("Retry-After: Wed, 21 Oct 2026 07:28:00 GMT") == -1);
}

export function settingsAreReadByTheirNames(): void {
  const settings = new Settings('{"whole": 7, "number": 0.5, "flag": true, "word": "\\u0062", "words": ["a"], "none": null}');
  assert(settings.whole("whole", 1) == 7 && settings.whole("other", 2) == 2);
  assert(settings.number("number", 1) == 0.5 && settings.flag("flag", false));
  assert(settings.word("word", "a", ["a", "b"]) == "b" && settings.words("words", [], ["a", "b"])[0] == "a");
  assert(settings.wholeOrNone("none") == -1 && settings.wholeOrNone("absent") == -1);
  assert(settings.refusal == "", settings.refusal);
}

export function wrongSettingsAreRefusedByName(): void {
  for (let i = 0; i < 6; i++) {
    const wrong = ['{"n": -1}', '{"n": 1.5}', '{"n": "1"}', '{"n": null}', '{"m": 1}', '{"n": 1', '[1]'][i];
    const settings = new Settings(wrong);
    settings.whole("n", 1);
    assert(settings.refusal != "", wrong);
  }
}

export function whatIsAskedForIsTheSchema(): void {
  const settings = new Settings("{}");
  assert(settings.schema == null);
  settings.whole("retries", 3, 'How "often".');
  settings.word("jitter", "none", ["none", "full"]);
  const retries = '"retries":{"description":"How \\"often\\".","type":"integer","minimum":0,"default":3}';
  const jitter = '"jitter":{"enum":["none","full"],"default":"none"}';
  const schema = settings.schema!;
  assert(schema == `{"type":"object","additionalProperties":false,"properties":{${retries},${jitter}}}`, schema);
}
