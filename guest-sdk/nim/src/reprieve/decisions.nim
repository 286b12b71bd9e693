## What follows an attempt.

import std/times
import situation, span

type
  Placement* {.pure.} = enum
    ## Which devices the next attempt may use.
    sameDevices, otherDevices, anyDevices

  Turn* {.pure.} = enum
    ## When the next attempt takes its turn once its delay has passed.
    whenDue, last

  DecisionKind* {.pure.} = enum
    accept, retry, giveUp, stopStudy

  Decision* = object
    ## What follows an attempt.
    reason*: string
    case kind*: DecisionKind
    of DecisionKind.retry:
      delay*: Duration
      placement*: Placement
      turn*: Turn
      overrides*: seq[Parameter]
    else: discard

func accept*(): Decision =
  ## Takes the attempt's outcome as the stage's outcome.
  Decision(kind: DecisionKind.accept)

func retry*(delay: Duration, reason: string, overrides: openArray[(string, string)] = [],
            placement = Placement.anyDevices, turn = Turn.whenDue): Decision =
  ## Runs the stage again after this wait, for this reason, with other values of adjustable parameters.
  discard delay.ms # A negative one is refused where the author's tests see it.
  result = Decision(kind: DecisionKind.retry, delay: delay, reason: reason, placement: placement, turn: turn)
  for (name, value) in overrides: result.overrides.add (name, value)

func giveUp*(reason: string): Decision =
  ## The experiment has failed, for this reason. The study goes on.
  Decision(kind: DecisionKind.giveUp, reason: reason)

func stopStudy*(reason: string): Decision =
  ## Starts no further experiment, for this reason.
  Decision(kind: DecisionKind.stopStudy, reason: reason)
