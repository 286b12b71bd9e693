/* The SDK by itself, without a host or WebAssembly: each check is one that the Rust SDK has too. */
#undef NDEBUG
#include <assert.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../reprieve.h"

static rp_attempts after(rp_attempt *attempts, size_t count, uint64_t waited_for_ms)
{
    for (size_t i = 0; i < count; i++)
        attempts[i] = rp_failed(RP_NETWORK, RP_TEXT(""));
    attempts[count - 1].waited_for_ms = waited_for_ms;
    return (rp_attempts){attempts, count};
}

static uint64_t wait_ms(rp_backoff waits, size_t attempts)
{
    return rp_wait_after_ms(waits, after((rp_attempt[9]){}, attempts, 0));
}

static void the_numbers_are_those_of_the_published_generator(void)
{
    rp_random random = {1234567};
    assert(rp_next_u64(&random) == UINT64_C(6457827717110365317));
    assert(rp_next_u64(&random) == UINT64_C(3203168211198807973));
    assert(rp_next_u64(&random) == UINT64_C(9817491932198370423));
    assert(rp_up_to(&random, 0) == 0 && rp_up_to(&random, 1) <= 1);
}

static void the_wait_after_attempt_n_is_the_nth_of_the_sequence(void)
{
    rp_backoff waits = rp_exponential(1, 2);
    assert(wait_ms(waits, 1) == 1000 && wait_ms(waits, 3) == 4000);
    waits.cap_seconds = 5;
    assert(wait_ms(waits, 4) == 5000 && wait_ms(waits, 9) == 5000);
    assert(wait_ms(rp_constant(7), 9) == 7000 && wait_ms(rp_exponential(0.1, 1.1), 2) == 110);
}

static void numbers_that_make_no_sense_do_no_harm(void)
{
    rp_backoff endless = rp_exponential(2, INFINITY);
    endless.cap_seconds = 60;
    assert(wait_ms(endless, 1) == 2000 && wait_ms(endless, 2) == 60000);
    assert(wait_ms(rp_exponential(2, NAN), 2) == 2000 && wait_ms(rp_exponential(2, -3), 2) == 2000);
    assert(wait_ms(rp_exponential(0, INFINITY), 4) == 0 && wait_ms(rp_exponential(2, 0), 2) == 0);
    assert(rp_ms(1e300) == UINT64_MAX && rp_ms(INFINITY) == UINT64_MAX && rp_ms(1.001) == 1001);
}

