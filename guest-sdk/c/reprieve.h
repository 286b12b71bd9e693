/* Write a Reprieve policy in C: what follows a failed GPU experiment.
 *
 * A policy is two functions at most: one decides what follows an attempt, one
 * plans the cleanup. It remembers nothing between calls, and does no work: it
 * answers, and the host waits, places and cleans.
 *
 * The structures are the contract's, field by field, as the component model
 * lays them out in a component's memory: nothing is copied or converted. The
 * host drops that memory after each call, so nothing here is ever freed.
 */
#ifndef REPRIEVE_H
#define REPRIEVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Texts and lists ---- */

/* UTF-8. A NUL follows the last byte, so `data` serves as a C string too,
 * except that a text of an experiment may hold NULs of its own. */
typedef struct rp_text {
    const char *data;
    size_t size;
} rp_text;

#ifdef __cplusplus
#define RP_TEXT(literal) (rp_text{"" literal, sizeof(literal) - 1})
#else
/* A text of a string literal. */
#define RP_TEXT(literal) ((rp_text){"" literal, sizeof(literal) - 1})
#endif

/* A text of a C string. */
rp_text rp_text_of(const char *string);
/* The texts in a row. `rp_join(a, b, c)` is the short way. */
rp_text rp_join_all(const rp_text *texts, size_t count);
#define rp_join(...) rp_join_all((const rp_text[]){__VA_ARGS__}, sizeof((const rp_text[]){__VA_ARGS__}) / sizeof(rp_text))
/* A number in decimal digits. */
rp_text rp_number(uint64_t number);
bool rp_equal(rp_text one, rp_text other);
/* Memory for as long as the call takes. Ends the call where there is none. */
void *rp_allocate(size_t size);

/* Items from 0 up to, and without, `count`. */
#define RP_LIST(type)      \
    struct {               \
        const type *items; \
        size_t count;      \
    }

/* A value, where it is `present`. */
typedef struct rp_optional_bool {
    bool present;
    bool value;
} rp_optional_bool;

typedef struct rp_optional_u32 {
    bool present;
    uint32_t value;
} rp_optional_u32;

typedef struct rp_optional_u64 {
    bool present;
    uint64_t value;
} rp_optional_u64;

/* ---- What the host tells ---- */

/* A named value: an experiment's parameter, or an override of one. */
typedef struct rp_parameter {
    rp_text name;
    rp_text value;
} rp_parameter;

typedef RP_LIST(rp_parameter) rp_parameters;

/* The part of an experiment that an attempt ran. */
typedef enum rp_stage : uint8_t {
    RP_PREPARE,
    RP_MEASURE,
    RP_FINISH,
} rp_stage;

typedef enum rp_ending_kind : uint8_t {
    RP_EXITED,
    RP_SIGNALLED,
    RP_TIMED_OUT,
    RP_FELL_SILENT,
    RP_NOT_STARTED,
    RP_LOST,
} rp_ending_kind;

/* How an attempt's process ended. */
typedef struct rp_ending {
    rp_ending_kind kind;
    union {
        int32_t exit_code; /* of RP_EXITED */
        int32_t signal;    /* of RP_SIGNALLED */
        rp_text why;       /* of RP_NOT_STARTED */
    };
} rp_ending;

/* What the host takes the cause of a failure to be. */
typedef enum rp_cause : uint8_t {
    RP_NETWORK,
    RP_RATE_LIMITED,
    RP_DRIVER_TRANSIENT,
    RP_COMMUNICATION,
    RP_DEVICE_MEMORY,
    RP_DEVICE_OCCUPIED,
    RP_HOST_MEMORY,
    RP_DEVICE_PROGRAM,
    RP_DEVICE_HARDWARE,
    RP_HANG,
    RP_CRASH,
    RP_STORAGE,
    RP_ACCESS,
    RP_CONFIGURATION,
    RP_CANCELLED,
    RP_UNKNOWN,
} rp_cause;

/* The cause's name in settings and output, for example `rate-limited`. */
rp_text rp_cause_name(rp_cause cause);

/* What the host takes the cause to be, and the evidence in one line. */
typedef struct rp_failure {
    rp_cause cause;
    rp_text evidence;
} rp_failure;

/* What the experiment said of its failure itself; its texts may be empty. */
typedef struct rp_self_report {
    rp_optional_bool retryable;
    rp_text kind;
    rp_text message;
} rp_self_report;

