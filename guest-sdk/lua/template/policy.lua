-- What follows when an attempt at an experiment has ended.
--
-- The host calls `decide` once an attempt, each time on a fresh instance: a
-- policy remembers nothing, and all it may know arrives as arguments. It does
-- no work either: it answers, and the host waits, places and cleans.

local reprieve = require "reprieve"

-- These pass by themselves, after a while.
local passing = {
  network = true, ["rate-limited"] = true, ["driver-transient"] = true, communication = true, ["device-occupied"] = true,
}
-- These may: one more attempt tells.
local once = { hang = true, crash = true, ["device-program"] = true, unknown = true }

local policy = {
  name = "my-policy",
  summary = "Retries what can pass, and halves the batch while device memory is short",

  -- The settings, which a study gives in `[policy]`, with their defaults.
  settings = {
    max_retries = reprieve.setting(3, "How often a failure that can pass is tried again."),
    delay_seconds = reprieve.setting(30.0, "The wait before the first retry; it doubles from one to the next."),
    smallest_batch = reprieve.setting(1, "The batch is not halved below this."),
  },
}

-- Refuses settings; the error's text is what their author reads.
function policy.check(settings)
  if settings.smallest_batch == 0 then error("`smallest_batch`: `0`, expected 1 or more", 0) end
end

-- Judges the newest attempt, the last one. Successes are judged too: a policy
-- may throw away a measurement that it does not trust.
function policy.decide(experiment, attempts, _, settings)
  local attempt = attempts[#attempts]
  local failure, report = attempt.failure, attempt.self_report
  if not failure then return reprieve.accept() end
  -- The experiment knows its failure best, where it says something of it.
  local verdict = report and report.retryable
  if verdict == false then return reprieve.give_up(failure.evidence) end
  -- A smaller batch needs less memory, where the study lets it be changed.
  if failure.class == "device-memory" and experiment.adjustable.batch then
    local half = (math.tointeger(tonumber(experiment.parameters.batch)) or 0) // 2
    if half >= settings.smallest_batch then
      return reprieve.retry(0, "half the batch needs less", { overrides = { batch = half } })
    end
  end
  local again = reprieve.failures_of(attempts, failure.class) > 1
  local can_pass = verdict or passing[failure.class] or once[failure.class] and not again
  if not can_pass or #attempts > settings.max_retries then return reprieve.give_up(failure.evidence) end
  -- A service that asks for time gets it. The seed makes chance the same in
  -- every replay.
  local waits = reprieve.backoff { first_ms = 1000 * settings.delay_seconds, jitter = "equal", seed = experiment.seed }
  local wait_ms = reprieve.asked_to_wait_ms(attempt) or waits:after(attempts)
  return reprieve.retry(wait_ms, "can pass: " .. failure.evidence)
end

return policy
