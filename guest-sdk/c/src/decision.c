/* Writing decisions and plans down. */
#include <string.h>

#include "../reprieve.h"

/* The items and one more, in new memory. */
static void *with(const void *items, size_t count, const void *item, size_t size)
{
    char *grown = rp_allocate((count + 1) * size);
    if (count > 0)
        memcpy(grown, items, count * size);
    memcpy(grown + count * size, item, size);
    return grown;
}

rp_decision rp_accept(void)
{
    return (rp_decision){.kind = RP_ACCEPT};
}

rp_decision rp_retry(uint64_t delay_ms, rp_text reason)
{
    return (rp_decision){
        .kind = RP_RETRY,
        .retry = {.delay_ms = delay_ms, .placement = RP_ANY_DEVICES, .turn = RP_WHEN_DUE, .reason = reason},
    };
}

void rp_override(rp_decision *retry, const char *parameter, rp_text value)
{
    rp_parameters *all = &retry->retry.overrides;
    rp_parameter one = {rp_text_of(parameter), value};
    all->items = with(all->items, all->count, &one, sizeof one);
    all->count++;
}

rp_decision rp_give_up(rp_text reason)
{
    return (rp_decision){.kind = RP_GIVE_UP, .reason = reason};
}

rp_decision rp_stop_study(rp_text reason)
{
    return (rp_decision){.kind = RP_STOP_STUDY, .reason = reason};
}

void rp_add(rp_plan *plan, rp_step step)
{
    plan->items = with(plan->items, plan->count, &step, sizeof step);
    plan->count++;
}

rp_step rp_or_quarantine(rp_step step)
{
    step.if_it_fails = RP_QUARANTINE_DEVICE;
    return step;
}

rp_step rp_or_stop(rp_step step)
{
    step.if_it_fails = RP_END_STUDY;
    return step;
}

rp_step rp_end_leftovers(uint64_t grace_ms)
{
    return (rp_step){.action = {.kind = RP_END_LEFTOVERS, .grace_ms = grace_ms}};
}

rp_step rp_remove_shared_memory(void)
{
    return (rp_step){.action = {.kind = RP_REMOVE_SHARED_MEMORY}};
}

rp_step rp_synchronize(void)
{
    return (rp_step){.action = {.kind = RP_SYNCHRONIZE}};
}

rp_step rp_release_cached_memory(void)
{
    return (rp_step){.action = {.kind = RP_RELEASE_CACHED_MEMORY}};
}

rp_step rp_reset_contexts(void)
{
    return (rp_step){.action = {.kind = RP_RESET_CONTEXTS}};
}

rp_step rp_await_memory(uint64_t tolerance_bytes, uint64_t timeout_ms)
{
    return (rp_step){.action = {.kind = RP_AWAIT_MEMORY, .memory = {tolerance_bytes, timeout_ms}}};
}

rp_step rp_await_temperature(uint32_t at_most_celsius, uint64_t timeout_ms)
{
    return (rp_step){.action = {.kind = RP_AWAIT_TEMPERATURE, .level = {at_most_celsius, timeout_ms}}};
}

rp_step rp_await_idle(uint32_t at_most_percent, uint64_t timeout_ms)
{
    return (rp_step){.action = {.kind = RP_AWAIT_IDLE, .level = {at_most_percent, timeout_ms}}};
}

rp_step rp_probe(uint64_t allocate_bytes, uint64_t timeout_ms)
{
    return (rp_step){.action = {.kind = RP_PROBE, .memory = {allocate_bytes, timeout_ms}}};
}

rp_step rp_pause(uint64_t ms)
{
    return (rp_step){.action = {.kind = RP_PAUSE, .pause_ms = ms}};
}

rp_step rp_run_hook(rp_text name)
{
    return (rp_step){.action = {.kind = RP_RUN_HOOK, .hook = name}};
}