/* A fault that the driver recorded: a device's position, and NVIDIA's number. */
typedef struct rp_device_fault {
    uint32_t device;
    uint64_t xid;
} rp_device_fault;

/* A device's memory around an attempt. */
typedef struct rp_device_memory_use {
    uint32_t device;
    uint64_t baseline_bytes;
    uint64_t peak_bytes;
    uint64_t residual_bytes;
} rp_device_memory_use;

/* One attempt that has ended. `wit/types.wit` says more of each field. */
typedef struct rp_attempt {
    uint32_t number;
    rp_stage stage;
    rp_ending ending;
    struct {
        bool present;
        rp_failure value;
    } failure; /* see rp_failure_of */
    uint64_t waited_for_ms;
    uint64_t ran_for_ms;
    rp_text stderr_tail;
    rp_text stdout_tail;
    struct {
        bool present;
        rp_self_report value;
    } self_report; /* see rp_self_report_of */
    RP_LIST(rp_device_fault) faults;
    RP_LIST(rp_device_memory_use) memory;
    uint32_t foreign_processes;
    uint64_t throttled_for_ms;
    rp_parameters facts;
} rp_attempt;

/* All attempts at a stage so far, oldest first; the last one is judged, and
 * there always is one. */
typedef RP_LIST(rp_attempt) rp_attempts;

/* The experiment that is judged. */
typedef struct rp_experiment {
    rp_text name;
    rp_parameters parameters;
    RP_LIST(rp_text) adjustable; /* parameters that a decision may override */
    rp_parameters labels;
    uint32_t devices;
    uint64_t seed; /* randomness that a replay sees again */
} rp_experiment;

/* The study so far. */
typedef struct rp_progress {
    uint32_t succeeded;
    uint32_t failed;
    uint32_t remaining;
    uint32_t retries;
    uint32_t failed_in_a_row;
    uint64_t elapsed_ms;
} rp_progress;

/* The attempt that is judged. */
const rp_attempt *rp_last(rp_attempts attempts);
/* How many were retries: all but the first. */
uint32_t rp_retries(rp_attempts attempts);
/* How many failed in this way, the last one counted. */
uint32_t rp_failures_of(rp_attempts attempts, rp_cause cause);
/* How it failed, or NULL where it succeeded. */
const rp_failure *rp_failure_of(const rp_attempt *attempt);
/* What the experiment said itself, or NULL. */
const rp_self_report *rp_self_report_of(const rp_attempt *attempt);
/* Whether the experiment itself called its failure worth retrying, where it said so. */
rp_optional_bool rp_retryable(const rp_attempt *attempt);
/* How long a remote service asked to be left alone, where its text says so:
 * "retry after 30 seconds", "Retry-After: 120", "try again in 1m30s". */
rp_optional_u64 rp_asked_to_wait_ms(const rp_attempt *attempt);

/* The value of this name, or NULL. */
const rp_text *rp_find(rp_parameters among, const char *name);
/* A parameter as a whole number, or `otherwise` where it is none. */
uint64_t rp_parameter_u64(const rp_experiment *experiment, const char *name, uint64_t otherwise);
/* Whether a decision may override this parameter. */
bool rp_can_adjust(const rp_experiment *experiment, const char *name);

/* A success and a failure, for unit tests. */
rp_attempt rp_succeeded(void);
rp_attempt rp_failed(rp_cause cause, rp_text evidence);

/* ---- How long to wait ---- */

/* A setting in milliseconds; one that is too long is an endless one. */
uint64_t rp_ms(double seconds);
/* Where seconds are negative or no number, this ends the call. The error tells
 * its name, and who called it. */
[[noreturn]] void rp_no_span_of_time(void);

/* Random numbers that a replay draws again, the same in every language
 * (SplitMix64). Start it with `{experiment->seed}`. Not for secrets. */
typedef struct rp_random {
    uint64_t state;
} rp_random;

uint64_t rp_next_u64(rp_random *random);
/* Draws a number from 0 to `most`, both included. */
uint64_t rp_up_to(rp_random *random, uint64_t most);

