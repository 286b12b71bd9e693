// Write a Reprieve policy in C++: what follows a failed GPU experiment.
//
// A policy is a class. It may `decide` what follows an attempt, `plan` the
// cleanup, or both; its members are its settings. It remembers nothing between
// calls, and does no work: it answers, and the host waits, places and cleans.
//
// This is a face of the C SDK, `../c/reprieve.h`: what the host tells is looked
// at where it lies, and what a policy answers is ordinary values.
#ifndef REPRIEVE_HPP
#define REPRIEVE_HPP

#include <algorithm>
#include <array>
#include <chrono>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <expected>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "../c/reprieve.h"

namespace reprieve {

using milliseconds = std::chrono::milliseconds;
using seconds = std::chrono::duration<double>;

// ---- Texts, lists and spans of the contract ----

inline std::string_view view(rp_text text) { return text.size == 0 ? "" : std::string_view{text.data, text.size}; }
inline rp_text text(std::string_view view) { return {view.data(), view.size()}; }

// A text that lasts until the call has been answered.
inline rp_text kept(std::string_view view)
{
    const rp_text one = text(view);
    return rp_join_all(&one, 1);
}

// A span that the contract counts; the longest one where it is longer.
inline milliseconds span_of(std::uint64_t ms)
{
    return milliseconds(std::min<std::uint64_t>(ms, milliseconds::max().count()));
}

// A span as the contract counts it. A negative one ends the call.
inline std::uint64_t count_of(milliseconds span)
{
    if (span < milliseconds::zero())
        rp_no_span_of_time();
    return span.count();
}

// ---- What the host tells ----

enum class Stage : std::uint8_t { prepare, measure, finish };

// What the host takes the cause of a failure to be.
enum class FailureClass : std::uint8_t {
    network,
    rate_limited,
    driver_transient,
    communication,
    device_memory,
    device_occupied,
    host_memory,
    device_program,
    device_hardware,
    hang,
    crash,
    storage,
    access,
    configuration,
    cancelled,
    unknown,
};

// Its name in settings and output, for example `rate-limited`.
inline std::string_view name(FailureClass cause) { return view(rp_cause_name(static_cast<rp_cause>(cause))); }

// What the host takes the cause to be, and the evidence in one line.
struct Failure {
    FailureClass cause;
    std::string_view evidence;
};

// What the experiment said of its failure itself; its texts may be empty.
struct SelfReport {
    std::optional<bool> retryable;
    std::string_view kind;
    std::string_view message;
};

// One attempt that has ended: a success, where nothing is said. `told` is all
// that the host says of it.
struct Attempt {
    rp_attempt told = rp_succeeded();

    // A failure, for unit tests.
    static Attempt failed(FailureClass cause, std::string_view evidence)
    {
        return {rp_failed(static_cast<rp_cause>(cause), kept(evidence))};
    }

    // How it failed, where it did.
    std::optional<Failure> failure() const
    {
        const rp_failure *failure = rp_failure_of(&told);
        if (!failure)
            return std::nullopt;
        return Failure{static_cast<FailureClass>(failure->cause), view(failure->evidence)};
    }

    // What the experiment said itself, where it did.
    std::optional<SelfReport> self_report() const
    {
        const rp_self_report *report = rp_self_report_of(&told);
        if (!report)
            return std::nullopt;
        const auto retryable = report->retryable.present ? std::optional(report->retryable.value) : std::nullopt;
        return SelfReport{retryable, view(report->kind), view(report->message)};
    }

    // Whether the experiment itself called its failure worth retrying, where it said so.
    std::optional<bool> retryable() const
    {
        const rp_optional_bool said = rp_retryable(&told);
        return said.present ? std::optional(said.value) : std::nullopt;
    }

    // How long a remote service asked to be left alone, where its text says
    // so: "retry after 30 seconds", "Retry-After: 120", "try again in 1m30s".
    std::optional<milliseconds> asked_to_wait() const
    {
        const rp_optional_u64 asked = rp_asked_to_wait_ms(&told);
        return asked.present ? std::optional(span_of(asked.value)) : std::nullopt;
    }

