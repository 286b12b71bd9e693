/* How long to wait before the next attempt: the numbers that the SDKs of all
 * languages draw from the same seed. */
#include <math.h>
#include <stdlib.h>

#include "../reprieve.h"

__extension__ typedef unsigned __int128 wide;

uint64_t rp_next_u64(rp_random *random)
{
    uint64_t mixed = random->state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

uint64_t rp_up_to(rp_random *random, uint64_t most)
{
    return (uint64_t)(((wide)rp_next_u64(random) * ((wide)most + 1)) >> 64);
}

/* Both ends of the range saturate, and what is not a number is nothing. */
static uint64_t saturated(double value)
{
    if (!(value > 0))
        return 0;
    return value >= 0x1p64 ? UINT64_MAX : (uint64_t)value;
}

[[gnu::noinline]] void rp_no_span_of_time(void)
{
    abort();
}

/* To the nearest nanosecond, or an endless span. */
static uint64_t nanoseconds(double seconds)
{
    double whole = floor(seconds);
    if (!(seconds >= 0))
        rp_no_span_of_time();
    if (whole >= 0x1p64 / 1e9)
        return UINT64_MAX;
    uint64_t fraction = (uint64_t)rint((seconds - whole) * 1e9), sum;
    return __builtin_add_overflow((uint64_t)whole * UINT64_C(1000000000), fraction, &sum) ? UINT64_MAX : sum;
}

static uint64_t add(uint64_t one, uint64_t other)
{
    uint64_t sum;
    return __builtin_add_overflow(one, other, &sum) ? UINT64_MAX : sum;
}

static uint64_t times(uint64_t one, uint64_t other)
{
    uint64_t product;
    return __builtin_mul_overflow(one, other, &product) ? UINT64_MAX : product;
}

static uint64_t less(uint64_t one, uint64_t other)
{
    return one > other ? one - other : 0;
}

static uint64_t at_most(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

uint64_t rp_ms(double seconds)
{
    uint64_t span = nanoseconds(seconds);
    return span == UINT64_MAX ? UINT64_MAX : span / 1000000;
}

rp_backoff rp_exponential(double first_seconds, double factor)
{
    return (rp_backoff){.first_seconds = first_seconds, .factor = factor, .cap_seconds = INFINITY};
}

rp_backoff rp_constant(double seconds)
{
    return rp_exponential(seconds, 1);
}

uint64_t rp_wait_after_ms(rp_backoff backoff, rp_attempts attempts)
{
    uint64_t first = nanoseconds(backoff.first_seconds), cap = nanoseconds(backoff.cap_seconds);
    double factor = backoff.factor >= 0 ? backoff.factor : 1, grown = (double)first;
    rp_random random = {backoff.seed};
    uint64_t retries = rp_retries(attempts), wait = first;
    if (backoff.jitter == RP_JITTER_DECORRELATED && retries > 0) {
        /* It builds on the wait that really was. */
        wait = times(rp_last(attempts)->waited_for_ms, 1000000);
        retries = 0;
    }
    for (uint64_t step = 0; step <= retries; step++) {
        uint64_t plain = at_most(saturated(grown + 0.5), cap);
        grown *= factor;
        switch (backoff.jitter) {
        case RP_JITTER_NONE:
            wait = plain;
            break;
        case RP_JITTER_FULL:
            wait = rp_up_to(&random, plain);
            break;
        case RP_JITTER_EQUAL:
            wait = plain - plain / 2 + rp_up_to(&random, plain / 2);
            break;
        case RP_JITTER_DECORRELATED:
            wait = at_most(add(first, rp_up_to(&random, less(times(wait, 3), first))), cap);
            break;
        }
    }
    return wait / 1000000;
}
