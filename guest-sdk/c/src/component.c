/* What a component exports and imports beside the author's two functions.
 *
 * The structures of the header are the contract's records as the component
 * model lays them out in 32-bit memory, which the assertions here hold them
 * to: a pointer that the host passes is one to the structure. */
#include "../reprieve.h"

#ifdef __wasm__

static_assert(sizeof(rp_ending) == 12 && sizeof(rp_failure) == 12 && sizeof(rp_self_report) == 20, "");
static_assert(sizeof(rp_attempt) == 136 && offsetof(rp_attempt, waited_for_ms) == 40, "");
static_assert(sizeof(rp_experiment) == 48 && sizeof(rp_progress) == 32, "");
static_assert(offsetof(rp_occasion, attempt) == 56 && sizeof(rp_decision) == 40, "");
static_assert(sizeof(rp_action) == 24 && sizeof(rp_step) == 32, "");
static_assert(sizeof(rp_status) == 96 && sizeof(rp_reading) == 104 && sizeof(rp_performed) == 40, "");

#define EXPORT(name) __attribute__((export_name(name)))
#define IMPORT(from, name) __attribute__((import_module(RP_CONTRACT(from)), import_name(name)))

extern const rp_policy rp_this_policy;

EXPORT("cabi_realloc") void *rp_export_realloc(void *old, size_t old_size, size_t alignment, size_t size)
{
    (void)alignment; /* of 8 at most, which all memory has */
    char *memory = rp_allocate(size);
    if (old_size > 0)
        __builtin_memcpy(memory, old, old_size < size ? old_size : size);
    return memory;
}

EXPORT(RP_CONTRACT("guest@0.1.0#describe")) const void *rp_export_describe(void)
{
    static struct {
        rp_text name, version, summary;
        bool has_schema;
        rp_text schema;
    } info;
    const rp_policy *policy = &rp_this_policy;
    info.name = rp_text_of(rp_this_policy.name);
    info.version = rp_text_of(rp_this_policy.version ? rp_this_policy.version : "");
    info.summary = rp_text_of(rp_this_policy.summary ? rp_this_policy.summary : "");
    info.has_schema = policy->settings_schema || policy->settings_count > 0;
    info.schema = policy->settings_schema ? rp_text_of(policy->settings_schema)
                                          : rp_settings_schema(policy->settings, policy->settings_count);
    return &info;
}

EXPORT(RP_CONTRACT("guest@0.1.0#configure")) const void *rp_export_configure(const char *settings, size_t size)
{
    static struct {
        bool refused;
        rp_text why;
    } answer;
    answer.why = rp_read_settings((rp_text){settings, size}, rp_this_policy.settings, rp_this_policy.settings_count);
    if (answer.why.size == 0 && rp_this_policy.check)
        answer.why = rp_this_policy.check();
    answer.refused = answer.why.size > 0;
    return &answer;
}

IMPORT("nvml-status@0.1.0", "device-count") uint32_t rp_import_device_count(void);
IMPORT("nvml-status@0.1.0", "read") void rp_import_read(uint32_t device, rp_reading *reading);
IMPORT("gpu-cleanup@0.1.0", "perform")
void rp_import_perform(uint32_t kind, uint64_t first, uint64_t second, rp_performed *performed);

uint32_t rp_device_count(void)
{
    return rp_import_device_count();
}

rp_reading rp_read_device(uint32_t device)
{
    rp_reading reading = {0};
    rp_import_read(device, &reading);
    return reading;
}

rp_performed rp_perform(rp_action action)
{
    uint64_t first = 0, second = 0;
    switch (action.kind) {
    case RP_END_LEFTOVERS:
    case RP_PAUSE:
        first = action.pause_ms;
        break;
    case RP_AWAIT_MEMORY:
    case RP_PROBE:
        first = action.memory.bytes, second = action.memory.timeout_ms;
        break;
    case RP_AWAIT_TEMPERATURE:
    case RP_AWAIT_IDLE:
        first = action.level.at_most, second = action.level.timeout_ms;
        break;
    case RP_RUN_HOOK:
        first = (uintptr_t)action.hook.data, second = action.hook.size;
        break;
    default:
        break;
    }
    rp_performed performed = {0};
    rp_import_perform(action.kind, first, second, &performed);
    return performed;
}

#else

uint32_t rp_device_count(void)
{
    return 0;
}

rp_reading rp_read_device(uint32_t device)
{
    (void)device;
    rp_text why = RP_TEXT("the policy runs outside a host");
    return (rp_reading){.failed = true, .error = {RP_UNAVAILABLE, why}};
}

rp_performed rp_perform(rp_action action)
{
    (void)action;
    return (rp_performed){.refused = true, .why = RP_TEXT("the policy runs outside a host")};
}

#endif
