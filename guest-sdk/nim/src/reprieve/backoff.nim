## How long to wait before the next attempt. Waits are values; nothing sleeps.

import std/[math, times]
import situation

type
  Random* = object
    ## Random numbers that a replay draws again, the same in every language (SplitMix64). Not for secrets.
    state: uint64

  Jitter* {.pure.} = enum
    ## How chance spreads the waits (Marc Brooker, "Exponential Backoff And Jitter", 2015).
    none = "none", full = "full", equal = "equal", decorrelated = "decorrelated"

  Backoff* = object
    ## Waits that grow: first, first * factor, first * factor^2...
    firstNs, capNs: uint64
    factor: float
    jitter: Jitter
    seed: uint64

func initRandom*(seed: uint64): Random =
  ## Give it the experiment's seed.
  Random(state: seed)

func next*(random: var Random): uint64 =
  ## Draws 64 random bits.
  random.state += 0x9e3779b97f4a7c15'u64
  result = random.state
  result = (result xor (result shr 30)) * 0xbf58476d1ce4e5b9'u64
  result = (result xor (result shr 27)) * 0x94d049bb133111eb'u64
  result = result xor (result shr 31)

func high(one, other: uint64): uint64 =
  ## The upper 64 bits of a product.
  const low = 0xffffffff'u64
  let middle = (one shr 32) * (other and low) + (((one and low) * (other and low)) shr 32)
  (one shr 32) * (other shr 32) + (middle shr 32) + (((one and low) * (other shr 32) + (middle and low)) shr 32)

func upTo*(random: var Random, most: uint64): uint64 =
  ## Draws a number from 0 to `most`, both included.
  let drawn = random.next
  if most == uint64.high: drawn else: high(drawn, most + 1)

func nanoseconds(seconds: float): uint64 =
  if not (seconds >= 0): raise newException(ValueError, "seconds are negative or no number, expected 0 or more")
  if seconds >= 18_446_744_073.0: return uint64.high
  uint64(seconds) * 1_000_000_000 + uint64(round((seconds - floor(seconds)) * 1e9))

func milliseconds(ms: uint64): Duration =
  initDuration(milliseconds = int64(min(ms, uint64(int64.high))))

func inSeconds*(seconds: float): Duration =
  ## A setting in seconds, 0 or more; what is beyond counting is an endless span.
  milliseconds(nanoseconds(seconds) div 1_000_000)

func initBackoff*(firstSeconds: float, factor = 2.0, capSeconds = Inf, jitter = Jitter.none, seed = 0'u64): Backoff =
  ## A factor that is negative or not a number counts as 1. Give it the experiment's seed where there is jitter.
  Backoff(firstNs: nanoseconds(firstSeconds), capNs: nanoseconds(capSeconds),
          factor: (if factor >= 0: factor else: 1), jitter: jitter, seed: seed)

func saturated(value: float): uint64 =
  if not (value > 0): 0'u64
  elif value >= 18_446_744_073_709_551_616.0: uint64.high
  else: uint64(value)

func drawn(backoff: Backoff, random: var Random, plain, previous: uint64): uint64 =
  ## A wait, where this is the one without chance, and that the one before.
  case backoff.jitter
  of Jitter.none: plain
  of Jitter.full: random.upTo(plain)
  of Jitter.equal: plain - plain div 2 + random.upTo(plain div 2)
  of Jitter.decorrelated:
    let first = backoff.firstNs
    let tripled = if previous > uint64.high div 3: uint64.high else: previous * 3
    let more = random.upTo(if tripled > first: tripled - first else: 0)
    min(if more > uint64.high - first: uint64.high else: first + more, backoff.capNs)

iterator waits*(backoff: Backoff): Duration =
  ## The waits, without end; the first one is that after the first attempt.
  var random = initRandom(backoff.seed)
  var grown = float(backoff.firstNs)
  var wait = backoff.firstNs
  while true:
    wait = backoff.drawn(random, min(saturated(grown + 0.5), backoff.capNs), wait)
    grown *= backoff.factor
    yield milliseconds(wait div 1_000_000)

func waitAfter*(backoff: Backoff, attempts: openArray[Attempt]): Duration =
  ## The wait that follows these attempts.
  if backoff.jitter == Jitter.decorrelated and attempts.len > 1:
    # The next one builds on the wait that was.
    let waited = uint64(attempts[^1].waitedFor.inMilliseconds)
    var random = initRandom(backoff.seed)
    let previous = if waited > uint64.high div 1_000_000: uint64.high else: waited * 1_000_000
    return milliseconds(backoff.drawn(random, 0, previous) div 1_000_000)
  var index = 0
  for wait in backoff.waits:
    if index == attempts.retries: return wait
    inc index
