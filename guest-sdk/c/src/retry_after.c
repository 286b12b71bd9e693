/* How long a remote service asked to be left alone: the texts in which the
 * header Retry-After (RFC 9110, section 10.2.3) and its paraphrases end up.
 * Dates are passed over: a policy has no clock to compare them with. */
#include <string.h>

#include "../reprieve.h"

/* A space stands for any of ` `, `-` and `_`. */
static const char *const LEADS[] = {"retry after", "try again in", "try again after", "retry in"};

static const struct {
    const char *name;
    uint64_t ms;
} UNITS[] = {
    {"ms", 1},          {"millisecond", 1}, {"milliseconds", 1}, {"", 1000},        {"s", 1000},      {"sec", 1000},
    {"secs", 1000},     {"second", 1000},   {"seconds", 1000},   {"m", 60000},      {"min", 60000},   {"mins", 60000},
    {"minute", 60000},  {"minutes", 60000}, {"h", 3600000},      {"hr", 3600000},   {"hrs", 3600000}, {"hour", 3600000},
    {"hours", 3600000},
};

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte + 'a' - 'A') : byte;
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte)
{
    return lower(byte) >= 'a' && lower(byte) <= 'z';
}

/* The rest of the text after this lead, or NULL where it does not begin with it. */
static const char *after_lead(const char *at, const char *end, const char *lead)
{
    for (; *lead; lead++, at++) {
        if (at == end || !(*lead == ' ' ? *at && strchr(" -_", *at) : lower(*at) == *lead))
            return NULL;
    }
    return at;
}

/* What is not read here saturates. */
static uint64_t digit_more(uint64_t number, char digit)
{
    return __builtin_mul_overflow(number, 10, &number) || __builtin_add_overflow(number, digit - '0', &number)
               ? UINT64_MAX
               : number;
}

/* Reads `12.34` as 12340; what a fraction has beyond three digits is cut. */
static uint64_t thousandths(const char **at, const char *end)
{
    uint64_t read = 0;
    while (*at < end && is_digit(**at))
        read = digit_more(read, *(*at)++);
    if (*at < end && **at == '.')
        ++*at;
    for (int place = 0; place < 3; place++)
        read = digit_more(read, *at < end && is_digit(**at) ? *(*at)++ : '0');
    while (*at < end && (is_digit(**at) || **at == '.'))
        ++*at;
    return read;
}

/* The unit at this place, in milliseconds; 0 for any other word, after which a number is no span of time. */
static uint64_t unit_ms(const char **at, const char *end)
{
    const char *start = *at;
    while (*at < end && is_letter(**at))
        ++*at;
    size_t size = (size_t)(*at - start);
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++) {
        size_t same = 0;
        while (same < size && lower(start[same]) == UNITS[i].name[same])
            same++;
        if (same == size && UNITS[i].name[same] == '\0')
            return UNITS[i].ms;
    }
    return 0;
}

/* Reads `30`, `: 30`, `2.5 seconds`, `1m30s` from here. */
static rp_optional_u64 span_ms(const char *at, const char *end)
{
    rp_optional_u64 total = {0};
    while (at < end && *at && strchr(" :=\"'", *at))
        at++;
    while (at < end && is_digit(*at)) {
        uint64_t number = thousandths(&at, end);
        while (at < end && *at == ' ')
            at++;
        uint64_t unit = unit_ms(&at, end), part;
        if (unit == 0)
            return (rp_optional_u64){0};
        part = (__builtin_mul_overflow(number, unit, &part) ? UINT64_MAX : part) / 1000;
        total.present = true;
        if (__builtin_add_overflow(total.value, part, &total.value))
            total.value = UINT64_MAX;
    }
    return total;
}

static rp_optional_u64 find(rp_text text)
{
    const char *end = text.data + text.size;
    for (const char *at = text.data; at < end; at++) {
        for (size_t i = 0; i < sizeof LEADS / sizeof *LEADS; i++) {
            const char *rest = after_lead(at, end, LEADS[i]);
            rp_optional_u64 found = rest ? span_ms(rest, end) : (rp_optional_u64){0};
            if (found.present)
                return found;
        }
    }
    return (rp_optional_u64){0};
}

rp_optional_u64 rp_asked_to_wait_ms(const rp_attempt *attempt)
{
    rp_optional_u64 found = {0};
    if (attempt->self_report.present)
        found = find(attempt->self_report.value.message);
    if (!found.present && attempt->failure.present)
        found = find(attempt->failure.value.evidence);
    return found;
}