    Stage stage() const { return static_cast<Stage>(told.stage); }
    std::string_view stderr_tail() const { return view(told.stderr_tail); }
    std::string_view stdout_tail() const { return view(told.stdout_tail); }
    milliseconds waited_for() const { return span_of(told.waited_for_ms); }
    milliseconds ran_for() const { return span_of(told.ran_for_ms); }
};

// All attempts at a stage so far, oldest first; there always is one.
class Attempts {
public:
    Attempts(std::span<const Attempt> all) : all(all) {}

    auto begin() const { return all.begin(); }
    auto end() const { return all.end(); }
    std::size_t size() const { return all.size(); }

    // The attempt that is judged.
    const Attempt &last() const { return all.back(); }

    // How many were retries: all but the first.
    std::size_t retries() const { return all.size() - 1; }

    // How many failed in this way, the last one counted.
    std::size_t failures_of(FailureClass cause) const { return rp_failures_of(told(), static_cast<rp_cause>(cause)); }

    rp_attempts told() const { return {&all.front().told, all.size()}; }

private:
    static_assert(sizeof(Attempt) == sizeof(rp_attempt));
    std::span<const Attempt> all;
};

// The experiment that is judged. `told` is all that the host says of it.
struct Experiment {
    rp_experiment told{};

    std::string_view name() const { return view(told.name); }
    // Randomness that a replay sees again.
    std::uint64_t seed() const { return told.seed; }

    // The value of a parameter, as the study file writes it.
    std::optional<std::string_view> parameter(std::string_view name) const
    {
        for (const rp_parameter &one : std::span(told.parameters.items, told.parameters.count))
            if (view(one.name) == name)
                return view(one.value);
        return std::nullopt;
    }

    // A parameter as a number, where it is one and nothing else.
    template <class Number>
    std::optional<Number> parsed(std::string_view name) const
    {
        const std::string_view value = parameter(name).value_or("");
        Number number{};
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
        const bool whole = error == std::errc{} && end == value.data() + value.size();
        return whole ? std::optional(number) : std::nullopt;
    }

    // Whether a decision may override this parameter.
    bool can_adjust(std::string_view name) const
    {
        const std::span all(told.adjustable.items, told.adjustable.count);
        return std::ranges::any_of(all, [&](rp_text one) { return view(one) == name; });
    }

    // With one parameter, which may be overridden, for unit tests.
    static Experiment adjustable(std::string_view name, std::string_view value)
    {
        auto *one = new rp_parameter{kept(name), kept(value)};
        Experiment experiment;
        experiment.told.parameters = {one, 1};
        experiment.told.adjustable = {&one->name, 1};
        return experiment;
    }
};

// The study so far.
using Progress = rp_progress;

// ---- How long to wait ----

// Random numbers that a replay draws again, the same in every language. Not for secrets.
class Random {
public:
    explicit Random(std::uint64_t seed) : state{seed} {}

    using result_type = std::uint64_t;
    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }
    result_type operator()() { return rp_next_u64(&state); }

    // Draws a number from 0 to `most`, both included.
    std::uint64_t up_to(std::uint64_t most) { return rp_up_to(&state, most); }

private:
    rp_random state;
};

// How chance spreads the waits (Marc Brooker, "Exponential Backoff And Jitter", 2015).
enum class Jitter : std::uint8_t { none, full, equal, decorrelated };

// Waits that grow: the wait after attempt n is `first * factor^(n-1)`.
struct Backoff {
    seconds first;
    double factor = 2; // 1 gives waits that are all alike
    seconds cap{std::numeric_limits<double>::infinity()};
    Jitter jitter = Jitter::none;
    std::uint64_t seed = 0; // the experiment's, where there is jitter

    // The wait that follows these attempts. Nothing sleeps: the host waits.
    milliseconds wait_after(const Attempts &attempts) const
    {
        const rp_backoff told{first.count(), factor, cap.count(), static_cast<rp_jitter>(jitter), seed};
        return span_of(rp_wait_after_ms(told, attempts.told()));
    }
};

// A span of time in whole milliseconds. One that is negative or no number ends the call.
inline milliseconds whole(seconds span) { return span_of(rp_ms(span.count())); }

