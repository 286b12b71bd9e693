## What follows when an attempt at an experiment has ended.
##
## The host calls `decide` once an attempt, each time on a fresh instance: a
## policy remembers nothing, and all it may know arrives as arguments. It does
## no work either: it answers, and the host waits, places and cleans.

import reprieve

type MyPolicy* = object
  # The settings, which a study gives in `[policy]`.
  maxRetries {.about: "How often a failure that can pass is tried again.".}: uint32
  delaySeconds {.about: "The wait before the first retry; it doubles from one to the next.".}: float
  smallestBatch {.about: "The batch is not halved below this.".}: uint32

func initMyPolicy*(): MyPolicy =
  ## The settings' defaults.
  MyPolicy(maxRetries: 3, delaySeconds: 30, smallestBatch: 1)

func canPass(attempts: seq[Attempt], class: FailureClass): bool =
  case class
  # These do, after a while.
  of FailureClass.network, FailureClass.rateLimited, FailureClass.driverTransient, FailureClass.communication,
     FailureClass.deviceOccupied: true
  # These may: one more attempt tells.
  of FailureClass.hang, FailureClass.crash, FailureClass.deviceProgram, FailureClass.unknown:
    attempts.failuresOf(class) == 1
  else: false

proc check*(policy: MyPolicy) =
  ## Refuses settings; the error's text is what their author reads.
  if policy.smallestBatch == 0: raise newException(ValueError, "`smallest_batch`: `0`, expected 1 or more")

proc decide*(policy: MyPolicy, experiment: Experiment, attempts: seq[Attempt], progress: Progress): Decision =
  ## Judges the newest attempt. Successes are judged too: a policy may throw away a measurement that it does not trust.
  let attempt = attempts[^1]
  if attempt.failure.isNone: return accept()
  let failure = attempt.failure.get
  # The experiment knows its failure best, where it says something of it.
  let verdict = attempt.calledRetryable
  if not verdict.get(true): return giveUp(failure.evidence)
  # A smaller batch needs less memory, where the study lets it be changed.
  let half = experiment.integer("batch").get(0) div 2
  let halves = failure.class == FailureClass.deviceMemory and experiment.canAdjust("batch")
  if halves and half >= int(policy.smallestBatch):
    return retry(initDuration(), "half the batch needs less", {"batch": $half})
  if not verdict.get(attempts.canPass(failure.class)) or attempts.retries >= int(policy.maxRetries):
    return giveUp(failure.evidence)
  # A service that asks for time gets it. The seed makes chance the same in
  # every replay.
  let waits = initBackoff(policy.delaySeconds, jitter = Jitter.equal, seed = experiment.seed)
  retry(attempt.askedToWait.get(waits.waitAfter(attempts)), "can pass: " & failure.evidence)

exportPolicy(initMyPolicy(), name = "my-policy",
             summary = "Retries what can pass, and halves the batch while device memory is short")
