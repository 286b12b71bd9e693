-- A policy is plain functions: they are tested without a host, a GPU, or WebAssembly.

local reprieve = require "reprieve"
local policy = require "policy"

local function decide(attempts, batch)
  local experiment = reprieve.experiment { parameters = { batch = batch or "64" }, adjustable = { batch = true }, seed = 7 }
  return policy.decide(experiment, attempts, {}, reprieve.configure(policy, {}))
end

-- Why these settings are refused; empty where they are not.
local function refusal(given)
  local taken, why = pcall(reprieve.configure, policy, given)
  return taken and "" or why
end

return {
  ["a success is accepted"] = function()
    assert(decide({ reprieve.succeeded() }).decision == "accept")
  end,
  ["the network gets three more chances"] = function()
    local network = reprieve.failed("network", "connection reset")
    local first = decide({ network }).delay_ms
    assert(first >= 15000 and first <= 30000, first)
    local last = decide({ network, network, network, network })
    assert(last.decision == "give-up" and last.reason == "connection reset")
  end,
  ["a service that asks for time gets it"] = function()
    assert(decide({ reprieve.failed("rate-limited", "429, retry after 90 seconds") }).delay_ms == 90000)
  end,
  ["the batch is halved while that can be done"] = function()
    local short = { reprieve.failed("device-memory", "out of memory") }
    assert(decide(short).overrides.batch == 32)
    assert(decide(short, "1").decision == "give-up")
  end,
  ["what the experiment says itself goes first"] = function()
    local attempt = reprieve.failed("network", "401 from the mirror")
    attempt.self_report = { retryable = false, kind = "LicenceError", message = "" }
    assert(decide({ attempt }).decision == "give-up")
    attempt = reprieve.failed("configuration", "no such file")
    attempt.self_report = { retryable = true, kind = "NotYetThere", message = "" }
    assert(decide({ attempt }).decision == "retry")
  end,
  ["settings that make no sense are refused"] = function()
    assert(refusal { max_retries = 5 } == "")
    assert(refusal { smallest_batch = 0 } == "`smallest_batch`: `0`, expected 1 or more")
    assert(refusal { delay_seconds = -1 } == "`delay_seconds`: `-1`, expected a number, 0 or more")
    assert(refusal { max_retries = -1 } == "`max_retries`: `-1`, expected a whole number, 0 or more")
    assert(refusal { max_retry = 1 } ~= "")
  end,
}
