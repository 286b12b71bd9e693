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

static void what_may_pass_is_tried_once_more(void)
{
    rp_attempt hang = rp_failed(RP_HANG, RP_TEXT("silent"));
    assert(decide_on("64", hang, 1).kind == RP_RETRY);
    assert(decide_on("64", hang, 2).kind == RP_GIVE_UP);
}

static rp_attempt said(rp_cause cause, bool retryable)
{
    rp_attempt attempt = rp_failed(cause, RP_TEXT("it says so"));
    attempt.self_report.present = true;
    attempt.self_report.value.retryable = (rp_optional_bool){true, retryable};
    return attempt;
}

static void what_the_experiment_says_of_its_failure_goes_before_its_class(void)
{
    assert(decide_on("64", said(RP_ACCESS, true), 1).kind == RP_RETRY);
    assert(decide_on("64", said(RP_NETWORK, false), 1).kind == RP_GIVE_UP);
}

static void settings_that_make_no_sense_are_refused(void)
{
    static const char *const wrong[][2] = {
        {"{ \"smallest_batch\": 0 }", "`smallest_batch`: `0`, expected a whole number from 1 to 4294967295"},
        {"{ \"delay_seconds\": -1 }", "`delay_seconds`: `-1`, expected a number, 0 or more"},
        {"{ \"max_retries\": -1 }", "`max_retries`: `-1`, expected a whole number from 0 to 4294967295"},
        {"{ \"max_retries\": 1.5 }", "`max_retries`: `1.5`, expected a whole number from 0 to 4294967295"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        size_t count = sizeof settings / sizeof settings[0];
        assert(rp_equal(rp_read_settings(rp_text_of(wrong[i][0]), settings, count), rp_text_of(wrong[i][1])));
    }
}

int main(void)
{
    a_success_is_accepted();
    the_network_gets_three_more_chances();
    a_service_that_asks_for_time_gets_it();
    the_batch_is_halved_while_that_can_be_done();
    what_may_pass_is_tried_once_more();
    what_the_experiment_says_of_its_failure_goes_before_its_class();
    settings_that_make_no_sense_are_refused();
}