// ---- What a policy decides ----

enum class Placement : std::uint8_t { same_devices, other_devices, any_devices };
enum class Turn : std::uint8_t { when_due, after_all_others };

// Takes the attempt's outcome as the stage's outcome.
struct Accept {
    bool operator==(const Accept &) const = default;
};

// Runs the stage again.
struct Retry {
    milliseconds after{};
    std::string reason;
    std::map<std::string, std::string> overrides{}; // values that replace those of adjustable parameters
    Placement placement = Placement::any_devices;
    Turn turn = Turn::when_due;

    bool operator==(const Retry &) const = default;
};

// The experiment has failed. The study goes on.
struct GiveUp {
    std::string reason;
    bool operator==(const GiveUp &) const = default;
};

// Starts no further experiment.
struct StopStudy {
    std::string reason;
    bool operator==(const StopStudy &) const = default;
};

using Decision = std::variant<Accept, Retry, GiveUp, StopStudy>;

// ---- What a policy plans ----

// One piece of cleanup work, and what its failure means.
struct Step {
    rp_step told;

    // Without this step its device is not fit for the next experiment.
    Step or_quarantine() const { return {rp_or_quarantine(told)}; }
    // Without this step no further experiment is to start.
    Step or_stop() const { return {rp_or_stop(told)}; }
};

// Steps in the order in which they are to run.
using Plan = std::vector<Step>;

inline Step end_leftovers(milliseconds grace) { return {rp_end_leftovers(count_of(grace))}; }
inline Step remove_shared_memory() { return {rp_remove_shared_memory()}; }
inline Step synchronize() { return {rp_synchronize()}; }
inline Step release_cached_memory() { return {rp_release_cached_memory()}; }
inline Step reset_contexts() { return {rp_reset_contexts()}; }
inline Step await_memory(std::uint64_t tolerance_bytes, milliseconds timeout)
{
    return {rp_await_memory(tolerance_bytes, count_of(timeout))};
}
inline Step await_temperature(std::uint32_t at_most_celsius, milliseconds timeout)
{
    return {rp_await_temperature(at_most_celsius, count_of(timeout))};
}
inline Step await_idle(std::uint32_t at_most_percent, milliseconds timeout)
{
    return {rp_await_idle(at_most_percent, count_of(timeout))};
}
inline Step probe(std::uint64_t allocate_bytes, milliseconds timeout)
{
    return {rp_probe(allocate_bytes, count_of(timeout))};
}
inline Step pause(milliseconds span) { return {rp_pause(count_of(span))}; }
inline Step run_hook(std::string_view name) { return {rp_run_hook(kept(name))}; }

// ---- The devices, as the host sees them; outside a host there are none ----

inline std::uint32_t device_count() { return rp_device_count(); }

// Reads one, by its position from 0.
inline std::expected<rp_status, rp_status_error> read_device(std::uint32_t device)
{
    const rp_reading reading = rp_read_device(device);
    if (reading.failed)
        return std::unexpected(reading.error);
    return reading.status;
}

// Runs a step's action now, for plans that depend on what it brings. Only a
// plan may; the error is the host's reason for refusing it.
inline std::expected<rp_report, std::string_view> perform(const Step &step)
{
    const rp_performed performed = rp_perform(step.told.action);
    if (performed.refused)
        return std::unexpected(view(performed.why));
    return performed.report;
}

// ---- A component's exports ----

// Who a policy is.
struct Info {
    const char *name;
    const char *version = "0.1.0";
    const char *summary = "";              // one line for people
    const char *settings_schema = nullptr; // a JSON Schema, or that of the settings
};

// A setting: its name in the study file, the member that holds its default and
// takes its value, what it is for in one line, and the least that a number may be.
// A policy lists them as `static constexpr Setting<Mine> settings[]`.
template <class Policy>
struct Setting {
    const char *name;
    std::variant<bool Policy::*, std::uint32_t Policy::*, double Policy::*, std::optional<std::uint32_t> Policy::*,
                 seconds Policy::*, std::string Policy::*, Jitter Policy::*, std::set<FailureClass> Policy::*>
        member;
    const char *about = "";
    double at_least = 0;
};

