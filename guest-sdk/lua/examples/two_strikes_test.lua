local reprieve = require "reprieve"
local policy = require "two_strikes"

return {
  ["the third network failure is the last"] = function()
    local network = reprieve.failed("network", "connection reset")
    local decision = policy.decide(reprieve.experiment { seed = 7 }, { network, network, network })
    assert(decision.decision == "give-up" and decision.reason == "connection reset")
  end,
}
