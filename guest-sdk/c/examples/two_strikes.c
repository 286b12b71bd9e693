#include "reprieve.h"

/* Retries a network failure twice, and halves the batch while device memory is short. */
static rp_decision decide(const rp_experiment *experiment, rp_attempts attempts, const rp_progress *)
{
    const rp_failure *failure = rp_failure_of(rp_last(attempts));
    if (!failure)
        return rp_accept();

    if (failure->cause == RP_NETWORK && rp_failures_of(attempts, RP_NETWORK) <= 2) {
        rp_backoff waits = rp_exponential(1.0, 2.0);
        waits.jitter = RP_JITTER_FULL;
        waits.seed = experiment->seed;
        return rp_retry(rp_wait_after_ms(waits, attempts), rp_join(RP_TEXT("can pass: "), failure->evidence));
    }

    uint64_t batch = rp_parameter_u64(experiment, "batch", 0);
    if (failure->cause == RP_DEVICE_MEMORY && batch >= 2 && rp_can_adjust(experiment, "batch")) {
        rp_decision retry = rp_retry(0, RP_TEXT("half the batch needs less"));
        rp_override(&retry, "batch", rp_number(batch / 2));
        return retry;
    }
    return rp_give_up(failure->evidence);
}

RP_POLICY(.name = "two-strikes", .version = "0.1.0", .summary = "Two strikes for the network, half the batch for memory");
RP_DECIDES(decide);
