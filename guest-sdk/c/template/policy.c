/* What follows when an attempt at an experiment has ended.
 *
 * The host calls `decide` once an attempt, each time on a fresh instance: a
 * policy remembers nothing, and all it may know arrives as arguments. It does
 * no work either: it answers, and the host waits, places and cleans. */

#include "reprieve.h"

/* The settings, which a study gives in `[policy]`, with their defaults. */
static uint32_t max_retries = 3;
static double delay_seconds = 30;
static uint32_t smallest_batch = 1;

static const rp_setting settings[] = {
    RP_SETTING("max_retries", max_retries, .about = "How often a failure that can pass is tried again."),
    RP_SETTING("delay_seconds", delay_seconds,
               .about = "The wait before the first retry; it doubles from one to the next."),
    RP_SETTING("smallest_batch", smallest_batch, .about = "The batch is not halved below this.", .at_least = 1),
};

/* Whether a failure of this class may pass. */
static bool can_pass(rp_cause cause, rp_attempts attempts)
{
    switch (cause) {
    /* These do, after a while. */
    case RP_NETWORK:
    case RP_RATE_LIMITED:
    case RP_DRIVER_TRANSIENT:
    case RP_COMMUNICATION:
    case RP_DEVICE_OCCUPIED:
        return true;
    /* These may: one more attempt tells. */
    case RP_HANG:
    case RP_CRASH:
    case RP_DEVICE_PROGRAM:
    case RP_UNKNOWN:
        return rp_failures_of(attempts, cause) == 1;
    default:
        return false;
    }
}

/* Judges the newest attempt. Successes are judged too: a policy may throw away
 * a measurement that it does not trust. */
static rp_decision decide(const rp_experiment *experiment, rp_attempts attempts, const rp_progress *)
{
    const rp_attempt *attempt = rp_last(attempts);
    const rp_failure *failure = rp_failure_of(attempt);
    if (!failure)
        return rp_accept();

    /* The experiment knows its failure best, where it says something of it. */
    rp_optional_bool verdict = rp_retryable(attempt);
    if (verdict.present && !verdict.value)
        return rp_give_up(failure->evidence);

    /* A smaller batch needs less memory, where the study lets it be changed. */
    uint64_t half = rp_parameter_u64(experiment, "batch", 0) / 2;
    if (failure->cause == RP_DEVICE_MEMORY && rp_can_adjust(experiment, "batch") && half >= smallest_batch) {
        rp_decision retry = rp_retry(0, RP_TEXT("half the batch needs less"));
        rp_override(&retry, "batch", rp_number(half));
        return retry;
    }

    if (!verdict.present && !can_pass(failure->cause, attempts))
        return rp_give_up(failure->evidence);
    if (rp_retries(attempts) >= max_retries)
        return rp_give_up(failure->evidence);

    /* A service that asks for time gets it. The seed makes chance the same in
     * every replay. */
    rp_backoff waits = rp_exponential(delay_seconds, 2.0);
    waits.jitter = RP_JITTER_EQUAL;
    waits.seed = experiment->seed;
    rp_optional_u64 asked = rp_asked_to_wait_ms(attempt);
    uint64_t wait_ms = asked.present ? asked.value : rp_wait_after_ms(waits, attempts);
    return rp_retry(wait_ms, rp_join(RP_TEXT("can pass: "), failure->evidence));
}

/* A function `.check` may refuse more settings than kinds and bounds do. */
RP_POLICY(.name = "my-policy", .version = "0.1.0",
          .summary = "Retries what can pass, and halves the batch while device memory is short",
          .settings = settings, .settings_count = sizeof settings / sizeof settings[0]);
RP_DECIDES(decide);
