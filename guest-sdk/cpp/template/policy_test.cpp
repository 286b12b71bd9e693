// A policy is a plain class: it is tested without a host, a GPU, or WebAssembly.

#undef NDEBUG
#include <cassert>

#include "policy.cpp"

static Decision decide(std::string_view batch, const Attempt &attempt, std::size_t times)
{
    const std::vector attempts(times, attempt);
    return MyPolicy{}.decide(Experiment::adjustable("batch", batch), {attempts}, {});
}

static void a_success_is_accepted()
{
    assert(decide("64", Attempt{}, 1) == Decision(Accept{}));
}

static void the_network_gets_three_more_chances()
{
    const auto network = Attempt::failed(FailureClass::network, "connection reset");
    const auto after = std::get<Retry>(decide("64", network, 1)).after;
    assert(after >= milliseconds(15000) && after <= milliseconds(30000));
    assert(decide("64", network, 4) == Decision(GiveUp{"connection reset"}));
}

static void a_service_that_asks_for_time_gets_it()
{
    const auto asked = Attempt::failed(FailureClass::rate_limited, "429, retry after 90 seconds");
    assert(std::get<Retry>(decide("64", asked, 1)).after == milliseconds(90000));
}

static void the_batch_is_halved_while_that_can_be_done()
{
    const auto memory = Attempt::failed(FailureClass::device_memory, "out of memory");
    const Retry half{.reason = "half the batch needs less", .overrides = {{"batch", "32"}}};
    assert(decide("64", memory, 1) == Decision(half));
    assert(decide("1", memory, 1) == Decision(GiveUp{"out of memory"}));
}

static void what_may_pass_is_tried_once_more()
{
    const auto hang = Attempt::failed(FailureClass::hang, "silent");
    assert(std::holds_alternative<Retry>(decide("64", hang, 1)));
    assert(decide("64", hang, 2) == Decision(GiveUp{"silent"}));
}

static Attempt said(FailureClass cause, bool retryable)
{
    Attempt attempt = Attempt::failed(cause, "it says so");
    attempt.told.self_report.present = true;
    attempt.told.self_report.value.retryable = {true, retryable};
    return attempt;
}

static void what_the_experiment_says_of_its_failure_goes_before_its_class()
{
    assert(std::holds_alternative<Retry>(decide("64", said(FailureClass::access, true), 1)));
    assert(decide("64", said(FailureClass::network, false), 1) == Decision(GiveUp{"it says so"}));
}

static void settings_that_make_no_sense_are_refused()
{
    assert(configure<MyPolicy>(R"({ "max_retries": 5 })")->max_retries == 5);
    const std::pair<const char *, const char *> wrong[] = {
        {R"({ "smallest_batch": 0 })", "`smallest_batch`: `0`, expected a whole number from 1 to 4294967295"},
        {R"({ "delay_seconds": -1 })", "`delay_seconds`: `-1`, expected a number, 0 or more"},
        {R"({ "max_retries": -1 })", "`max_retries`: `-1`, expected a whole number from 0 to 4294967295"},
        {R"({ "max_retries": 1.5 })", "`max_retries`: `1.5`, expected a whole number from 0 to 4294967295"},
    };
    for (const auto &[settings, refusal] : wrong)
        assert(configure<MyPolicy>(settings).error() == refusal);
}

int main()
{
    a_success_is_accepted();
    the_network_gets_three_more_chances();
    a_service_that_asks_for_time_gets_it();
    the_batch_is_halved_while_that_can_be_done();
    what_may_pass_is_tried_once_more();
    what_the_experiment_says_of_its_failure_goes_before_its_class();
    settings_that_make_no_sense_are_refused();
}
