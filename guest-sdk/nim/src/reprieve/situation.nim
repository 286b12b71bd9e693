## What a policy is told: the experiment, its attempts, the study so far.
## `wit/types.wit` says more of each field.

import std/[options, strutils, times]
import retryafter

type
  Parameter* = tuple[name, value: string]
    ## A named value: an experiment's parameter, or an override of one.

  Stage* {.pure.} = enum
    ## The part of an experiment that an attempt ran.
    prepare, measure, finish

  EndingKind* {.pure.} = enum
    exited, signalled, timedOut, fellSilent, notStarted, lost

  Ending* = object
    ## How an attempt's process ended.
    case kind*: EndingKind
    of EndingKind.exited: code*: int32
    of EndingKind.signalled: signal*: int32
    of EndingKind.notStarted: why*: string
    else: discard

  FailureClass* {.pure.} = enum
    ## What the host takes the cause of a failure to be. `$` is its name in settings and output.
    network = "network", rateLimited = "rate-limited", driverTransient = "driver-transient",
    communication = "communication", deviceMemory = "device-memory", deviceOccupied = "device-occupied",
    hostMemory = "host-memory", deviceProgram = "device-program", deviceHardware = "device-hardware",
    hang = "hang", crash = "crash", storage = "storage", access = "access", configuration = "configuration",
    cancelled = "cancelled", unknown = "unknown"

  Failure* = object
    ## What the host takes the cause to be, and the evidence in one line.
    class*: FailureClass
    evidence*: string

  SelfReport* = object
    ## What the experiment said of its failure itself; its texts may be empty.
    retryable*: Option[bool]
    kind*, message*: string

  DeviceFault* = object
    ## A fault that the driver recorded: a device's position, and NVIDIA's number.
    device*: uint32
    xid*: uint64

  DeviceMemoryUse* = object
    ## A device's memory around an attempt, in bytes.
    device*: uint32
    baseline*, peak*, residual*: uint64

  Attempt* = object
    ## One attempt that has ended.
    number*: uint32
    stage*: Stage
    ending*: Ending
    failure*: Option[Failure]
    waitedFor*, ranFor*: Duration
    stderrTail*, stdoutTail*: string
    selfReport*: Option[SelfReport]
    faults*: seq[DeviceFault]
    memory*: seq[DeviceMemoryUse]
    foreignProcesses*: uint32
    throttledFor*: Duration
    facts*: seq[Parameter]

  Experiment* = object
    ## The experiment that is judged.
    name*: string
    parameters*: seq[Parameter]
    adjustable*: seq[string] ## Parameters that a decision may override.
    labels*: seq[Parameter]
    devices*: uint32
    seed*: uint64 ## Randomness that a replay sees again.

  Progress* = object
    ## The study so far.
    succeeded*, failed*, remaining*, retries*, failedInARow*: uint32
    elapsed*: Duration

func succeeded*(): Attempt =
  ## A success, for tests.
  Attempt(number: 1, stage: Stage.measure)

func failed*(class: FailureClass, evidence: string): Attempt =
  ## A failure, for tests.
  Attempt(number: 1, stage: Stage.measure, failure: some(Failure(class: class, evidence: evidence)))

func retries*(attempts: openArray[Attempt]): int =
  ## How many were retries: all but the first.
  attempts.len - 1

func failuresOf*(attempts: openArray[Attempt], class: FailureClass): int =
  ## How many failed in this way, the last one counted.
  for attempt in attempts:
    if attempt.failure.isSome and attempt.failure.get.class == class: inc result

func calledRetryable*(attempt: Attempt): Option[bool] =
  ## Whether the experiment itself called its failure worth retrying, where it said so.
  if attempt.selfReport.isSome: result = attempt.selfReport.get.retryable

func askedToWait*(attempt: Attempt): Option[Duration] =
  ## How long a remote service asked to be left alone, where its text says so.
  if attempt.selfReport.isSome: result = askedIn(attempt.selfReport.get.message)
  if result.isNone and attempt.failure.isSome: result = askedIn(attempt.failure.get.evidence)

func parameter*(experiment: Experiment, name: string): Option[string] =
  ## A parameter's value.
  for one in experiment.parameters:
    if one.name == name: return some(one.value)

func integer*(experiment: Experiment, name: string): Option[int] =
  ## A parameter that is a whole number.
  try: some(experiment.parameter(name).get("").parseInt)
  except ValueError: none(int)

func canAdjust*(experiment: Experiment, name: string): bool =
  ## Whether a decision may override this parameter.
  name in experiment.adjustable
