/* Says again all that it is told, and has done all that can be done. A test of
 * the host's holds it to that, so that every field is known to be in its place. */
#include <stdarg.h>
#include <stdio.h>

#include "reprieve.h"

static char said[4096];
static size_t size;

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    size += (size_t)vsnprintf(said + size, sizeof said - size, format, values);
    va_end(values);
}

static void say_all(rp_parameters parameters)
{
    for (size_t i = 0; i < parameters.count; i++)
        say(" %s=%s", parameters.items[i].name.data, parameters.items[i].value.data);
}

static void say_experiment(const rp_experiment *experiment)
{
    say("%s", experiment->name.data);
    say_all(experiment->parameters);
    say(" can");
    for (size_t i = 0; i < experiment->adjustable.count; i++)
        say(" %s", experiment->adjustable.items[i].data);
    say(" by");
    say_all(experiment->labels);
    say(" on %u, %llu", experiment->devices, (unsigned long long)experiment->seed);
}

static void say_attempt(const rp_attempt *attempt)
{
    say(" / %u of %d: %d ", attempt->number, attempt->stage, attempt->ending.kind);
    if (attempt->ending.kind == RP_NOT_STARTED)
        say("%s, failed ", attempt->ending.why.data);
    else
        say("%d, failed ", attempt->ending.signal);
    const rp_failure *failure = rp_failure_of(attempt);
    if (failure)
        say("%d %s", failure->cause, failure->evidence.data);
    else
        say("-");
    say(", waited %llu ran %llu", (unsigned long long)attempt->waited_for_ms, (unsigned long long)attempt->ran_for_ms);
    say(", `%s` `%s`, said ", attempt->stderr_tail.data, attempt->stdout_tail.data);
    const rp_self_report *report = rp_self_report_of(attempt);
    if (report)
        say("%d %s `%s`", report->retryable.present && report->retryable.value, report->kind.data, report->message.data);
    else
        say("-");
    say(", faults");
    for (size_t i = 0; i < attempt->faults.count; i++)
        say(" %u:%llu", attempt->faults.items[i].device, (unsigned long long)attempt->faults.items[i].xid);
    say(", memory");
    for (size_t i = 0; i < attempt->memory.count; i++) {
        rp_device_memory_use use = attempt->memory.items[i];
        say(" %u:%llu:%llu:%llu", use.device, (unsigned long long)use.baseline_bytes, (unsigned long long)use.peak_bytes,
            (unsigned long long)use.residual_bytes);
    }
    say(", %u others, %llu slow, knows", attempt->foreign_processes, (unsigned long long)attempt->throttled_for_ms);
    say_all(attempt->facts);
}

static void say_optional(rp_optional_u32 value)
{
    if (value.present)
        say(" %u", value.value);
    else
        say(" -");
}

static void say_devices(void)
{
    rp_status status = rp_read_device(0).status;
    say(" / %u devices: %s %s %llu %llu %llu,", rp_device_count(), status.uuid.data, status.name.data,
        (unsigned long long)status.total_bytes, (unsigned long long)status.used_bytes,
        (unsigned long long)status.baseline_bytes);
    say_optional(status.temperature_celsius);
    say_optional(status.power_milliwatts);
    say_optional(status.utilization_percent);
    say(" %d %llu %d, %u", status.throttled.present && status.throttled.value,
        (unsigned long long)status.uncorrected_errors.value, status.recovery.value, status.processes);
    say("; error %d", rp_read_device(1).error.kind);
}

static rp_decision decide(const rp_experiment *experiment, rp_attempts attempts, const rp_progress *progress)
{
    say_experiment(experiment);
    for (size_t i = 0; i < attempts.count; i++)
        say_attempt(&attempts.items[i]);
    say(" / %u %u %u %u %u %llu", progress->succeeded, progress->failed, progress->remaining, progress->retries,
        progress->failed_in_a_row, (unsigned long long)progress->elapsed_ms);
    say_devices();
    return rp_retry(rp_last(attempts)->waited_for_ms, rp_text_of(said));
}

static rp_plan plan(const rp_experiment *, const rp_attempt *attempt)
{
    rp_plan plan = {0};
    if (!attempt)
        return plan;
    rp_add(&plan, rp_end_leftovers(1));
    rp_add(&plan, rp_or_quarantine(rp_remove_shared_memory()));
    rp_add(&plan, rp_or_stop(rp_synchronize()));
    rp_add(&plan, rp_release_cached_memory());
    rp_add(&plan, rp_reset_contexts());
    rp_add(&plan, rp_await_memory(5000000000, 6));
    rp_add(&plan, rp_await_temperature(45, 7));
    rp_add(&plan, rp_await_idle(8, 9));
    rp_add(&plan, rp_probe(10, 11));
    rp_add(&plan, rp_pause(12));
    rp_add(&plan, rp_run_hook(RP_TEXT("haken ü")));
    say("after %u:", attempt->number);
    for (size_t i = 0; i < plan.count; i++) {
        rp_performed performed = rp_perform(plan.items[i].action);
        if (performed.refused) {
            say(" refused %s", performed.why.data);
            continue;
        }
        rp_report report = performed.report;
        say(" %d", report.outcome.kind);
        if (report.outcome.kind != RP_DONE)
            say(" %s", report.outcome.why.data);
        say(" %llu %llu", (unsigned long long)report.took_ms, (unsigned long long)report.released_bytes);
    }
    rp_add(&plan, rp_run_hook(rp_text_of(said)));
    return plan;
}

RP_POLICY(.name = "mirror");
RP_DECIDES(decide);
RP_PLANS(plan);
