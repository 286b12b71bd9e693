-- Write a Reprieve policy in Lua: what follows a failed GPU experiment.
--
-- A policy is a table with `decide`, with `plan`, or with both. It remembers
-- nothing between calls, and does no work: it answers, and the host waits,
-- places and cleans. Spans of time are milliseconds.

local host = ... -- what is asked of JavaScript: `wait_ms`, `asked_to_wait_ms`
local reprieve = {}

-- Decisions.

-- Takes the attempt's outcome as the stage's outcome.
function reprieve.accept()
  return { decision = "accept" }
end

-- Runs the stage again after so many milliseconds, for this reason. `more` may have `overrides`, by the names of
-- adjustable parameters, `placement` ("same-devices", "other-devices") and `turn` ("last").
function reprieve.retry(delay_ms, reason, more)
  local retry = { decision = "retry", delay_ms = delay_ms, reason = reason }
  for key, value in pairs(more or {}) do retry[key] = value end
  return retry
end

-- The experiment has failed, for this reason. The study goes on.
function reprieve.give_up(reason)
  return { decision = "give-up", reason = reason }
end

-- Starts no further experiment, for this reason.
function reprieve.stop_study(reason)
  return { decision = "stop-study", reason = reason }
end

-- What is told.

-- How many attempts failed in this way, the last one counted.
function reprieve.failures_of(attempts, class)
  local count = 0
  for _, attempt in ipairs(attempts) do
    if attempt.failure and attempt.failure.class == class then count = count + 1 end
  end
  return count
end

-- An experiment with these fields, a success and a failure, for tests.
function reprieve.experiment(fields)
  local experiment = { name = "", parameters = {}, adjustable = {}, labels = {}, devices = 1, seed = 0 }
  for key, value in pairs(fields) do experiment[key] = value end
  return experiment
end

function reprieve.succeeded()
  return { number = 1, stage = "measure", waited_for = 0, ran_for = 0 }
end

function reprieve.failed(class, evidence)
  local attempt = reprieve.succeeded()
  attempt.failure = { class = class, evidence = evidence }
  return attempt
end

-- How long a remote service asked to be left alone, where its text says so.
function reprieve.asked_to_wait_ms(attempt)
  return host.asked_to_wait_ms(attempt.self_report and attempt.self_report.message, attempt.failure and attempt.failure.evidence)
end

-- Waits.

local Backoff = {}
Backoff.__index = Backoff

-- Waits that grow. `options` are `first_ms`, `factor` (2), `cap_ms`, `jitter` ("none", "full", "equal",
-- "decorrelated"), and `seed`, the experiment's, where there is jitter.
function reprieve.backoff(options)
  return setmetatable({ options = options }, Backoff)
end

