/* What the host tells, looked up and counted. */
#include <string.h>

#include "../reprieve.h"

static const char *const CAUSES[] = {
    "network",        "rate-limited",   "driver-transient", "communication",   "device-memory", "device-occupied",
    "host-memory",    "device-program", "device-hardware",  "hang",            "crash",         "storage",
    "access",         "configuration",  "cancelled",        "unknown",
};

rp_text rp_cause_name(rp_cause cause)
{
    return rp_text_of(CAUSES[cause]);
}

bool rp_has(rp_causes causes, rp_cause cause)
{
    return (causes.bits & RP_CAUSE(cause)) != 0;
}

const rp_attempt *rp_last(rp_attempts attempts)
{
    return &attempts.items[attempts.count - 1];
}

uint32_t rp_retries(rp_attempts attempts)
{
    return (uint32_t)attempts.count - 1;
}

uint32_t rp_failures_of(rp_attempts attempts, rp_cause cause)
{
    uint32_t count = 0;
    for (size_t i = 0; i < attempts.count; i++) {
        const rp_failure *failure = rp_failure_of(&attempts.items[i]);
        count += failure && failure->cause == cause;
    }
    return count;
}

const rp_failure *rp_failure_of(const rp_attempt *attempt)
{
    return attempt->failure.present ? &attempt->failure.value : NULL;
}

const rp_self_report *rp_self_report_of(const rp_attempt *attempt)
{
    return attempt->self_report.present ? &attempt->self_report.value : NULL;
}

rp_optional_bool rp_retryable(const rp_attempt *attempt)
{
    const rp_self_report *report = rp_self_report_of(attempt);
    return report ? report->retryable : (rp_optional_bool){0};
}

const rp_text *rp_find(rp_parameters among, const char *name)
{
    for (size_t i = 0; i < among.count; i++)
        if (rp_equal(among.items[i].name, rp_text_of(name)))
            return &among.items[i].value;
    return NULL;
}

uint64_t rp_parameter_u64(const rp_experiment *experiment, const char *name, uint64_t otherwise)
{
    const rp_text *value = rp_find(experiment->parameters, name);
    uint64_t number = 0;
    if (!value || value->size == 0)
        return otherwise;
    for (size_t i = 0; i < value->size; i++) {
        unsigned digit = (unsigned char)value->data[i] - (unsigned)'0';
        if (digit > 9 || __builtin_mul_overflow(number, 10, &number) || __builtin_add_overflow(number, digit, &number))
            return otherwise;
    }
    return number;
}

bool rp_can_adjust(const rp_experiment *experiment, const char *name)
{
    for (size_t i = 0; i < experiment->adjustable.count; i++)
        if (rp_equal(experiment->adjustable.items[i], rp_text_of(name)))
            return true;
    return false;
}

rp_attempt rp_succeeded(void)
{
    return (rp_attempt){.number = 1, .stage = RP_MEASURE};
}

rp_attempt rp_failed(rp_cause cause, rp_text evidence)
{
    return (rp_attempt){
        .number = 1,
        .stage = RP_MEASURE,
        .ending = {.kind = RP_EXITED, .exit_code = 1},
        .failure = {true, {cause, evidence}},
    };
}
