## How long a remote service asked to be left alone, as errors' texts say it.

import std/[options, strutils, times]

const Leads = ["retry after", "try again in", "try again after", "retry in"]

func unitMs(unit: string): uint64 =
  ## A number alone is seconds, as in the header Retry-After.
  case unit
  of "ms", "millisecond", "milliseconds": 1
  of "", "s", "sec", "secs", "second", "seconds": 1000
  of "m", "min", "mins", "minute", "minutes": 60_000
  of "h", "hr", "hrs", "hour", "hours": 3_600_000
  else: 0

func thousandths(number: string): uint64 =
  ## Reads `12.34` as 12340: what a fraction has beyond three digits is cut.
  let parts = number.split('.')
  for digit in parts[0] & (if parts.len > 1: parts[1] & "000" else: "000")[0 .. 2]:
    if result > uint64.high div 10 - 1: return uint64.high
    result = result * 10 + uint64(digit.ord - '0'.ord)

func span(text: string, start: int): Option[Duration] =
  ## Reads `30`, `: 30`, `2.5 seconds`, `1m30s`. Any other word after a number means that it is no span.
  func past(at: int, letters: set[char]): int =
    result = at
    while result < text.len and text[result] in letters: inc result
  var at = past(start, {' ', ':', '=', '"', '\''})
  var total, found: uint64
  while at < text.len and text[at] in Digits:
    let digits = past(at, Digits + {'.'})
    let word = past(digits, {' '})
    let next = past(word, {'a' .. 'z'})
    let unit = unitMs(text[word ..< next])
    if unit == 0: return none(Duration)
    let number = thousandths(text[at ..< digits])
    let part = (if number > uint64.high div unit: uint64.high else: number * unit) div 1000
    total = min(total + part, uint64(int64.high))
    inc found
    at = next
  if found > 0: some(initDuration(milliseconds = int64(total))) else: none(Duration)

func askedIn*(text: string): Option[Duration] =
  ## The span after one of the leads, whose spaces may be hyphens or underscores.
  let lower = text.toLowerAscii
  let spaced = lower.multiReplace(("-", " "), ("_", " "))
  for start in 0 ..< spaced.len:
    for lead in Leads:
      if spaced.continuesWith(lead, start):
        let found = span(lower, start + lead.len)
        if found.isSome: return found
