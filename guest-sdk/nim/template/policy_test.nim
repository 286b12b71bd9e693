## A policy is plain procs: they are tested without a host, a GPU, or WebAssembly.

import std/[strutils, unittest]
import policy, reprieve

proc decide(attempts: seq[Attempt], batch = "64"): Decision =
  let experiment = Experiment(parameters: @[(name: "batch", value: batch)], adjustable: @["batch"], seed: 7)
  initMyPolicy().decide(experiment, attempts, Progress())

proc refusal(json: string): string =
  ## Why these settings are refused; empty where they are not.
  var policy = initMyPolicy()
  try: configure(policy, json)
  except ValueError as error: return error.msg

test "a success is accepted":
  check decide(@[succeeded()]).kind == DecisionKind.accept

test "the network gets three more chances":
  let network = failed(FailureClass.network, "connection reset")
  let first = decide(@[network]).delay
  check first >= initDuration(seconds = 15) and first <= initDuration(seconds = 30)
  let last = decide(@[network, network, network, network])
  check last.kind == DecisionKind.giveUp and last.reason == "connection reset"

test "a service that asks for time gets it":
  let asked = failed(FailureClass.rateLimited, "429, retry after 90 seconds")
  check decide(@[asked]).delay == initDuration(seconds = 90)

test "the batch is halved while that can be done":
  let short = @[failed(FailureClass.deviceMemory, "out of memory")]
  check decide(short).overrides == @[(name: "batch", value: "32")]
  check decide(short, "1").kind == DecisionKind.giveUp

test "what the experiment says itself goes first":
  var attempt = failed(FailureClass.network, "401 from the mirror")
  attempt.selfReport = some(SelfReport(retryable: some(false), kind: "LicenceError"))
  check decide(@[attempt]).kind == DecisionKind.giveUp
  attempt = failed(FailureClass.configuration, "no such file")
  attempt.selfReport = some(SelfReport(retryable: some(true), kind: "NotYetThere"))
  check decide(@[attempt]).kind == DecisionKind.retry

test "settings that make no sense are refused":
  check refusal("""{"max_retries": 5}""") == ""
  check refusal("""{"smallest_batch": 0}""") == "`smallest_batch`: `0`, expected 1 or more"
  check refusal("""{"delay_seconds": -1}""") == "`delay_seconds`: `-1`, expected a number, 0 or more"
  check refusal("""{"max_retries": -1}""") == "`max_retries`: `-1`, expected a whole number from 0 to 4294967295"
  check refusal("""{"max_retry": 1}""").startsWith("unknown setting")
