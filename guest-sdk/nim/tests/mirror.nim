## Says again all that it is told, and has done all that can be done. A test of
## the host's holds it to that, so that every field is known to be in its place.

import std/strutils
import reprieve

type Mirror = object

func pairs(told: seq[Parameter]): string =
  for (name, value) in told: result.add " " & name & "=" & value

func ofAttempt(told: Attempt): string =
  let ending = case told.ending.kind
    of EndingKind.exited: $told.ending.code
    of EndingKind.signalled: $told.ending.signal
    of EndingKind.notStarted: told.ending.why
    else: ""
  var (failed, said) = ("-", "-")
  if told.failure.isSome: failed = $told.failure.get.class.ord & " " & told.failure.get.evidence
  if told.selfReport.isSome:
    let report = told.selfReport.get
    said = $report.retryable.get(false).ord & " " & report.kind & " `" & report.message & "`"
  result = "$1 of $2: $3 $4, failed $5, waited $6 ran $7, `$8` `$9`" % [
    $told.number, $told.stage.ord, $told.ending.kind.ord, ending, failed, $told.waitedFor.inMilliseconds,
    $told.ranFor.inMilliseconds, told.stderrTail, told.stdoutTail]
  result.add ", said " & said & ", faults"
  for fault in told.faults: result.add " $1:$2" % [$fault.device, $fault.xid]
  result.add ", memory"
  for use in told.memory: result.add " $1:$2:$3:$4" % [$use.device, $use.baseline, $use.peak, $use.residual]
  result.add ", $1 others, $2 slow, knows" % [$told.foreignProcesses, $told.throttledFor.inMilliseconds]
  result.add pairs(told.facts)

proc ofDevices(): string =
  func number(value: Option[uint32]): string = (if value.isSome: $value.get else: "-")
  let s = readDevice(0)
  result = "$1 devices: $2 $3 $4 $5 $6, $7 $8 $9" % [
    $deviceCount(), s.uuid, s.name, $s.totalBytes, $s.usedBytes, $s.baselineBytes, number(s.celsius),
    number(s.milliwatts), number(s.utilizationPercent)]
  result.add " $1 $2 $3, $4; error " % [
    $s.throttled.get.ord, $s.uncorrectedErrors.get, $s.recovery.get.ord, $s.processes]
  try: discard readDevice(1)
  except StatusError as error: result.add $error.kind.ord

proc decide(policy: Mirror, told: Experiment, attempts: seq[Attempt], p: Progress): Decision =
  var said = told.name & pairs(told.parameters) & " can " & told.adjustable.join(" ")
  said.add " by" & pairs(told.labels) & " on " & $told.devices & ", " & $told.seed
  for attempt in attempts: said.add " / " & ofAttempt(attempt)
  said.add " / $1 $2 $3 $4 $5 $6 / " % [
    $p.succeeded, $p.failed, $p.remaining, $p.retries, $p.failedInARow, $p.elapsed.inMilliseconds]
  retry(attempts[^1].waitedFor, said & ofDevices())

proc plan(policy: Mirror, experiment: Experiment, after: Option[Attempt]): seq[Step] =
  if after.isNone: return
  func ms(count: int): Duration = initDuration(milliseconds = count)
  result = @[
    endLeftovers(1.ms), removeSharedMemory().orQuarantine, synchronize().orStop, releaseCachedMemory(), resetContexts(),
    awaitMemory(5_000_000_000'u64, 6.ms), awaitTemperature(45, 7.ms), awaitIdle(8, 9.ms), probe(10, 11.ms), pause(12.ms),
    runHook("haken ü")]
  var said = "after " & $after.get.number & ":"
  for step in result:
    try:
      let report = perform(step)
      let why = if report.why == "": "" else: " " & report.why
      said.add " " & $report.outcome.ord & why & " " & $report.took.inMilliseconds & " " & $report.releasedBytes
    except RefusedError as error: said.add " refused " & error.msg
  result.add runHook(said)

exportPolicy(Mirror(), name = "mirror")
