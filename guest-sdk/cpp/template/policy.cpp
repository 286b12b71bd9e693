// What follows when an attempt at an experiment has ended.
//
// The host calls `decide` once an attempt, each time on a fresh instance: a
// policy remembers nothing, and all it may know arrives as arguments. It does
// no work either: it answers, and the host waits, places and cleans.

#include "reprieve.hpp"

using namespace reprieve;

// These pass by themselves, after a while.
static bool can_pass(FailureClass cause)
{
    return cause == FailureClass::network || cause == FailureClass::rate_limited ||
           cause == FailureClass::driver_transient || cause == FailureClass::device_occupied;
}

struct MyPolicy {
    // The settings, which a study gives in `[policy]`, with their defaults.
    std::uint32_t max_retries = 3;    // how often a failure that can pass is tried again
    seconds delay{30};                // before the first retry; it doubles from one to the next
    std::uint32_t smallest_batch = 1; // the batch is not halved below this

    static constexpr Info info{
        .name = "my-policy",
        .summary = "Retries what can pass, and halves the batch while device memory is short",
    };

    static constexpr Setting<MyPolicy> settings[] = {
        {"max_retries", &MyPolicy::max_retries},
        {"delay_seconds", &MyPolicy::delay},
        {"smallest_batch", &MyPolicy::smallest_batch},
    };

    // Refuses settings; the text is what their author reads.
    std::optional<std::string> check() const
    {
        if (smallest_batch == 0)
            return "`smallest_batch` is `0`, expected 1 or more";
        return std::nullopt;
    }

    // Judges the newest attempt. Successes are judged too: a policy may throw
    // away a measurement that it does not trust.
    Decision decide(const Experiment &experiment, const Attempts &attempts, const Progress &) const
    {
        const auto failure = attempts.last().failure();
        if (!failure)
            return Accept{};
        const std::string evidence(failure->evidence);

        if (can_pass(failure->cause) && attempts.retries() < max_retries) {
            // A service that asks for time gets it. The seed makes chance the
            // same in every replay.
            const Backoff waits{.first = delay, .jitter = Jitter::equal, .seed = experiment.seed()};
            const auto asked = attempts.last().asked_to_wait();
            return Retry{.after = asked.value_or(waits.wait_after(attempts)), .reason = "can pass: " + evidence};
        }

        // A smaller batch needs less memory, where the study lets it be changed.
        const auto half = experiment.parsed<std::uint32_t>("batch").value_or(0) / 2;
        if (failure->cause == FailureClass::device_memory && experiment.can_adjust("batch") && half >= smallest_batch)
            return Retry{.reason = "half the batch needs less", .overrides = {{"batch", std::to_string(half)}}};
        return GiveUp{evidence};
    }
};

REPRIEVE_EXPORT(MyPolicy);
