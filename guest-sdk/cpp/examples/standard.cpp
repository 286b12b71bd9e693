// The standard policy's behaviour, in C++: it must decide as the built-in one does.

#include "reprieve.hpp"

using namespace reprieve;
using Number = std::optional<std::uint32_t>;

struct Standard {
    std::uint32_t max_retries = 3;
    seconds delay{1};
    double backoff_factor = 2;
    seconds max_delay{3600};
    Jitter jitter = Jitter::none;
    std::set<FailureClass> retry{FailureClass::network, FailureClass::rate_limited, FailureClass::driver_transient,
                                 FailureClass::communication, FailureClass::device_occupied};
    std::set<FailureClass> retry_once{FailureClass::hang, FailureClass::crash, FailureClass::device_program,
                                      FailureClass::unknown};
    Number retries_in_study;
    Number stop_after_failures_in_a_row;
    seconds leftovers_grace{10};
    bool remove_shared_memory = true;
    std::uint32_t memory_tolerance_mib = 64;
    seconds memory_timeout{120};
    Number cool_down_to_celsius;
    seconds cool_down_timeout{600};

    static constexpr Info info{
        .name = "standard",
        .summary = "Retries failures that can pass, with growing waits; gives up on the rest",
    };

    static constexpr Setting<Standard> settings[] = {
        {"max_retries", &Standard::max_retries},
        {"delay_seconds", &Standard::delay},
        {"backoff_factor", &Standard::backoff_factor},
        {"max_delay_seconds", &Standard::max_delay},
        {"jitter", &Standard::jitter},
        {"retry", &Standard::retry},
        {"retry_once", &Standard::retry_once},
        {"retries_in_study", &Standard::retries_in_study},
        {"stop_after_failures_in_a_row", &Standard::stop_after_failures_in_a_row, "", 1},
        {"leftovers_grace_seconds", &Standard::leftovers_grace},
        {"remove_shared_memory", &Standard::remove_shared_memory},
        {"memory_tolerance_mib", &Standard::memory_tolerance_mib},
        {"memory_timeout_seconds", &Standard::memory_timeout},
        {"cool_down_to_celsius", &Standard::cool_down_to_celsius},
        {"cool_down_timeout_seconds", &Standard::cool_down_timeout},
    };

    Decision decide(const Experiment &experiment, const Attempts &attempts, const Progress &progress) const
    {
        const auto failure = attempts.last().failure();
        if (!failure)
            return Accept{};
        const Verdict verdict = worth_retrying(attempts, *failure, progress);
        if (verdict.worth_it)
            return Retry{.after = wait(experiment, attempts, *failure), .reason = verdict.why};
        const auto in_a_row = std::uint64_t{progress.failed_in_a_row} + 1;
        const Number most = stop_after_failures_in_a_row;
        if (most && in_a_row >= *most && attempts.last().stage() != Stage::finish)
            return StopStudy{"experiments that failed in a row: " + std::to_string(in_a_row) +
                             "; the last: " + verdict.why};
        return GiveUp{verdict.why};
    }

    Plan plan(const Experiment &, const Attempt *attempt) const
    {
        if (!attempt)
            return {};
        Plan steps{end_leftovers(whole(leftovers_grace))};
        if (remove_shared_memory)
            steps.push_back(reprieve::remove_shared_memory());
        steps.push_back(release_cached_memory());
        const std::uint64_t tolerance_bytes = std::uint64_t{memory_tolerance_mib} << 20;
        steps.push_back(await_memory(tolerance_bytes, whole(memory_timeout)).or_quarantine());
        if (cool_down_to_celsius)
            steps.push_back(await_temperature(*cool_down_to_celsius, whole(cool_down_timeout)));
        return steps;
    }

private:
    // Whether another attempt is worth it, why, and whether only this once.
    struct Verdict {
        bool worth_it;
        std::string why;
        bool once = false;
    };

    static std::string tell(std::string what, std::string_view evidence)
    {
        return evidence.empty() ? what : what.append(": ").append(evidence);
    }

    static std::string gave_up(const Attempts &attempts)
    {
        return "gave up after " + std::to_string(attempts.size()) + (attempts.size() == 1 ? " attempt" : " attempts");
    }

    Verdict worth_retrying(const Attempts &attempts, const Failure &failure, const Progress &progress) const
    {
        const Verdict verdict = can_pass(attempts, failure);
        if (!verdict.worth_it)
            return verdict;
        const std::string failed = std::string(name(failure.cause)) + " failure";
        if (attempts.retries() >= max_retries)
            return {false, tell(gave_up(attempts) + ": " + failed, failure.evidence)};
        if (retries_in_study && progress.retries >= *retries_in_study) {
            const std::string spent = "the study's " + std::to_string(*retries_in_study) + " retries are used up: ";
            return {false, tell(spent + failed, failure.evidence)};
        }
        if (verdict.once)
            return verdict;
        const std::string of = std::to_string(attempts.size()) + " of " + std::to_string(max_retries);
        return {true, verdict.why + "; retry " + of};
    }

    // Whether the failure can pass. The experiment knows best, where it said something.
    Verdict can_pass(const Attempts &attempts, const Failure &failure) const
    {
        const std::string cause(name(failure.cause));
        const auto report = attempts.last().self_report();
        if (report && report->retryable) {
            const std::string verdict = *report->retryable ? "worth retrying" : "final";
            const std::string_view said = !report->message.empty() ? report->message
                                          : !report->kind.empty()  ? report->kind
                                                                   : failure.evidence;
            return {*report->retryable, tell("the experiment called its " + cause + " failure " + verdict, said)};
        }
        if (retry.contains(failure.cause))
            return {true, tell(cause + " failure can pass", failure.evidence)};
        if (!retry_once.contains(failure.cause))
            return {false, tell(cause + " failures do not pass by themselves", failure.evidence)};
        if (attempts.failures_of(failure.cause) == 1)
            return {true, tell(cause + " failures are retried once", failure.evidence), true};
        return {false, tell(gave_up(attempts) + ": " + cause + " failure again", failure.evidence)};
    }

    // The backoff's wait, or what a service asked for where that is more, within the cap.
    milliseconds wait(const Experiment &experiment, const Attempts &attempts, const Failure &failure) const
    {
        const Backoff waits{delay, backoff_factor, max_delay, jitter, experiment.seed()};
        const milliseconds wait = waits.wait_after(attempts);
        const auto asked = attempts.last().asked_to_wait();
        if (failure.cause != FailureClass::rate_limited || !asked)
            return wait;
        return std::min(std::max(wait, *asked), whole(max_delay));
    }
};

REPRIEVE_EXPORT(Standard);
