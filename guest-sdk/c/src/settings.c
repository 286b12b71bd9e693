/* Reads a policy's settings: one JSON object, of plain values and lists of
 * names. Who mistyped a setting is the reader of every refusal here. */
#include <stdlib.h>
#include <string.h>

#include "../reprieve.h"

/* What is left to be read, and why reading failed. */
typedef struct reader {
    const char *at;
    const char *end;
    rp_text why; /* empty so far */
} reader;

static const rp_text NO_OBJECT = RP_TEXT("the settings are no JSON object");

static void space(reader *from)
{
    while (from->at < from->end && *from->at && strchr(" \t\r\n", *from->at))
        from->at++;
}

static bool take(reader *from, char byte)
{
    space(from);
    bool is_it = from->at < from->end && *from->at == byte;
    from->at += is_it;
    return is_it;
}

static bool take_word(reader *from, const char *word)
{
    size_t size = strlen(word);
    space(from);
    bool is_it = (size_t)(from->end - from->at) >= size && memcmp(from->at, word, size) == 0;
    from->at += is_it ? size : 0;
    return is_it;
}

/* Four hexadecimal digits, or a large number where there are not so many. */
static uint32_t hexadecimal(reader *from)
{
    uint32_t read = 0;
    for (int i = 0; i < 4; i++) {
        char digit = from->at < from->end ? *from->at++ : 'x';
        if (digit >= '0' && digit <= '9')
            read = read * 16 + (uint32_t)(digit - '0');
        else if ((digit | 32) >= 'a' && (digit | 32) <= 'f')
            read = read * 16 + (uint32_t)((digit | 32) - 'a' + 10);
        else
            return UINT32_MAX;
    }
    return read;
}

static char *put_utf8(char *to, uint32_t point)
{
    static const uint8_t first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    int size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (int i = size - 1; i > 0; i--, point >>= 6)
        to[i] = (char)(0x80 | (point & 0x3f));
    to[0] = (char)(size == 1 ? point : first[size] | point);
    return to + size;
}

/* A character behind `\u`; of a surrogate pair, both halves. */
static bool escaped_point(reader *from, char **to)
{
    uint32_t point = hexadecimal(from);
    if (point >= 0xd800 && point < 0xdc00 && take_word(from, "\\u")) {
        uint32_t low = hexadecimal(from);
        point = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00) : UINT32_MAX;
    }
    if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
        return false;
    *to = put_utf8(*to, point);
    return true;
}

/* A string, unescaped: which never makes it longer. */
static bool string(reader *from, rp_text *text)
{
    static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    if (!take(from, '"'))
        return false;
    char *to = rp_allocate((size_t)(from->end - from->at));
    text->data = to;
    while (from->at < from->end && *from->at != '"') {
        char byte = *from->at++;
        if (byte != '\\') {
            *to++ = byte;
            continue;
        }
        byte = from->at < from->end ? *from->at++ : '\0';
        const char *escape = byte ? strchr(escapes, byte) : NULL;
        if (escape)
            *to++ = meant[escape - escapes];
        else if (byte != 'u' || !escaped_point(from, &to))
            return false;
    }
    text->size = (size_t)(to - text->data);
    return take(from, '"');
}

/* A number's digits as a C string of their own. */
static const char *number(reader *from)
{
    space(from);
    const char *start = from->at;
    while (from->at < from->end && *from->at && strchr("+-.0123456789eE", *from->at))
        from->at++;
    return rp_join_all(&(rp_text){start, (size_t)(from->at - start)}, 1).data;
}

static bool whole_u32(reader *from, uint32_t *value)
{
    const char *digits = number(from);
    char *end;
    unsigned long long read = strtoull(digits, &end, 10);
    *value = (uint32_t)read;
    return *digits >= '0' && *digits <= '9' && *end == '\0' && strlen(digits) <= 10 && read <= UINT32_MAX;
}

static bool real(reader *from, double *value)
{
    const char *digits = number(from);
    char *end;
    *value = strtod(digits, &end);
    return *digits != '\0' && *digits != '+' && *end == '\0';
}

static bool jitter(reader *from, rp_jitter *value)
{
    static const char *const names[] = {"none", "full", "equal", "decorrelated"};
    rp_text name;
    if (!string(from, &name))
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (rp_equal(name, rp_text_of(names[i]))) {
            *value = (rp_jitter)i;
            return true;
        }
    }
    return false;
}

