-- The standard policy's behaviour, in Lua: it must decide as the built-in one does.

local reprieve = require "reprieve"
local setting, optional = reprieve.setting, reprieve.optional

local CLASSES = {
  "network", "rate-limited", "driver-transient", "communication", "device-memory", "device-occupied", "host-memory",
  "device-program", "device-hardware", "hang", "crash", "storage", "access", "configuration", "cancelled", "unknown",
}
local RETRY = { "network", "rate-limited", "driver-transient", "communication", "device-occupied" }
local RETRY_ONCE = { "hang", "crash", "device-program", "unknown" }

local policy = {
  name = "standard",
  summary = "Retries failures that can pass, with growing waits; gives up on the rest",
  settings = {
    max_retries = setting(3, "Attempts after the first, at each stage of an experiment."),
    delay_seconds = setting(1.0, "The wait after the first attempt, in seconds."),
    backoff_factor = setting(2.0, "What each further wait is multiplied by."),
    max_delay_seconds = setting(3600.0, "No wait is longer."),
    jitter = setting("none", "How chance spreads the waits.", { "none", "full", "equal", "decorrelated" }),
    retry = setting(RETRY, "Failures that are retried.", CLASSES),
    retry_once = setting(RETRY_ONCE, "Failures that are retried once.", CLASSES),
    retries_in_study = optional("Retries in the whole study."),
    stop_after_failures_in_a_row = optional("Stops the study."),
    leftovers_grace_seconds = setting(10.0, "Between the signal and the kill."),
    remove_shared_memory = setting(true, "Whether shared memory is removed."),
    memory_tolerance_mib = setting(64, "Above the baseline that still counts as clean."),
    memory_timeout_seconds = setting(120.0, "How long memory may take to come back."),
    cool_down_to_celsius = optional("Lets the devices cool."),
    cool_down_timeout_seconds = setting(600.0, "How long that may take."),
  },
}

function policy.check(settings)
  if settings.stop_after_failures_in_a_row == 0 then error("`stop_after_failures_in_a_row`: expected 1 or more", 0) end
end

local function has(list, wanted)
  for _, one in ipairs(list) do
    if one == wanted then return true end
  end
  return false
end

-- Puts the evidence after what is said of it, where there is evidence.
local function tell(what, evidence)
  return evidence == "" and what or what .. ": " .. evidence
end

local function count(attempts)
  return #attempts == 1 and "1 attempt" or #attempts .. " attempts"
end

-- Whether the failure can pass, why, and whether it is retried only once.
local function can_pass(attempts, failure, settings)
  local class, report = failure.class, attempts[#attempts].self_report
  if report and report.retryable ~= nil then
    local said = report.message ~= "" and report.message or report.kind ~= "" and report.kind or failure.evidence
    local verdict = report.retryable and "worth retrying" or "final"
    return report.retryable, tell("the experiment called its " .. class .. " failure " .. verdict, said)
  end
  if has(settings.retry, class) then return true, tell(class .. " failure can pass", failure.evidence) end
  if not has(settings.retry_once, class) then
    return false, tell(class .. " failures do not pass by themselves", failure.evidence)
  end
  if reprieve.failures_of(attempts, class) == 1 then
    return true, tell(class .. " failures are retried once", failure.evidence), true
  end
  return false, tell("gave up after " .. count(attempts) .. ": " .. class .. " failure again", failure.evidence)
end

local function worth_retrying(attempts, failure, progress, settings)
  local worth, why, once = can_pass(attempts, failure, settings)
  if not worth then return false, why end
  local failed, most = failure.class .. " failure", settings.retries_in_study
  if #attempts > settings.max_retries then
    return false, tell("gave up after " .. count(attempts) .. ": " .. failed, failure.evidence)
  end
  if most and progress.retries >= most then
    return false, tell("the study's " .. most .. " retries are used up: " .. failed, failure.evidence)
  end
  return true, once and why or why .. "; retry " .. #attempts .. " of " .. settings.max_retries
end

function policy.decide(experiment, attempts, progress, settings)
  local attempt = attempts[#attempts]
  local failure = attempt.failure
  if not failure then return reprieve.accept() end
  local worth, why = worth_retrying(attempts, failure, progress, settings)
  if worth then
    local cap_ms = settings.max_delay_seconds * 1000
    local waits = reprieve.backoff {
      first_ms = settings.delay_seconds * 1000, factor = settings.backoff_factor, cap_ms = cap_ms,
      jitter = settings.jitter, seed = experiment.seed,
    }
    local wait_ms = waits:after(attempts)
    local asked_ms = failure.class == "rate-limited" and reprieve.asked_to_wait_ms(attempt)
    return reprieve.retry(asked_ms and math.min(cap_ms, math.max(wait_ms, asked_ms)) or wait_ms, why)
  end
  local in_a_row, most = progress.failed_in_a_row + 1, settings.stop_after_failures_in_a_row
  if most and in_a_row >= most and attempt.stage ~= "finish" then
    return reprieve.stop_study("experiments that failed in a row: " .. in_a_row .. "; the last: " .. why)
  end
  return reprieve.give_up(why)
end

function policy.plan(_, attempt, settings)
  if not attempt then return {} end
  local steps = reprieve.steps
  local plan = { steps.end_leftovers(settings.leftovers_grace_seconds * 1000) }
  if settings.remove_shared_memory then table.insert(plan, steps.remove_shared_memory()) end
  table.insert(plan, steps.release_cached_memory())
  local tolerance_bytes = settings.memory_tolerance_mib * 2 ^ 20
  local await = steps.await_memory(tolerance_bytes, settings.memory_timeout_seconds * 1000)
  table.insert(plan, reprieve.or_quarantine(await))
  if settings.cool_down_to_celsius then
    local timeout_ms = settings.cool_down_timeout_seconds * 1000
    table.insert(plan, steps.await_temperature(settings.cool_down_to_celsius, timeout_ms))
  end
  return plan
end

return policy
