/* The standard policy's behaviour, in C: it must decide as the built-in one does. */
#include "reprieve.h"

static struct {
    uint32_t max_retries;
    double delay_seconds, backoff_factor, max_delay_seconds;
    rp_jitter jitter;
    rp_causes retry, retry_once;
    rp_optional_u32 retries_in_study, stop_after_failures_in_a_row;
    double leftovers_grace_seconds;
    bool remove_shared_memory;
    uint32_t memory_tolerance_mib;
    double memory_timeout_seconds;
    rp_optional_u32 cool_down_to_celsius;
    double cool_down_timeout_seconds;
} set = {
    .max_retries = 3,
    .delay_seconds = 1,
    .backoff_factor = 2,
    .max_delay_seconds = 3600,
    .jitter = RP_JITTER_NONE,
    .retry = {RP_CAUSE(RP_NETWORK) | RP_CAUSE(RP_RATE_LIMITED) | RP_CAUSE(RP_DRIVER_TRANSIENT) |
              RP_CAUSE(RP_COMMUNICATION) | RP_CAUSE(RP_DEVICE_OCCUPIED)},
    .retry_once = {RP_CAUSE(RP_HANG) | RP_CAUSE(RP_CRASH) | RP_CAUSE(RP_DEVICE_PROGRAM) | RP_CAUSE(RP_UNKNOWN)},
    .leftovers_grace_seconds = 10,
    .remove_shared_memory = true,
    .memory_tolerance_mib = 64,
    .memory_timeout_seconds = 120,
    .cool_down_timeout_seconds = 600,
};

static const rp_setting SETTINGS[] = {
    RP_SETTING("max_retries", set.max_retries),
    RP_SETTING("delay_seconds", set.delay_seconds),
    RP_SETTING("backoff_factor", set.backoff_factor),
    RP_SETTING("max_delay_seconds", set.max_delay_seconds),
    RP_SETTING("jitter", set.jitter),
    RP_SETTING("retry", set.retry),
    RP_SETTING("retry_once", set.retry_once),
    RP_SETTING("retries_in_study", set.retries_in_study),
    RP_SETTING("stop_after_failures_in_a_row", set.stop_after_failures_in_a_row, .at_least = 1),
    RP_SETTING("leftovers_grace_seconds", set.leftovers_grace_seconds),
    RP_SETTING("remove_shared_memory", set.remove_shared_memory),
    RP_SETTING("memory_tolerance_mib", set.memory_tolerance_mib),
    RP_SETTING("memory_timeout_seconds", set.memory_timeout_seconds),
    RP_SETTING("cool_down_to_celsius", set.cool_down_to_celsius),
    RP_SETTING("cool_down_timeout_seconds", set.cool_down_timeout_seconds),
};

/* Whether something is so, and why. */
typedef struct verdict {
    bool worth_it, once;
    rp_text why;
} verdict;

static rp_text tell(rp_text what, rp_text evidence)
{
    return evidence.size > 0 ? rp_join(what, RP_TEXT(": "), evidence) : what;
}

static rp_text gave_up(rp_attempts attempts)
{
    rp_text noun = attempts.count == 1 ? RP_TEXT(" attempt: ") : RP_TEXT(" attempts: ");
    return rp_join(RP_TEXT("gave up after "), rp_number(attempts.count), noun);
}

/* Whether the failure can pass. The experiment knows best, where it said something. */
static verdict can_pass(rp_attempts attempts, const rp_failure *failure)
{
    rp_text name = rp_cause_name(failure->cause), evidence = failure->evidence;
    const rp_self_report *report = rp_self_report_of(rp_last(attempts));
    if (report && report->retryable.present) {
        bool retryable = report->retryable.value;
        rp_text said = report->message.size > 0 ? report->message : report->kind.size > 0 ? report->kind : evidence;
        rp_text called = retryable ? RP_TEXT(" failure worth retrying") : RP_TEXT(" failure final");
        return (verdict){retryable, false, tell(rp_join(RP_TEXT("the experiment called its "), name, called), said)};
    }
    if (rp_has(set.retry, failure->cause))
        return (verdict){true, false, tell(rp_join(name, RP_TEXT(" failure can pass")), evidence)};
    if (!rp_has(set.retry_once, failure->cause))
        return (verdict){false, false, tell(rp_join(name, RP_TEXT(" failures do not pass by themselves")), evidence)};
    if (rp_failures_of(attempts, failure->cause) == 1)
        return (verdict){true, true, tell(rp_join(name, RP_TEXT(" failures are retried once")), evidence)};
    return (verdict){false, false, tell(rp_join(gave_up(attempts), name, RP_TEXT(" failure again")), evidence)};
}