static bool cause(reader *from, rp_causes *among)
{
    rp_text name;
    if (!string(from, &name))
        return false;
    for (int i = RP_NETWORK; i <= RP_UNKNOWN; i++) {
        if (rp_equal(name, rp_cause_name((rp_cause)i))) {
            among->bits |= RP_CAUSE(i);
            return true;
        }
    }
    return false;
}

static bool causes(reader *from, rp_causes *value)
{
    value->bits = 0;
    if (!take(from, '['))
        return false;
    if (take(from, ']'))
        return true;
    do {
        if (!cause(from, value))
            return false;
    } while (take(from, ','));
    return take(from, ']');
}

/* What is expected of a number: its kind, and its bounds. */
static rp_text bounded(const char *kind, double at_least, bool u32)
{
    if (u32)
        return rp_join(rp_text_of(kind), RP_TEXT(" from "), rp_real(at_least), RP_TEXT(" to 4294967295"));
    return rp_join(rp_text_of(kind), RP_TEXT(", "), rp_real(at_least), RP_TEXT(" or more"));
}

/* Reads one value into its variable; says what was expected where it is another. */
static rp_text value(reader *from, const rp_setting *setting)
{
    static const rp_text NOTHING = {0};
    const double least = setting->at_least;
    rp_optional_u32 *optional;
    switch (setting->kind) {
    case RP_IS_BOOL:
        *(bool *)setting->variable = take_word(from, "true");
        return *(bool *)setting->variable || take_word(from, "false") ? NOTHING : RP_TEXT("true or false");
    case RP_IS_U32:
        if (whole_u32(from, setting->variable) && *(uint32_t *)setting->variable >= least)
            return NOTHING;
        return bounded("a whole number", least, true);
    case RP_IS_OPTIONAL_U32:
        optional = setting->variable;
        optional->present = !take_word(from, "null");
        if (!optional->present || (whole_u32(from, &optional->value) && optional->value >= least))
            return NOTHING;
        return bounded("null or a whole number", least, true);
    case RP_IS_DOUBLE:
        if (real(from, setting->variable) && *(double *)setting->variable >= least)
            return NOTHING;
        return bounded("a number", least, false);
    case RP_IS_TEXT:
        return string(from, setting->variable) ? NOTHING : RP_TEXT("a text");
    case RP_IS_JITTER:
        return jitter(from, setting->variable) ? NOTHING : RP_TEXT("none, full, equal or decorrelated");
    case RP_IS_CAUSES:
        return causes(from, setting->variable) ? NOTHING
                                               : RP_TEXT("a list of classes of failure, as `wit/types.wit` names them");
    }
    return RP_TEXT("a setting");
}

static rp_text unknown(rp_text name, const rp_setting *settings, size_t count)
{
    rp_text known = count == 0 ? RP_TEXT("there are none") : RP_TEXT("expected ");
    for (size_t i = 0; i < count; i++) {
        rp_text before = i == 0 ? RP_TEXT("`") : i + 1 < count ? RP_TEXT(", `") : RP_TEXT(" or `");
        known = rp_join(known, before, rp_text_of(settings[i].name), RP_TEXT("`"));
    }
    return rp_join(RP_TEXT("unknown setting `"), name, RP_TEXT("`, "), known);
}

static void member(reader *from, const rp_setting *settings, size_t count)
{
    rp_text name;
    if (!string(from, &name) || !take(from, ':')) {
        from->why = NO_OBJECT;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (!rp_equal(name, rp_text_of(settings[i].name)))
            continue;
        space(from);
        const char *start = from->at;
        rp_text expected = value(from, &settings[i]);
        if (expected.size > 0) {
            /* What stands there up to its end, or a few words of it. */
            size_t size = strcspn(start, ",} ");
            rp_text given = {start, size < 40 ? size : 40};
            from->why = rp_join(RP_TEXT("`"), name, RP_TEXT("`: `"), given, RP_TEXT("`, expected "), expected);
        }
        return;
    }
    from->why = unknown(name, settings, count);
}

rp_text rp_read_settings(rp_text json, const rp_setting *settings, size_t count)
{
    reader from = {json.data, json.data + json.size, {0}};
    if (!take(&from, '{'))
        return NO_OBJECT;
    if (take(&from, '}'))
        return from.why;
    do {
        member(&from, settings, count);
        if (from.why.size > 0)
            return from.why;
    } while (take(&from, ','));
    return take(&from, '}') ? from.why : NO_OBJECT;
}