/* How chance spreads the waits (Marc Brooker, "Exponential Backoff And Jitter", 2015). */
typedef enum rp_jitter : uint8_t {
    RP_JITTER_NONE,
    RP_JITTER_FULL,
    RP_JITTER_EQUAL,
    RP_JITTER_DECORRELATED,
} rp_jitter;

/* Waits that grow: the wait after attempt n is `first * factor^(n-1)`. */
typedef struct rp_backoff {
    double first_seconds;
    double factor; /* 1 where it makes no sense */
    double cap_seconds;
    rp_jitter jitter;
    uint64_t seed; /* the experiment's, where there is jitter */
} rp_backoff;

/* Waits that grow by a factor, without cap or jitter: set the fields for those. */
rp_backoff rp_exponential(double first_seconds, double factor);
/* Waits that are all alike. */
rp_backoff rp_constant(double seconds);
/* The wait that follows these attempts. Nothing sleeps: the host waits. */
uint64_t rp_wait_after_ms(rp_backoff backoff, rp_attempts attempts);

/* ---- What a policy decides ---- */

/* Which devices the next attempt may use. */
typedef enum rp_placement : uint8_t {
    RP_SAME_DEVICES,
    RP_OTHER_DEVICES,
    RP_ANY_DEVICES,
} rp_placement;

/* When the next attempt takes its turn once its delay has passed. */
typedef enum rp_turn : uint8_t {
    RP_WHEN_DUE,
    RP_AFTER_ALL_OTHERS,
} rp_turn;

typedef enum rp_decision_kind : uint8_t {
    RP_ACCEPT,
    RP_RETRY,
    RP_GIVE_UP,
    RP_STOP_STUDY,
} rp_decision_kind;

/* What follows an attempt. */
typedef struct rp_decision {
    rp_decision_kind kind;
    union {
        struct {
            uint64_t delay_ms;
            rp_placement placement;
            rp_turn turn;
            rp_parameters overrides;
            rp_text reason;
        } retry;
        rp_text reason; /* of RP_GIVE_UP and RP_STOP_STUDY */
    };
} rp_decision;

/* Takes the attempt's outcome as the stage's outcome. */
rp_decision rp_accept(void);
/* Runs the stage again, on whichever devices are free first, as soon as one is. */
rp_decision rp_retry(uint64_t delay_ms, rp_text reason);
/* Replaces the value of an adjustable parameter for the next attempt. */
void rp_override(rp_decision *retry, const char *parameter, rp_text value);
/* The experiment has failed, for this reason. The study goes on. */
rp_decision rp_give_up(rp_text reason);
/* Starts no further experiment, for this reason. */
rp_decision rp_stop_study(rp_text reason);

/* ---- What a policy plans ---- */

typedef enum rp_action_kind : uint8_t {
    RP_END_LEFTOVERS,
    RP_REMOVE_SHARED_MEMORY,
    RP_SYNCHRONIZE,
    RP_RELEASE_CACHED_MEMORY,
    RP_RESET_CONTEXTS,
    RP_AWAIT_MEMORY,
    RP_AWAIT_TEMPERATURE,
    RP_AWAIT_IDLE,
    RP_PROBE,
    RP_PAUSE,
    RP_RUN_HOOK,
} rp_action_kind;

/* One piece of cleanup work, on every leased device. */
typedef struct rp_action {
    rp_action_kind kind;
    union {
        uint64_t grace_ms; /* of RP_END_LEFTOVERS */
        uint64_t pause_ms; /* of RP_PAUSE */
        struct {
            uint64_t bytes; /* of RP_AWAIT_MEMORY and RP_PROBE */
            uint64_t timeout_ms;
        } memory;
        struct {
            uint32_t at_most; /* degrees Celsius, or percent of utilization */
            uint64_t timeout_ms;
        } level; /* of RP_AWAIT_TEMPERATURE and RP_AWAIT_IDLE */
        rp_text hook; /* of RP_RUN_HOOK: a command of the study's, by its name */
    };
} rp_action;

/* What becomes of the study where a step fails. */
typedef enum rp_consequence : uint8_t {
    RP_CARRY_ON,
    RP_QUARANTINE_DEVICE,
    RP_END_STUDY,
} rp_consequence;

/* An action, and what its failure means. */
typedef struct rp_step {
    rp_action action;
    rp_consequence if_it_fails;
} rp_step;

/* Steps in the order in which they are to run. Begin with `{0}`. */
typedef RP_LIST(rp_step) rp_plan;

