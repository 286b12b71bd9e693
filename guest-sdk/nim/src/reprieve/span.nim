## A span of time as the contract has it.

import std/times

func ms*(span: Duration): uint64 =
  ## Whole milliseconds, and a `ValueError` where the span is negative.
  if span < DurationZero: raise newException(ValueError, "`" & $span & "` is no span of time, expected 0 or more")
  uint64(span.inMilliseconds)