static verdict worth_retrying(rp_attempts attempts, const rp_failure *failure, const rp_progress *progress)
{
    verdict judged = can_pass(attempts, failure);
    rp_text name = rp_cause_name(failure->cause), evidence = failure->evidence;
    if (!judged.worth_it)
        return judged;
    if (rp_retries(attempts) >= set.max_retries)
        return (verdict){false, false, tell(rp_join(gave_up(attempts), name, RP_TEXT(" failure")), evidence)};
    rp_optional_u32 most = set.retries_in_study;
    if (most.present && progress->retries >= most.value) {
        rp_text spent = rp_join(RP_TEXT("the study's "), rp_number(most.value), RP_TEXT(" retries are used up: "));
        return (verdict){false, false, tell(rp_join(spent, name, RP_TEXT(" failure")), evidence)};
    }
    if (!judged.once)
        judged.why = rp_join(judged.why, RP_TEXT("; retry "), rp_number(attempts.count), RP_TEXT(" of "),
                             rp_number(set.max_retries));
    return judged;
}

/* The backoff's wait, or what a service asked for where that is more, within the cap. */
static uint64_t delay_ms(const rp_experiment *experiment, rp_attempts attempts, const rp_failure *failure)
{
    uint64_t wait = rp_wait_after_ms(
        (rp_backoff){
            .first_seconds = set.delay_seconds,
            .factor = set.backoff_factor,
            .cap_seconds = set.max_delay_seconds,
            .jitter = set.jitter,
            .seed = experiment->seed,
        },
        attempts);
    rp_optional_u64 asked = rp_asked_to_wait_ms(rp_last(attempts));
    if (failure->cause != RP_RATE_LIMITED || !asked.present || asked.value <= wait)
        return wait;
    uint64_t cap = rp_ms(set.max_delay_seconds);
    return asked.value < cap ? asked.value : cap;
}

static rp_decision decide(const rp_experiment *experiment, rp_attempts attempts, const rp_progress *progress)
{
    const rp_attempt *attempt = rp_last(attempts);
    const rp_failure *failure = rp_failure_of(attempt);
    if (!failure)
        return rp_accept();
    verdict judged = worth_retrying(attempts, failure, progress);
    if (judged.worth_it)
        return rp_retry(delay_ms(experiment, attempts, failure), judged.why);
    uint64_t in_a_row = (uint64_t)progress->failed_in_a_row + 1;
    rp_optional_u32 most = set.stop_after_failures_in_a_row;
    if (most.present && in_a_row >= most.value && attempt->stage != RP_FINISH)
        return rp_stop_study(rp_join(RP_TEXT("experiments that failed in a row: "), rp_number(in_a_row),
                                     RP_TEXT("; the last: "), judged.why));
    return rp_give_up(judged.why);
}

static rp_plan plan(const rp_experiment *, const rp_attempt *attempt)
{
    rp_plan steps = {0};
    if (!attempt)
        return steps;
    rp_add(&steps, rp_end_leftovers(rp_ms(set.leftovers_grace_seconds)));
    if (set.remove_shared_memory)
        rp_add(&steps, rp_remove_shared_memory());
    rp_add(&steps, rp_release_cached_memory());
    uint64_t tolerance_bytes = (uint64_t)set.memory_tolerance_mib << 20;
    rp_add(&steps, rp_or_quarantine(rp_await_memory(tolerance_bytes, rp_ms(set.memory_timeout_seconds))));
    if (set.cool_down_to_celsius.present)
        rp_add(&steps, rp_await_temperature(set.cool_down_to_celsius.value, rp_ms(set.cool_down_timeout_seconds)));
    return steps;
}

RP_POLICY(.name = "standard", .version = "0.1.0",
          .summary = "Retries failures that can pass, with growing waits; gives up on the rest", .settings = SETTINGS,
          .settings_count = sizeof SETTINGS / sizeof *SETTINGS);
RP_DECIDES(decide);
RP_PLANS(plan);