static bool ends_the_call(double seconds)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        rp_ms(seconds);
        _exit(0);
    }
    assert(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void what_is_no_span_of_time_ends_the_call(void)
{
    assert(ends_the_call(-1) && ends_the_call(NAN) && !ends_the_call(0));
}

static void what_the_experiment_says_of_its_failure_is_found(void)
{
    rp_attempt attempt = rp_failed(RP_HANG, RP_TEXT(""));
    assert(!rp_retryable(&attempt).present);
    attempt.self_report.present = true;
    assert(!rp_retryable(&attempt).present);
    attempt.self_report.value.retryable = (rp_optional_bool){true, true};
    assert(rp_retryable(&attempt).present && rp_retryable(&attempt).value);
}

static void decorrelated_waits_build_on_the_wait_that_was(void)
{
    rp_attempt attempts[2];
    rp_backoff waits = {.first_seconds = 1, .factor = 2, .cap_seconds = 40, .jitter = RP_JITTER_DECORRELATED};
    for (waits.seed = 0; waits.seed < 100; waits.seed++) {
        uint64_t wait = rp_wait_after_ms(waits, after(attempts, 2, 10000));
        assert(wait >= 1000 && wait <= 30000);
        assert(rp_wait_after_ms(waits, after(attempts, 2, UINT64_MAX)) <= 40000);
    }
}

static void the_texts_that_services_write_are_understood(void)
{
    static const struct {
        const char *text;
        uint64_t ms; /* UINT64_MAX: it says nothing */
    } expected[] = {
        {"429 Too Many Requests, retry after 30 seconds", 30000},
        {"Retry-After: 120", 120000},
        {"{\"retry_after\": 1.5}", 1500},
        {"Rate limit reached. Please try again in 20s.", 20000},
        {"Please try again in 1m30s", 90000},
        {"Please try again in 250ms.", 250},
        {"please try again after 2 minutes", 120000},
        {"Retry in 1 hour", 3600000},
        {"Retry-After: Wed, 21 Oct 2026 07:28:00 GMT", UINT64_MAX},
        {"will not retry after 3 attempts", UINT64_MAX},
        {"retry after 1.23456789 s", 1234},
        {"retry after", UINT64_MAX},
        {"", UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        rp_attempt attempt = rp_failed(RP_RATE_LIMITED, rp_text_of(expected[i].text));
        rp_optional_u64 asked = rp_asked_to_wait_ms(&attempt);
        assert(asked.present ? asked.value == expected[i].ms : expected[i].ms == UINT64_MAX);
    }
}

static struct {
    bool eager;
    uint32_t retries;
    rp_optional_u32 most;
    double minutes, offset;
    rp_text greeting;
    rp_jitter jitter;
    rp_causes causes;
} set;

static const rp_setting settings[] = {
    RP_SETTING("eager", set.eager),
    RP_SETTING("retries", set.retries),
    RP_SETTING("most", set.most, .at_least = 1),
    RP_SETTING("minutes", set.minutes),
    RP_SETTING("jitter", set.jitter),
    RP_SETTING("causes", set.causes),
    RP_SETTING("greeting", set.greeting),
    RP_SETTING("offset", set.offset, .about = "How \"far\" off", .at_least = -1.5),
};

static rp_text read_json(const char *json)
{
    return rp_read_settings(rp_text_of(json), settings, sizeof settings / sizeof *settings);
}

static void the_schema_tells_kinds_bounds_and_defaults(void)
{
    set.causes.bits = RP_CAUSE(RP_HANG) | RP_CAUSE(RP_CRASH);
    set.greeting = RP_TEXT("\n");
    set.offset = -0.05;
    rp_text schema = rp_settings_schema(settings, sizeof settings / sizeof *settings);
    static const char *const told[] = {
        "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"eager\":{",
        "\"eager\":{\"description\":\"\",\"type\":\"boolean\",\"default\":false},",
        "\"type\":\"integer\",\"maximum\":4294967295,\"minimum\":0,\"default\":0},",
        "\"type\":[\"integer\",\"null\"],\"maximum\":4294967295,\"minimum\":1,\"default\":null},",
        "\"enum\":[\"none\",\"full\",\"equal\",\"decorrelated\"],\"default\":\"none\"},",
        "\"cancelled\",\"unknown\"]},\"default\":[\"hang\",\"crash\"]},",
        "\"type\":\"string\",\"default\":\"\\u000a\"},",
        "\"How \\\"far\\\" off\",\"type\":\"number\",\"minimum\":-1.5,\"default\":-0.05}}}",
    };
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        if (!strstr(schema.data, told[i]))
            fprintf(stderr, "%s\nis not in\n%s\n", told[i], schema.data);
        assert(strstr(schema.data, told[i]));
    }
}

static void settings_are_read_into_their_variables(void)
{
    assert(read_json(" { } ").size == 0);
    assert(read_json("{\"eager\": true, \"retries\":7, \"most\": 9, \"minutes\": 2.5e0}").size == 0);
    assert(set.eager && set.retries == 7 && set.most.present && set.most.value == 9 && set.minutes == 2.5);
    assert(read_json("{\"most\":null,\"eager\":false,\"jitter\":\"equal\",\"causes\":[\"hang\", \"crash\"]}").size == 0);
    assert(!set.most.present && !set.eager && set.jitter == RP_JITTER_EQUAL);
    assert(set.causes.bits == (RP_CAUSE(RP_HANG) | RP_CAUSE(RP_CRASH)) && rp_has(set.causes, RP_HANG));
    assert(read_json("{\"greeting\": \"a\\\"b\\u00e4\\ud83d\\ude42\\n\", \"causes\": []}").size == 0);
    assert(rp_equal(set.greeting, RP_TEXT("a\"b\xc3\xa4\xf0\x9f\x99\x82\n")) && set.causes.bits == 0);
}

static void wrong_settings_are_refused_by_name(void)
{
    static const char *const wrong[][2] = {
        {"{\"retries\": -1}", "`retries`: `-1`, expected a whole number from 0 to 4294967295"},
        {"{\"retries\": 4294967296}", "`retries`: `4294967296`, expected a whole number from 0 to 4294967295"},
        {"{\"retries\": 1.5, \"eager\": 1}", "`retries`: `1.5`, expected a whole number from 0 to 4294967295"},
        {"{\"minutes\": \"1\"}", "`minutes`: `\"1\"`, expected a number, 0 or more"},
        {"{\"minutes\": -0.5}", "`minutes`: `-0.5`, expected a number, 0 or more"},
        {"{\"offset\": -1.6}", "`offset`: `-1.6`, expected a number, -1.5 or more"},
        {"{\"most\": 0}", "`most`: `0`, expected null or a whole number from 1 to 4294967295"},
        {"{\"eager\": 1}", "`eager`: `1`, expected true or false"},
        {"{\"jitter\": \"some\"}", "`jitter`: `\"some\"`, expected none, full, equal or decorrelated"},
        {"{\"causes\": [\"hunger\"]}",
         "`causes`: `[\"hunger\"]`, expected a list of classes of failure, as `wit/types.wit` names them"},
        {"{\"retrys\": 5}", "unknown setting `retrys`, expected `eager`, `retries`, `most`, `minutes`, `jitter`, `causes`, "
                            "`greeting` or `offset`"},
        {"", "the settings are no JSON object"},
        {"[]", "the settings are no JSON object"},
        {"{\"eager\"", "the settings are no JSON object"},
        {"{\"eager\": true", "the settings are no JSON object"},
        {"{\"greeting\": \"\\ud83d\"}", "`greeting`: `\"\\ud83d\"`, expected a text"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        rp_text refusal = read_json(wrong[i][0]);
        if (!rp_equal(refusal, rp_text_of(wrong[i][1])))
            fprintf(stderr, "%s: %s\n", wrong[i][0], refusal.data);
        assert(rp_equal(refusal, rp_text_of(wrong[i][1])));
    }
}

static void outside_a_host_the_devices_are_unavailable(void)
{
    assert(rp_device_count() == 0);
    assert(rp_read_device(0).failed && rp_perform(rp_pause(1).action).refused);
}

int main(void)
{
    the_numbers_are_those_of_the_published_generator();
    the_wait_after_attempt_n_is_the_nth_of_the_sequence();
    numbers_that_make_no_sense_do_no_harm();
    what_is_no_span_of_time_ends_the_call();
    what_the_experiment_says_of_its_failure_is_found();
    decorrelated_waits_build_on_the_wait_that_was();
    the_texts_that_services_write_are_understood();
    the_schema_tells_kinds_bounds_and_defaults();
    settings_are_read_into_their_variables();
    wrong_settings_are_refused_by_name();
    outside_a_host_the_devices_are_unavailable();
}
