local reprieve = require "reprieve"

-- Retries a network failure twice, and halves the batch while device memory is short.
local policy = {
  name = "two-strikes",
  summary = "Two strikes for the network, half the batch for memory",
}

function policy.decide(experiment, attempts)
  local failure = attempts[#attempts].failure
  if not failure then return reprieve.accept() end
  if failure.class == "network" and reprieve.failures_of(attempts, "network") <= 2 then
    local waits = reprieve.backoff { first_ms = 1000, factor = 2, jitter = "full", seed = experiment.seed }
    return reprieve.retry(waits:after(attempts), "can pass: " .. failure.evidence)
  end
  local batch = math.tointeger(tonumber(experiment.parameters.batch))
  if failure.class == "device-memory" and batch and batch >= 2 and experiment.adjustable.batch then
    return reprieve.retry(0, "half the batch needs less", { overrides = { batch = batch // 2 } })
  end
  return reprieve.give_up(failure.evidence)
end

return policy
