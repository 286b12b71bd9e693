/* What follows when an attempt at an experiment has ended.
 *
 * The host calls `decide` once an attempt, each time on a fresh instance: a
 * policy remembers nothing, and all it may know arrives as arguments. It does
 * no work either: it answers, and the host waits, places and cleans. */

#include "reprieve.h"

/* The settings, which a study gives in `[policy]`, with their defaults. */
static uint32_t max_retries = 3;    /* how often a failure that can pass is tried again */
static double delay_seconds = 30;   /* before the first retry; it doubles from one to the next */
static uint32_t smallest_batch = 1; /* the batch is not halved below this */

static const rp_setting settings[] = {
    RP_SETTING("max_retries", max_retries),
    RP_SETTING("delay_seconds", delay_seconds),
    RP_SETTING("smallest_batch", smallest_batch),
};

/* Refuses settings; the text is what their author reads. */
static rp_text check(void)
{
    return smallest_batch == 0 ? RP_TEXT("`smallest_batch` is `0`, expected 1 or more") : RP_TEXT("");
}

/* These pass by themselves, after a while. */
static bool can_pass(rp_cause cause)
{
    return cause == RP_NETWORK || cause == RP_RATE_LIMITED || cause == RP_DRIVER_TRANSIENT ||
           cause == RP_DEVICE_OCCUPIED;
}

/* Judges the newest attempt. Successes are judged too: a policy may throw away
 * a measurement that it does not trust. */
static rp_decision decide(const rp_experiment *experiment, rp_attempts attempts, const rp_progress *)
{
    const rp_attempt *attempt = rp_last(attempts);
    const rp_failure *failure = rp_failure_of(attempt);
    if (!failure)
        return rp_accept();

    if (can_pass(failure->cause) && rp_retries(attempts) < max_retries) {
        /* A service that asks for time gets it. The seed makes chance the same
         * in every replay. */
        rp_backoff waits = rp_exponential(delay_seconds, 2.0);
        waits.jitter = RP_JITTER_EQUAL;
        waits.seed = experiment->seed;
        rp_optional_u64 asked = rp_asked_to_wait_ms(attempt);
        uint64_t wait_ms = asked.present ? asked.value : rp_wait_after_ms(waits, attempts);
        return rp_retry(wait_ms, rp_join(RP_TEXT("can pass: "), failure->evidence));
    }

    /* A smaller batch needs less memory, where the study lets it be changed. */
    uint64_t half = rp_parameter_u64(experiment, "batch", 0) / 2;
    if (failure->cause == RP_DEVICE_MEMORY && rp_can_adjust(experiment, "batch") && half >= smallest_batch) {
        rp_decision retry = rp_retry(0, RP_TEXT("half the batch needs less"));
        rp_override(&retry, "batch", rp_number(half));
        return retry;
    }
    return rp_give_up(failure->evidence);
}

RP_POLICY(.name = "my-policy", .version = "0.1.0",
          .summary = "Retries what can pass, and halves the batch while device memory is short", .check = check,
          .settings = settings, .settings_count = sizeof settings / sizeof settings[0]);
RP_DECIDES(decide);
