/* Tells a policy's settings as a JSON Schema, which `reprieve policy inspect`
 * shows, and the host holds settings against. Reads none: that is `settings.c`. */
#include <math.h>

#include "../reprieve.h"

/* A text as JSON has it. */
static rp_text quoted(rp_text text)
{
    static const char digits[] = "0123456789abcdef";
    char *start = rp_allocate(2 + 6 * text.size), *end = start;
    *end++ = '"';
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte < ' ') {
            __builtin_memcpy(end, "\\u00", 4);
            end[4] = digits[byte >> 4], end[5] = digits[byte & 15], end += 6;
            continue;
        }
        if (byte == '"' || byte == '\\')
            *end++ = '\\';
        *end++ = (char)byte;
    }
    *end++ = '"';
    return (rp_text){start, (size_t)(end - start)};
}

rp_text rp_real(double number)
{
    double size = fabs(number), whole = floor(size), billionths = rint((size - whole) * 1e9);
    if (!(size < 1e18))
        return RP_TEXT("1e18");
    if (billionths >= 1e9)
        whole += 1, billionths = 0;
    rp_text text = rp_join(number < 0 ? RP_TEXT("-") : RP_TEXT(""), rp_number((uint64_t)whole));
    if (billionths == 0)
        return text;
    /* The leading one keeps the zeros behind it, and becomes the point. */
    rp_text fraction = rp_number(UINT64_C(1000000000) + (uint64_t)billionths);
    while (fraction.data[fraction.size - 1] == '0')
        fraction.size--;
    return rp_join(text, RP_TEXT("."), (rp_text){fraction.data + 1, fraction.size - 1});
}

static rp_text cause_names(rp_causes causes)
{
    rp_text names = RP_TEXT("");
    for (int i = RP_NETWORK; i <= RP_UNKNOWN; i++)
        if (rp_has(causes, (rp_cause)i))
            names = rp_join(names, names.size > 0 ? RP_TEXT(",") : names, quoted(rp_cause_name((rp_cause)i)));
    return rp_join(RP_TEXT("["), names, RP_TEXT("]"));
}

/* Which values there are, and the default. */
static rp_text values(const rp_setting *setting)
{
    static const char *const jitters[] = {"none", "full", "equal", "decorrelated"};
    const rp_text least = rp_join(RP_TEXT(",\"minimum\":"), rp_real(setting->at_least)), by_default = RP_TEXT(",\"default\":");
    const void *held = setting->variable;
    const rp_optional_u32 *optional = held;
    switch (setting->kind) {
    case RP_IS_BOOL:
        return rp_join(RP_TEXT("\"type\":\"boolean\""), by_default, *(const bool *)held ? RP_TEXT("true") : RP_TEXT("false"));
    case RP_IS_U32:
        return rp_join(RP_TEXT("\"type\":\"integer\",\"maximum\":4294967295"), least, by_default,
                       rp_number(*(const uint32_t *)held));
    case RP_IS_OPTIONAL_U32:
        return rp_join(RP_TEXT("\"type\":[\"integer\",\"null\"],\"maximum\":4294967295"), least, by_default,
                       optional->present ? rp_number(optional->value) : RP_TEXT("null"));
    case RP_IS_DOUBLE:
        return rp_join(RP_TEXT("\"type\":\"number\""), least, by_default, rp_real(*(const double *)held));
    case RP_IS_TEXT:
        return rp_join(RP_TEXT("\"type\":\"string\""), by_default, quoted(*(const rp_text *)held));
    case RP_IS_JITTER:
        return rp_join(RP_TEXT("\"enum\":[\"none\",\"full\",\"equal\",\"decorrelated\"]"), by_default,
                       quoted(rp_text_of(jitters[*(const rp_jitter *)held])));
    case RP_IS_CAUSES:
        return rp_join(RP_TEXT("\"type\":\"array\",\"items\":{\"enum\":"), cause_names((rp_causes){UINT32_MAX}), RP_TEXT("}"),
                       by_default, cause_names(*(const rp_causes *)held));
    }
    return RP_TEXT("");
}

rp_text rp_settings_schema(const rp_setting *settings, size_t count)
{
    rp_text all = RP_TEXT("{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{");
    for (size_t i = 0; i < count; i++) {
        rp_text about = quoted(rp_text_of(settings[i].about ? settings[i].about : ""));
        all = rp_join(all, i > 0 ? RP_TEXT(",") : RP_TEXT(""), quoted(rp_text_of(settings[i].name)),
                      RP_TEXT(":{\"description\":"), about, RP_TEXT(","), values(&settings[i]), RP_TEXT("}"));
    }
    return rp_join(all, RP_TEXT("}}"));
}
