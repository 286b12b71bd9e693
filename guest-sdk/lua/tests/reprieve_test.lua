-- The SDK by itself. Each check is one that the Rust SDK has too.

local reprieve = require "reprieve"

local function first(count, options)
  local waits = {}
  for wait in reprieve.backoff(options):waits() do
    waits[#waits + 1] = wait
    if #waits == count then return table.concat(waits, " ") end
  end
end

local function after(count, waited_for)
  local attempts = {}
  for place = 1, count do attempts[place] = reprieve.failed("network", "") end
  attempts[count].waited_for = waited_for or 0
  return attempts
end

local function asked(text)
  return reprieve.asked_to_wait_ms(reprieve.failed("rate-limited", text))
end

local policy = {
  settings = {
    retries = reprieve.setting(3, "How often."),
    seconds = reprieve.setting(1.5),
    on = reprieve.setting(false),
    colour = reprieve.setting("red", nil, { "red", "green" }),
    colours = reprieve.setting({ "red" }, nil, { "red", "green" }),
    limit = reprieve.optional("How many."),
  },
}

local function refusal(given)
  local read, why = pcall(reprieve.configure, policy, given)
  return read and "" or why
end

return {
  ["waits grow up to their cap"] = function()
    local found = first(4, { first_ms = 1000, cap_ms = 5000 })
    assert(found == "1000 2000 4000 5000", found)
    assert(reprieve.backoff({ first_ms = 1000 }):after(after(3)) == 4000)
    assert(first(2, { first_ms = 2000, factor = -3 }) == "2000 2000" and first(2, { first_ms = 2000, factor = 0 }) == "2000 0")
  end,
  ["decorrelated waits build on the wait that was"] = function()
    for seed = 0, 99 do
      local waits = reprieve.backoff { first_ms = 1000, cap_ms = 40000, jitter = "decorrelated", seed = seed }
      local wait = waits:after(after(2, 10000))
      assert(wait >= 1000 and wait <= 30000, wait)
      assert(waits:after(after(2, math.huge)) <= 40000)
    end
  end,
  ["the texts that services write are understood"] = function()
    assert(asked("429 Too Many Requests, retry after 30 seconds") == 30000)
    assert(asked("Please try again in 1m30s") == 90000)
    assert(asked("will not retry after 3 attempts") == nil and asked("") == nil)
  end,
  ["settings are read with their defaults"] = function()
    local read = reprieve.configure(policy, { retries = 7, colours = { "green", "red" }, limit = 0 })
    assert(read.retries == 7 and read.seconds == 1.5 and read.on == false and read.colour == "red" and read.limit == 0)
    assert(table.concat(read.colours, " ") == "green red" and reprieve.configure(policy, {}).limit == nil)
  end,
  ["what is wrong is refused by name"] = function()
    assert(refusal { retrys = 1 } == "unknown setting `retrys`, expected one of `colour`, `colours`, `limit`, `on`, `retries`, `seconds`")
    assert(refusal { retries = -1 } == "`retries`: `-1`, expected a whole number, 0 or more")
    assert(refusal { retries = 1.5 } ~= "" and refusal { seconds = "1" } == '`seconds`: `"1"`, expected a number, 0 or more')
    assert(refusal { colour = "blue" } == '`colour`: `"blue"`, expected one of `red`, `green`')
    assert(refusal { colours = { "red", "blue" } } ~= "" and refusal { on = 1 } == "`on`: `1`, expected a boolean")
    assert(refusal { limit = "x" } ~= "")
  end,
  ["settings are the schema"] = function()
    local retries = reprieve.schema(policy).properties.retries
    assert(retries.type == "integer" and retries.default == 3 and retries.description == "How often." and retries.minimum == 0)
    assert(reprieve.schema {} == nil)
  end,
}