template <class Policy>
concept Decides = requires(const Policy &policy, Experiment experiment, Attempts attempts, Progress progress) {
    { policy.decide(experiment, attempts, progress) } -> std::convertible_to<Decision>;
};

template <class Policy>
concept Plans = requires(const Policy &policy, Experiment experiment, const Attempt *attempt) {
    { policy.plan(experiment, attempt) } -> std::convertible_to<Plan>;
};

// Where a setting is read to, as the C SDK reads it, and from there into its member.
class Cell {
public:
    template <class Policy>
    Cell(const Policy &policy, const Setting<Policy> &setting)
        : name(setting.name), about(setting.about), at_least(setting.at_least)
    {
        std::visit([&](auto member) { hold(policy.*member); }, setting.member);
    }

    rp_setting told() { return {name, kind, &value, about, at_least}; }

    template <class Policy>
    void give(Policy &policy, const Setting<Policy> &setting) const
    {
        std::visit([&](auto member) { give(policy.*member); }, setting.member);
    }

private:
    const char *name;
    const char *about;
    double at_least;
    rp_setting_kind kind{};
    union {
        bool truth;
        std::uint32_t number;
        double real;
        rp_optional_u32 optional;
        rp_text text;
        rp_jitter jitter;
        rp_causes causes;
    } value{};

    void hold(bool held) { kind = RP_IS_BOOL, value.truth = held; }
    void hold(std::uint32_t held) { kind = RP_IS_U32, value.number = held; }
    void hold(double held) { kind = RP_IS_DOUBLE, value.real = held; }
    void hold(seconds held) { hold(held.count()); }
    void hold(const std::string &held) { kind = RP_IS_TEXT, value.text = kept(held); }
    void hold(Jitter held) { kind = RP_IS_JITTER, value.jitter = static_cast<rp_jitter>(held); }
    void hold(const std::optional<std::uint32_t> &held)
    {
        kind = RP_IS_OPTIONAL_U32, value.optional = {held.has_value(), held.value_or(0)};
    }
    void hold(const std::set<FailureClass> &held)
    {
        kind = RP_IS_CAUSES, value.causes = {};
        for (const FailureClass cause : held)
            value.causes.bits |= RP_CAUSE(static_cast<unsigned>(cause));
    }

    void give(bool &to) const { to = value.truth; }
    void give(std::uint32_t &to) const { to = value.number; }
    void give(double &to) const { to = value.real; }
    void give(seconds &to) const { to = seconds(value.real); }
    void give(std::string &to) const { to = view(value.text); }
    void give(Jitter &to) const { to = static_cast<Jitter>(value.jitter); }
    void give(std::optional<std::uint32_t> &to) const
    {
        to = value.optional.present ? std::optional(value.optional.value) : std::nullopt;
    }
    void give(std::set<FailureClass> &to) const
    {
        to.clear();
        for (unsigned cause = 0; cause <= RP_UNKNOWN; cause++)
            if (rp_has(value.causes, static_cast<rp_cause>(cause)))
                to.insert(static_cast<FailureClass>(cause));
    }
};

// A policy's settings, as the C SDK reads them.
template <class Policy>
class Settings {
public:
    explicit Settings(const Policy &policy)
    {
        if constexpr (requires { Policy::settings; })
            for (const Setting<Policy> &setting : Policy::settings)
                cells.emplace_back(policy, setting);
        for (Cell &cell : cells)
            table.push_back(cell.told());
    }

    std::span<const rp_setting> told() const { return table; }

    // Gives what has been read to the policy, and says why it refuses that.
    std::optional<std::string> give(Policy &policy) const
    {
        if constexpr (requires { Policy::settings; })
            for (std::size_t i = 0; i < cells.size(); i++)
                cells[i].give(policy, Policy::settings[i]);
        if constexpr (requires { policy.check(); })
            return policy.check();
        return std::nullopt;
    }

private:
    std::vector<Cell> cells;
    std::vector<rp_setting> table;
};

