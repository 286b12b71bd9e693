// What follows when an attempt at an experiment has ended.
//
// The host calls `decide` once an attempt, each time on a fresh instance: a
// policy remembers nothing, and all it may know arrives as arguments. It does
// no work either: it answers, and the host waits, places and cleans.

#include "reprieve.hpp"

using namespace reprieve;

// Whether a failure of this class may pass.
static bool can_pass(FailureClass cause, const Attempts &attempts)
{
    switch (cause) {
    // These do, after a while.
    case FailureClass::network:
    case FailureClass::rate_limited:
    case FailureClass::driver_transient:
    case FailureClass::communication:
    case FailureClass::device_occupied:
        return true;
    // These may: one more attempt tells.
    case FailureClass::hang:
    case FailureClass::crash:
    case FailureClass::device_program:
    case FailureClass::unknown:
        return attempts.failures_of(cause) == 1;
    default:
        return false;
    }
}

struct MyPolicy {
    // The settings, which a study gives in `[policy]`, with their defaults.
    std::uint32_t max_retries = 3;
    seconds delay{30};
    std::uint32_t smallest_batch = 1;

    static constexpr Info info{
        .name = "my-policy",
        .summary = "Retries what can pass, and halves the batch while device memory is short",
    };

    // Their names, what they are for, and the least that a number may be: 0
    // where nothing is said. A function `check` may refuse more of them.
    static constexpr Setting<MyPolicy> settings[] = {
        {"max_retries", &MyPolicy::max_retries, "How often a failure that can pass is tried again."},
        {"delay_seconds", &MyPolicy::delay, "The wait before the first retry; it doubles from one to the next."},
        {"smallest_batch", &MyPolicy::smallest_batch, "The batch is not halved below this.", 1},
    };

    // Judges the newest attempt. Successes are judged too: a policy may throw
    // away a measurement that it does not trust.
    Decision decide(const Experiment &experiment, const Attempts &attempts, const Progress &) const
    {
        const Attempt &attempt = attempts.last();
        const auto failure = attempt.failure();
        if (!failure)
            return Accept{};
        const std::string evidence(failure->evidence);

        // The experiment knows its failure best, where it says something of it.
        const auto verdict = attempt.retryable();
        if (verdict == false)
            return GiveUp{evidence};

        // A smaller batch needs less memory, where the study lets it be changed.
        const auto half = experiment.parsed<std::uint32_t>("batch").value_or(0) / 2;
        if (failure->cause == FailureClass::device_memory && experiment.can_adjust("batch") && half >= smallest_batch)
            return Retry{.reason = "half the batch needs less", .overrides = {{"batch", std::to_string(half)}}};

        if (!verdict.value_or(can_pass(failure->cause, attempts)) || attempts.retries() >= max_retries)
            return GiveUp{evidence};

        // A service that asks for time gets it. The seed makes chance the same
        // in every replay.
        const Backoff waits{.first = delay, .jitter = Jitter::equal, .seed = experiment.seed()};
        const auto wait = attempt.asked_to_wait().value_or(waits.wait_after(attempts));
        return Retry{.after = wait, .reason = "can pass: " + evidence};
    }
};

REPRIEVE_EXPORT(MyPolicy);
