import reprieve

type TwoStrikes = object
  ## Retries a network failure twice, and halves the batch while device memory is short.

proc decide(policy: TwoStrikes, experiment: Experiment, attempts: seq[Attempt], progress: Progress): Decision =
  if attempts[^1].failure.isNone: return accept()
  let failure = attempts[^1].failure.get
  if failure.class == FailureClass.network and attempts.failuresOf(FailureClass.network) <= 2:
    let waits = initBackoff(1.0, 2.0, jitter = Jitter.full, seed = experiment.seed)
    return retry(waits.waitAfter(attempts), "can pass: " & failure.evidence)
  let batch = experiment.integer("batch").get(0)
  if failure.class == FailureClass.deviceMemory and batch >= 2 and experiment.canAdjust("batch"):
    return retry(initDuration(), "half the batch needs less", {"batch": $(batch div 2)})
  giveUp(failure.evidence)

exportPolicy(TwoStrikes(), name = "two-strikes", summary = "Two strikes for the network, half the batch for memory")

when isMainModule and not defined(wasm):
  import std/unittest

  test "the third network failure is the last":
    let network = failed(FailureClass.network, "connection reset")
    let decision = decide(TwoStrikes(), Experiment(), @[network, network, network], Progress())
    check decision.kind == DecisionKind.giveUp and decision.reason == "connection reset"