// The policy with these settings, a JSON object, or why they are refused. The
// host's part, for unit tests.
template <class Policy>
std::expected<Policy, std::string> configure(std::string_view json)
{
    Policy policy{};
    const Settings<Policy> settings(policy);
    const rp_text why = rp_read_settings(kept(json), settings.told().data(), settings.told().size());
    if (why.size > 0)
        return std::unexpected(std::string(view(why)));
    if (const std::optional<std::string> refusal = settings.give(policy))
        return std::unexpected(*refusal);
    return policy;
}

// The one policy of a component, and how the C SDK reaches it.
template <class Policy>
class Component {
public:
    static rp_policy told()
    {
        const std::span table = settings().told();
        const Info &info = Policy::info;
        return {info.name, info.version, info.summary, table.data(), table.size(), check, info.settings_schema};
    }

    static rp_decision decide(const rp_experiment *experiment, rp_attempts attempts, const rp_progress *progress)
        requires Decides<Policy>
    {
        const std::span all(reinterpret_cast<const Attempt *>(attempts.items), attempts.count);
        const Decision decision = policy().decide(Experiment{*experiment}, Attempts(all), *progress);
        return std::visit([](const auto &one) { return lowered(one); }, decision);
    }

    static rp_plan plan(const rp_experiment *experiment, const rp_attempt *attempt)
        requires Plans<Policy>
    {
        rp_plan plan{};
        for (const Step &step : policy().plan(Experiment{*experiment}, reinterpret_cast<const Attempt *>(attempt)))
            rp_add(&plan, step.told);
        return plan;
    }

private:
    // Made when first asked for: nothing else orders them before what is exported.
    static Policy &policy()
    {
        static Policy one{};
        return one;
    }

    static Settings<Policy> &settings()
    {
        static Settings<Policy> one(policy());
        return one;
    }

    static rp_text check()
    {
        const std::optional<std::string> why = settings().give(policy());
        return why ? kept(*why) : rp_text{};
    }

    static rp_decision lowered(const Accept &) { return rp_accept(); }
    static rp_decision lowered(const GiveUp &one) { return rp_give_up(kept(one.reason)); }
    static rp_decision lowered(const StopStudy &one) { return rp_stop_study(kept(one.reason)); }
    static rp_decision lowered(const Retry &one)
    {
        rp_decision retry = rp_retry(count_of(one.after), kept(one.reason));
        retry.retry.placement = static_cast<rp_placement>(one.placement);
        retry.retry.turn = static_cast<rp_turn>(one.turn);
        for (const auto &[parameter, value] : one.overrides)
            rp_override(&retry, kept(parameter).data, kept(value));
        return retry;
    }
};

} // namespace reprieve

// Once in a component. The roles are those of the class: `decide`, `plan` or
// both. Outside WebAssembly it does nothing, so that the policy can be unit-tested.
#ifdef __wasm__
namespace reprieve {

template <class Policy>
struct ExportedDecide {};

template <Decides Policy>
struct ExportedDecide<Policy> {
    [[clang::export_name(RP_CONTRACT("retry-policy@0.1.0#decide"))]]
    static const rp_decision *decide(const rp_question *asked)
    {
        static rp_decision answer;
        answer = Component<Policy>::decide(&asked->experiment, asked->attempts, &asked->progress);
        return &answer;
    }
};

template <class Policy>
struct ExportedPlan {};

template <Plans Policy>
struct ExportedPlan<Policy> {
    [[clang::export_name(RP_CONTRACT("cleanup-policy@0.1.0#plan"))]]
    static const rp_plan *plan(const rp_occasion *asked)
    {
        static rp_plan answer;
        answer = Component<Policy>::plan(&asked->experiment, asked->after_attempt ? &asked->attempt : nullptr);
        return &answer;
    }
};

} // namespace reprieve

#define REPRIEVE_EXPORT(policy)                \
    template struct reprieve::ExportedDecide<policy>; \
    template struct reprieve::ExportedPlan<policy>;   \
    extern "C" const rp_policy rp_this_policy; \
    const rp_policy rp_this_policy = reprieve::Component<policy>::told()
#else
#define REPRIEVE_EXPORT(policy) static_assert(reprieve::Decides<policy> || reprieve::Plans<policy>)
#endif

#endif