-- The wait that follows these attempts.
function Backoff:after(attempts)
  return host.wait_ms(self.options, #attempts, #attempts > 1 and attempts[#attempts].waited_for or nil)
end

-- The waits, without end, the first one that after the first attempt: `for wait in backoff:waits() do`.
function Backoff:waits()
  local count = 0
  return function()
    count = count + 1
    return host.wait_ms(self.options, count)
  end
end

-- Steps of a cleanup.

local function step(action, value)
  return { action = action, value = value, if_it_fails = "carry-on" }
end

reprieve.steps = {
  -- Ends what the experiment left running: a termination signal, this grace, a kill.
  end_leftovers = function(grace_ms) return step("end-leftovers", grace_ms) end,
  -- Removes the shared-memory files that the experiment left behind.
  remove_shared_memory = function() return step("remove-shared-memory") end,
  -- Waits until the work queued in the host's own contexts is done.
  synchronize = function() return step("synchronize") end,
  -- Gives the memory that the host's own allocators cache back to the device.
  release_cached_memory = function() return step("release-cached-memory") end,
  -- Destroys the host's own contexts on the devices.
  reset_contexts = function() return step("reset-contexts") end,
  -- Waits until used memory is back at the baseline.
  await_memory = function(tolerance_bytes, timeout_ms)
    return step("await-memory", { tolerance = tolerance_bytes, timeout = timeout_ms })
  end,
  -- Waits until the devices have cooled.
  await_temperature = function(at_most_celsius, timeout_ms)
    return step("await-temperature", { at_most = at_most_celsius, timeout = timeout_ms })
  end,
  -- Waits until the devices are idle.
  await_idle = function(at_most_percent, timeout_ms)
    return step("await-idle", { at_most = at_most_percent, timeout = timeout_ms })
  end,
  -- Proves the devices usable: allocates, writes, reads back and frees memory on each.
  probe = function(allocate_bytes, timeout_ms) return step("probe", { allocate = allocate_bytes, timeout = timeout_ms }) end,
  -- Lets this much time pass.
  pause = function(ms) return step("pause", ms) end,
  -- Runs a command that the study declares under this name.
  run_hook = function(name) return step("run-hook", name) end,
}

-- Without this step its device is not fit for the next experiment.
function reprieve.or_quarantine(one)
  one.if_it_fails = "quarantine-device"
  return one
end

-- Without this step no further experiment is to start.
function reprieve.or_stop(one)
  one.if_it_fails = "stop-study"
  return one
end

-- Settings.

local Setting = {}

-- A setting: its default, what it is about, and the words that it is one of, or a list of. A default of `30` is a
-- whole number, one of `30.0` is any. Numbers are not negative.
function reprieve.setting(default, about, among)
  local kind = math.type(default) or type(default)
  return setmetatable({ default = default, about = about, among = among, kind = kind }, Setting)
end

-- A whole number that may be left out: it is nil then.
function reprieve.optional(about)
  return setmetatable({ about = about, kind = "integer" }, Setting)
end

local function is_among(words, given)
  for _, word in ipairs(words) do
    if word == given then return true end
  end
  return false
end

-- What is right for a setting, in words, where this is not.
local function expected(setting, given)
  if setting.kind == "integer" or setting.kind == "float" then
    local whole = setting.kind == "integer"
    local right = type(given) == "number" and given >= 0 and (not whole or given == math.floor(given))
    return not right and (whole and "a whole number, 0 or more" or "a number, 0 or more")
  end
  if type(given) ~= setting.kind then return "a " .. setting.kind end
  local words = setting.among and "one of `" .. table.concat(setting.among, "`, `") .. "`"
  if setting.kind == "table" then
    for _, word in ipairs(given) do
      if words and not is_among(setting.among, word) then return "a list, each " .. words end
    end
    return false
  end
  return words and not is_among(setting.among, given) and words
end

local function names(settings)
  local all = {}
  for name in pairs(settings) do all[#all + 1] = name end
  table.sort(all)
  return all
end

-- Reads what a study gives into the settings of a policy. Raises why it is refused, in the words for its author.
function reprieve.configure(policy, given)
  local settings = policy.settings or {}
  for name in pairs(given) do
    if not settings[name] then
      local all = table.concat(names(settings), "`, `")
      error("unknown setting `" .. name .. "`, " .. (all == "" and "there are none" or "expected one of `" .. all .. "`"), 0)
    end
  end
  local read = {}
  for name, setting in pairs(settings) do
    local value = given[name]
    local why = value ~= nil and expected(setting, value)
    if why then
      local told = type(value) == "string" and '"' .. value .. '"' or tostring(value)
      error("`" .. name .. "`: `" .. told .. "`, expected " .. why, 0)
    end
    read[name] = value
    if value == nil then read[name] = setting.default end
  end
  if policy.check then policy.check(read) end
  return read
end

-- The settings as a JSON Schema tells them, or nil.
function reprieve.schema(policy)
  local properties
  for name, setting in pairs(policy.settings or {}) do
    local kind = ({ integer = "integer", float = "number", string = "string", boolean = "boolean", table = "array" })[setting.kind]
    local property = { type = kind, description = setting.about, default = setting.default }
    if kind == "integer" or kind == "number" then property.minimum = 0 end
    if kind == "array" then
      property.items = { enum = setting.among }
    elseif setting.among then
      property.enum = setting.among
    end
    properties = properties or {}
    properties[name] = property
  end
  return properties and { type = "object", additionalProperties = false, properties = properties }
end

return reprieve