void rp_add(rp_plan *plan, rp_step step);

rp_step rp_end_leftovers(uint64_t grace_ms);
rp_step rp_remove_shared_memory(void);
rp_step rp_synchronize(void);
rp_step rp_release_cached_memory(void);
rp_step rp_reset_contexts(void);
rp_step rp_await_memory(uint64_t tolerance_bytes, uint64_t timeout_ms);
rp_step rp_await_temperature(uint32_t at_most_celsius, uint64_t timeout_ms);
rp_step rp_await_idle(uint32_t at_most_percent, uint64_t timeout_ms);
rp_step rp_probe(uint64_t allocate_bytes, uint64_t timeout_ms);
rp_step rp_pause(uint64_t ms);
rp_step rp_run_hook(rp_text name);
/* Without this step its device is not fit for the next experiment. */
rp_step rp_or_quarantine(rp_step step);
/* Without this step no further experiment is to start. */
rp_step rp_or_stop(rp_step step);

/* ---- The devices, as the host sees them; outside a host there are none ---- */

/* The driver's recommended recovery. */
typedef enum rp_recovery : uint8_t {
    RP_RECOVERY_NONE,
    RP_RECOVERY_RESET_DEVICE,
    RP_RECOVERY_RESTART_MACHINE,
    RP_RECOVERY_INSPECT,
} rp_recovery;

/* A reading of one device. */
typedef struct rp_status {
    rp_text uuid;
    rp_text name;
    uint64_t total_bytes;
    uint64_t used_bytes;
    uint64_t baseline_bytes;
    rp_optional_u32 temperature_celsius;
    rp_optional_u32 power_milliwatts;
    rp_optional_u32 utilization_percent;
    rp_optional_bool throttled;
    rp_optional_u64 uncorrected_errors;
    struct {
        bool present;
        rp_recovery value;
    } recovery;
    uint32_t processes;
} rp_status;

typedef enum rp_status_error_kind : uint8_t {
    RP_UNAVAILABLE,
    RP_NO_SUCH_DEVICE,
    RP_NOT_SUPPORTED,
    RP_DEVICE_LOST,
    RP_TRANSIENT,
    RP_OTHER_ERROR,
} rp_status_error_kind;

/* Why there is no reading. */
typedef struct rp_status_error {
    rp_status_error_kind kind;
    rp_text why; /* of RP_UNAVAILABLE, RP_TRANSIENT and RP_OTHER_ERROR */
} rp_status_error;

typedef struct rp_reading {
    bool failed;
    union {
        rp_status status;
        rp_status_error error; /* where it failed */
    };
} rp_reading;

/* How many devices the experiment holds. */
uint32_t rp_device_count(void);
/* Reads one, by its position from 0. */
rp_reading rp_read_device(uint32_t device);

typedef enum rp_outcome_kind : uint8_t {
    RP_DONE,
    RP_SKIPPED,
    RP_FAILED,
} rp_outcome_kind;

/* How an action went. */
typedef struct rp_outcome {
    rp_outcome_kind kind;
    rp_text why; /* of RP_SKIPPED and RP_FAILED */
} rp_outcome;

/* What an action brought. */
typedef struct rp_report {
    rp_outcome outcome;
    uint64_t took_ms;
    uint64_t released_bytes;
} rp_report;

typedef struct rp_performed {
    bool refused;
    union {
        rp_report report;
        rp_text why; /* where the host refused it */
    };
} rp_performed;

/* Runs an action now, for plans that depend on what it brings. Only a plan may. */
rp_performed rp_perform(rp_action action);

/* ---- Settings ---- */

/* A set of causes. */
typedef struct rp_causes {
    uint32_t bits;
} rp_causes;

#define RP_CAUSE(cause) (UINT32_C(1) << (cause))
bool rp_has(rp_causes causes, rp_cause cause);

typedef enum rp_setting_kind : uint8_t {
    RP_IS_BOOL,
    RP_IS_U32,
    RP_IS_OPTIONAL_U32, /* null, or a number */
    RP_IS_DOUBLE,
    RP_IS_TEXT,
    RP_IS_JITTER, /* "none", "full", "equal", "decorrelated" */
    RP_IS_CAUSES, /* a list of their names */
} rp_setting_kind;

