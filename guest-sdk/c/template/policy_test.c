/* A policy is plain functions: they are tested without a host, a GPU, or WebAssembly. */

#undef NDEBUG
#include <assert.h>

#include "policy.c"

static rp_decision decide_on(const char *batch, rp_attempt attempt, size_t times)
{
    rp_attempt attempts[4] = {attempt, attempt, attempt, attempt};
    rp_parameter parameter = {RP_TEXT("batch"), rp_text_of(batch)};
    rp_experiment experiment = {.parameters = {&parameter, 1}, .adjustable = {&parameter.name, 1}, .seed = 7};
    rp_progress progress = {0};
    return decide(&experiment, (rp_attempts){attempts, times}, &progress);
}

static void a_success_is_accepted(void)
{
    assert(decide_on("64", rp_succeeded(), 1).kind == RP_ACCEPT);
}

static void the_network_gets_three_more_chances(void)
{
    rp_attempt network = rp_failed(RP_NETWORK, RP_TEXT("connection reset"));
    rp_decision first = decide_on("64", network, 1);
    assert(first.kind == RP_RETRY && first.retry.delay_ms >= 15000 && first.retry.delay_ms <= 30000);
    rp_decision fourth = decide_on("64", network, 4);
    assert(fourth.kind == RP_GIVE_UP && rp_equal(fourth.reason, RP_TEXT("connection reset")));
}

static void a_service_that_asks_for_time_gets_it(void)
{
    rp_attempt asked = rp_failed(RP_RATE_LIMITED, RP_TEXT("429, retry after 90 seconds"));
    assert(decide_on("64", asked, 1).retry.delay_ms == 90000);
}

static void the_batch_is_halved_while_that_can_be_done(void)
{
    rp_attempt memory = rp_failed(RP_DEVICE_MEMORY, RP_TEXT("out of memory"));
    rp_decision half = decide_on("64", memory, 1);
    assert(half.kind == RP_RETRY && rp_equal(*rp_find(half.retry.overrides, "batch"), RP_TEXT("32")));
    assert(decide_on("1", memory, 1).kind == RP_GIVE_UP);
}

static void settings_that_make_no_sense_are_refused(void)
{
    size_t count = sizeof settings / sizeof settings[0];
    assert(rp_read_settings(RP_TEXT("{ \"smallest_batch\": 0 }"), settings, count).size == 0);
    assert(check().size > 0);
}

int main(void)
{
    a_success_is_accepted();
    the_network_gets_three_more_chances();
    a_service_that_asks_for_time_gets_it();
    the_batch_is_halved_while_that_can_be_done();
    settings_that_make_no_sense_are_refused();
}
