/* Texts, and the memory that they are in. Nothing is freed: the host drops a
 * component's memory after each call, and a unit test ends. */
#include <stdlib.h>
#include <string.h>

#include "../reprieve.h"

void *rp_allocate(size_t size)
{
    /* One more, so that a text that fills it is a C string too. */
    char *memory = calloc(1, size + 1);
    if (!memory)
        abort();
    return memory;
}

rp_text rp_text_of(const char *string)
{
    return (rp_text){string, strlen(string)};
}

rp_text rp_join_all(const rp_text *texts, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += texts[i].size;
    char *joined = rp_allocate(size), *end = joined;
    for (size_t i = 0; i < count; i++) {
        if (texts[i].size > 0)
            memcpy(end, texts[i].data, texts[i].size);
        end += texts[i].size;
    }
    return (rp_text){joined, size};
}

rp_text rp_number(uint64_t number)
{
    char digits[20];
    size_t start = sizeof digits;
    do {
        digits[--start] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return rp_join_all(&(rp_text){digits + start, sizeof digits - start}, 1);
}

bool rp_equal(rp_text one, rp_text other)
{
    return one.size == other.size && (one.size == 0 || memcmp(one.data, other.data, one.size) == 0);
}