/* A setting: its name in the study file, and the variable that holds its
 * default and takes its value. RP_SETTING tells the kind from the variable, and
 * takes the other fields behind it: `.about = "…"`. */
typedef struct rp_setting {
    const char *name;
    rp_setting_kind kind;
    void *variable;
    const char *about; /* what it is for, in one line */
    double at_least;   /* of a number: 0, unless told */
} rp_setting;

#define RP_SETTING(of, setting, ...)                  \
    {.name = (of),                                    \
     .kind = _Generic(setting,                        \
         bool: RP_IS_BOOL,                            \
         uint32_t: RP_IS_U32,                         \
         rp_optional_u32: RP_IS_OPTIONAL_U32,         \
         double: RP_IS_DOUBLE,                        \
         rp_text: RP_IS_TEXT,                         \
         rp_jitter: RP_IS_JITTER,                     \
         rp_causes: RP_IS_CAUSES),                    \
     .variable = &(setting), __VA_ARGS__}

/* Reads settings, a JSON object, into their variables. Returns why they are
 * refused, or an empty text. */
rp_text rp_read_settings(rp_text json, const rp_setting *settings, size_t count);
/* A JSON Schema of settings, whose variables hold their defaults. */
rp_text rp_settings_schema(const rp_setting *settings, size_t count);
/* A number in decimal digits, to the ninth behind the point. */
rp_text rp_real(double number);

/* ---- A component's exports ---- */

/* Who a policy is. */
typedef struct rp_policy {
    const char *name;
    const char *version;
    const char *summary; /* one line for people */
    const rp_setting *settings;
    size_t settings_count;
    rp_text (*check)(void); /* refuses settings that have been read, in its words; may be NULL */
    const char *settings_schema; /* a JSON Schema, or NULL for that of the settings */
} rp_policy;

typedef rp_decision rp_decide(const rp_experiment *experiment, rp_attempts attempts, const rp_progress *progress);
/* Plans for after this attempt, or for before one where it is NULL. */
typedef rp_plan rp_plan_for(const rp_experiment *experiment, const rp_attempt *attempt);

/* What the host passes to a component's `decide` and `plan`. */
typedef struct rp_question {
    rp_experiment experiment;
    rp_attempts attempts;
    rp_progress progress;
} rp_question;

typedef struct rp_occasion {
    rp_experiment experiment;
    bool after_attempt;
    rp_attempt attempt;
} rp_occasion;

#define RP_CONTRACT(of) "reprieve:policy/" of

#ifdef __cplusplus
#define RP_EXTERN_C extern "C"
#else
#define RP_EXTERN_C
#endif

/* Once in a component: RP_POLICY says who it is, RP_DECIDES and RP_PLANS what
 * it does. Elsewhere they do nothing, so that the policy can be unit-tested. */
#define RP_POLICY(...)                                           \
    RP_EXTERN_C extern const rp_policy rp_this_policy;           \
    RP_EXTERN_C const rp_policy rp_this_policy = {__VA_ARGS__}

#ifdef __wasm__
#define RP_DECIDES(decide)                                                                                 \
    RP_EXTERN_C __attribute__((export_name(RP_CONTRACT("retry-policy@0.1.0#decide")))) const rp_decision * \
    rp_export_decide(const rp_question *asked)                                                             \
    {                                                                                                      \
        static rp_decision answer;                                                                         \
        answer = decide(&asked->experiment, asked->attempts, &asked->progress);                            \
        return &answer;                                                                                    \
    }                                                                                                      \
    static_assert(true, "")
#define RP_PLANS(plan)                                                                                   \
    RP_EXTERN_C __attribute__((export_name(RP_CONTRACT("cleanup-policy@0.1.0#plan")))) const rp_plan *   \
    rp_export_plan(const rp_occasion *asked)                                                             \
    {                                                                                                    \
        static rp_plan answer;                                                                           \
        answer = plan(&asked->experiment, asked->after_attempt ? &asked->attempt : NULL);                \
        return &answer;                                                                                  \
    }                                                                                                    \
    static_assert(true, "")
#else
#define RP_DECIDES(decide) [[maybe_unused]] static rp_decide *const rp_this_decide = decide
#define RP_PLANS(plan) [[maybe_unused]] static rp_plan_for *const rp_this_plan = plan
#endif

#ifdef __cplusplus
}
#endif

#endif
