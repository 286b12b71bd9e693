## The standard policy's behaviour, in Nim: it must decide as the built-in one does.

import reprieve

type
  Standard = object
    maxRetries {.about: "Attempts after the first, at each stage of an experiment.".}: uint32
    delaySeconds {.about: "The wait after the first attempt, in seconds.".}: float
    backoffFactor {.about: "What each further wait is multiplied by.".}: float
    maxDelaySeconds {.about: "No wait is longer.".}: float
    jitter {.about: "How chance spreads the waits.".}: Jitter
    retry {.about: "Failures that are retried.".}: seq[FailureClass]
    retryOnce {.about: "Failures that are retried once.".}: seq[FailureClass]
    retriesInStudy {.about: "Retries in the whole study.".}: Option[uint32]
    stopAfterFailuresInARow {.about: "Stops the study.".}: Option[uint32]
    leftoversGraceSeconds {.about: "Between the signal and the kill.".}: float
    removeSharedMemory {.about: "Whether shared memory is removed.".}: bool
    memoryToleranceMib {.about: "Above the baseline that still counts as clean.".}: uint32
    memoryTimeoutSeconds {.about: "How long memory may take to come back.".}: float
    coolDownToCelsius {.about: "Lets the devices cool.".}: Option[uint32]
    coolDownTimeoutSeconds {.about: "How long that may take.".}: float

  Verdict = object
    ## Whether something is worth a retry, why, and whether only once.
    worth, once: bool
    why: string

func tell(what, evidence: string): string =
  ## Puts the evidence after what is said of it, where there is evidence.
  if evidence == "": what else: what & ": " & evidence

func count(attempts: seq[Attempt]): string =
  if attempts.len == 1: "1 attempt" else: $attempts.len & " attempts"

proc check(policy: Standard) =
  if policy.stopAfterFailuresInARow.get(1) == 0:
    raise newException(ValueError, "`stop_after_failures_in_a_row`: expected 1 or more")

func canPass(policy: Standard, attempts: seq[Attempt], failure: Failure): Verdict =
  let (class, evidence) = (failure.class, failure.evidence)
  let called = attempts[^1].calledRetryable
  if called.isSome:
    let report = attempts[^1].selfReport.get
    let said = if report.message != "": report.message elif report.kind != "": report.kind else: evidence
    let verdict = if called.get: "worth retrying" else: "final"
    return Verdict(worth: called.get, why: tell("the experiment called its " & $class & " failure " & verdict, said))
  if class in policy.retry: return Verdict(worth: true, why: tell($class & " failure can pass", evidence))
  if class notin policy.retryOnce:
    return Verdict(why: tell($class & " failures do not pass by themselves", evidence))
  if attempts.failuresOf(class) == 1:
    return Verdict(worth: true, once: true, why: tell($class & " failures are retried once", evidence))
  Verdict(why: tell("gave up after " & attempts.count & ": " & $class & " failure again", evidence))

func worthRetrying(policy: Standard, attempts: seq[Attempt], failure: Failure, progress: Progress): Verdict =
  result = policy.canPass(attempts, failure)
  if not result.worth: return
  let failed = $failure.class & " failure"
  if attempts.retries >= int(policy.maxRetries):
    return Verdict(why: tell("gave up after " & attempts.count & ": " & failed, failure.evidence))
  if policy.retriesInStudy.isSome and progress.retries >= policy.retriesInStudy.get:
    let spent = "the study's " & $policy.retriesInStudy.get & " retries are used up: " & failed
    return Verdict(why: tell(spent, failure.evidence))
  if not result.once: result.why.add "; retry " & $attempts.len & " of " & $policy.maxRetries

func delay(policy: Standard, experiment: Experiment, attempts: seq[Attempt]): Duration =
  ## The backoff's wait, or what a service asked for where that is more, within the cap.
  let waits = initBackoff(policy.delaySeconds, policy.backoffFactor, policy.maxDelaySeconds, policy.jitter, experiment.seed)
  result = waits.waitAfter(attempts)
  let attempt = attempts[^1]
  if attempt.failure.get.class == FailureClass.rateLimited:
    result = min(inSeconds(policy.maxDelaySeconds), max(result, attempt.askedToWait.get(result)))

proc decide(policy: Standard, experiment: Experiment, attempts: seq[Attempt], progress: Progress): Decision =
  let attempt = attempts[^1]
  if attempt.failure.isNone: return accept()
  let verdict = policy.worthRetrying(attempts, attempt.failure.get, progress)
  if verdict.worth: return retry(policy.delay(experiment, attempts), verdict.why)
  let inARow = uint64(progress.failedInARow) + 1
  let most = policy.stopAfterFailuresInARow
  if most.isSome and inARow >= most.get and attempt.stage != Stage.finish:
    return stopStudy("experiments that failed in a row: " & $inARow & "; the last: " & verdict.why)
  giveUp(verdict.why)

proc plan(policy: Standard, experiment: Experiment, after: Option[Attempt]): seq[Step] =
  if after.isNone: return
  result.add endLeftovers(inSeconds(policy.leftoversGraceSeconds))
  if policy.removeSharedMemory: result.add removeSharedMemory()
  result.add releaseCachedMemory()
  let tolerance = uint64(policy.memoryToleranceMib) shl 20
  result.add awaitMemory(tolerance, inSeconds(policy.memoryTimeoutSeconds)).orQuarantine
  if policy.coolDownToCelsius.isSome:
    result.add awaitTemperature(policy.coolDownToCelsius.get, inSeconds(policy.coolDownTimeoutSeconds))

exportPolicy(
  Standard(
    maxRetries: 3, delaySeconds: 1, backoffFactor: 2, maxDelaySeconds: 3600,
    retry: @[FailureClass.network, FailureClass.rateLimited, FailureClass.driverTransient,
             FailureClass.communication, FailureClass.deviceOccupied],
    retryOnce: @[FailureClass.hang, FailureClass.crash, FailureClass.deviceProgram, FailureClass.unknown],
    leftoversGraceSeconds: 10, removeSharedMemory: true, memoryToleranceMib: 64, memoryTimeoutSeconds: 120,
    coolDownTimeoutSeconds: 600),
  name = "standard", summary = "Retries failures that can pass, with growing waits; gives up on the rest")
