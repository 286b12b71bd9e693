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

const passing = {FailureClass.network, FailureClass.rateLimited, FailureClass.driverTransient, FailureClass.deviceOccupied}
  ## These pass by themselves, after a while.

proc check*(policy: MyPolicy) =
  ## Refuses settings; the error's text is what their author reads.
  if policy.smallestBatch == 0: raise newException(ValueError, "`smallest_batch` is `0`, expected 1 or more")

proc decide*(policy: MyPolicy, experiment: Experiment, attempts: seq[Attempt], progress: Progress): Decision =
  ## Judges the newest attempt. Successes are judged too: a policy may throw away a measurement that it does not trust.
  let attempt = attempts[^1]
  if attempt.failure.isNone: return accept()
  let failure = attempt.failure.get
  # What the experiment says of its failure itself goes before its class.
  if attempt.calledRetryable.get(failure.class in passing):
    if attempts.retries >= int(policy.maxRetries): return giveUp(failure.evidence)
    # A service that asks for time gets it. The seed makes chance the same in
    # every replay.
    let waits = initBackoff(policy.delaySeconds, jitter = Jitter.equal, seed = experiment.seed)
    return retry(attempt.askedToWait.get(waits.waitAfter(attempts)), "can pass: " & failure.evidence)
  # A smaller batch needs less memory, where the study lets it be changed.
  let half = experiment.integer("batch").get(0) div 2
  let halves = failure.class == FailureClass.deviceMemory and attempt.calledRetryable.isNone
  if halves and experiment.canAdjust("batch") and half >= int(policy.smallestBatch):
    return retry(initDuration(), "half the batch needs less", {"batch": $half})
  giveUp(failure.evidence)

exportPolicy(initMyPolicy(), name = "my-policy",
             summary = "Retries what can pass, and halves the batch while device memory is short")
