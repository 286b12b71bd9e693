// The SDK by itself, without a host or WebAssembly. What it has of the C SDK is tested there.
#undef NDEBUG
#include <cassert>
#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

#include "../reprieve.hpp"

using namespace reprieve;
using namespace std::chrono_literals;

static void attempts_are_counted_by_class()
{
    const auto network = Attempt::failed(FailureClass::network, "connection reset");
    const std::vector all{network, Attempt::failed(FailureClass::hang, ""), network};
    const Attempts attempts(all);
    assert(attempts.retries() == 2 && attempts.failures_of(FailureClass::network) == 2);
    assert(attempts.failures_of(FailureClass::crash) == 0 && attempts.last().failure()->evidence == "connection reset");
    assert(!Attempt{}.failure() && name(FailureClass::rate_limited) == "rate-limited");
}

static void what_the_experiment_says_of_its_failure_is_found()
{
    Attempt attempt = Attempt::failed(FailureClass::unknown, "");
    assert(!attempt.retryable() && !attempt.self_report());
    attempt.told.self_report = {true, {{true, false}, RP_TEXT("LicenceError"), RP_TEXT("ended, retry after 2 minutes")}};
    assert(attempt.retryable() == false && attempt.self_report()->kind == "LicenceError");
    assert(attempt.asked_to_wait() == 2min);
}

static void parameters_are_found_and_read()
{
    const Experiment experiment = Experiment::adjustable("batch", "8");
    assert(experiment.parsed<unsigned>("batch") == 8u && experiment.can_adjust("batch"));
    assert(!experiment.parsed<unsigned>("depth") && !experiment.can_adjust("depth"));
    assert(!Experiment::adjustable("batch", "8x").parsed<int>("batch"));
}

static void waits_grow_up_to_their_cap()
{
    const std::vector three(3, Attempt::failed(FailureClass::network, ""));
    assert((Backoff{.first = 1s}.wait_after({three})) == 4s);
    assert((Backoff{.first = 1s, .cap = 3s}.wait_after({three})) == 3s);
    assert(whole(seconds(1.001)) == 1001ms && whole(seconds(1e300)) == milliseconds::max());
}

template <class Do>
static bool ends_the_call(Do act)
{
    const pid_t child = fork();
    if (child == 0) {
        act();
        _exit(0);
    }
    int status = 0;
    assert(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void what_is_no_span_of_time_ends_the_call()
{
    assert(ends_the_call([] { whole(seconds(-1)); }) && ends_the_call([] { end_leftovers(-5s); }));
    assert(ends_the_call([] { count_of(Retry{.after = -5s, .reason = {}}.after); }) && !ends_the_call([] { end_leftovers(5s); }));
}

struct Patient {
    std::uint32_t retries = 5;
    seconds patience{600};
    double offset = 0;
    std::optional<std::uint32_t> most;
    std::string greeting = "hello";
    Jitter jitter = Jitter::none;
    bool eager = false;
    std::set<FailureClass> causes{FailureClass::hang};

    static constexpr Info info{.name = "patient"};
    static constexpr Setting<Patient> settings[] = {
        {"retries", &Patient::retries, "How often it tries again.", 1},
        {"patience_seconds", &Patient::patience},
        {"offset", &Patient::offset, "", -2},
        {"most", &Patient::most},
        {"greeting", &Patient::greeting},
        {"jitter", &Patient::jitter},
        {"eager", &Patient::eager},
        {"causes", &Patient::causes},
    };

    std::optional<std::string> check() const
    {
        return patience > 1h ? std::optional("too patient") : std::nullopt;
    }
};

static void settings_are_read_into_their_members()
{
    const auto patient = configure<Patient>(
        R"({"retries": 7, "patience_seconds": 0.5, "offset": -1, "most": 9, "greeting": "ol\u00e1", "jitter": "full",
            "eager": true, "causes": ["crash", "network"]})");
    assert(patient && patient->retries == 7 && patient->patience == 500ms && patient->offset == -1 && patient->most == 9u);
    assert(patient->greeting == "ol\xc3\xa1" && patient->jitter == Jitter::full && patient->eager);
    assert((patient->causes == std::set{FailureClass::crash, FailureClass::network}));
    assert(configure<Patient>("{}")->greeting == "hello");
}

static void wrong_settings_are_refused_by_name()
{
    assert(configure<Patient>(R"({"retries": 0})").error() ==
           "`retries`: `0`, expected a whole number from 1 to 4294967295");
    assert(configure<Patient>(R"({"patience_seconds": -1})").error() ==
           "`patience_seconds`: `-1`, expected a number, 0 or more");
    assert(configure<Patient>(R"({"patience_seconds": 3601})").error() == "too patient");
}

static void the_schema_tells_the_settings()
{
    const Settings<Patient> settings(Patient{});
    const std::string_view schema = view(rp_settings_schema(settings.told().data(), settings.told().size()));
    assert(schema.contains(R"("retries":{"description":"How often it tries again.","type":"integer")"));
    assert(schema.contains(R"("minimum":-2,"default":0})"));
}

static void outside_a_host_the_devices_are_unavailable()
{
    assert(device_count() == 0 && !read_device(0) && !perform(pause(1ms)));
}

int main()
{
    attempts_are_counted_by_class();
    what_the_experiment_says_of_its_failure_is_found();
    parameters_are_found_and_read();
    waits_grow_up_to_their_cap();
    what_is_no_span_of_time_ends_the_call();
    settings_are_read_into_their_members();
    wrong_settings_are_refused_by_name();
    the_schema_tells_the_settings();
    outside_a_host_the_devices_are_unavailable();
}
