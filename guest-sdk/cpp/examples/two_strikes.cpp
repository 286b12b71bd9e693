#include "reprieve.hpp"

using namespace reprieve;
using namespace std::chrono_literals;

// Retries a network failure twice, and halves the batch while device memory is short.
struct TwoStrikes {
    static constexpr Info info{
        .name = "two-strikes",
        .summary = "Two strikes for the network, half the batch for memory",
    };

    Decision decide(const Experiment &experiment, const Attempts &attempts, const Progress &) const
    {
        const auto failure = attempts.last().failure();
        if (!failure)
            return Accept{};
        const std::string evidence(failure->evidence);

        if (failure->cause == FailureClass::network && attempts.failures_of(FailureClass::network) <= 2) {
            const Backoff waits{.first = 1s, .jitter = Jitter::full, .seed = experiment.seed()};
            return Retry{.after = waits.wait_after(attempts), .reason = "can pass: " + evidence};
        }

        const auto batch = experiment.parsed<unsigned>("batch").value_or(0);
        if (failure->cause == FailureClass::device_memory && batch >= 2 && experiment.can_adjust("batch"))
            return Retry{.reason = "half the batch needs less", .overrides = {{"batch", std::to_string(batch / 2)}}};
        return GiveUp{evidence};
    }
};

REPRIEVE_EXPORT(TwoStrikes);
