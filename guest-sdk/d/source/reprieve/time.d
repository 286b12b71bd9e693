/// Spans of time. `core.time` needs a clock, and a policy has none.
module reprieve.time;

/// A span of whole milliseconds.
struct Duration
{
    ulong milliseconds;

    int opCmp(const Duration other) const
    {
        return (milliseconds > other.milliseconds) - (milliseconds < other.milliseconds);
    }

    enum Duration max = Duration(ulong.max);
}

Duration msecs(ulong count)
{
    return Duration(count);
}

/// Seconds, as settings have them: 0 or more. What is beyond counting is an endless span.
Duration seconds(double count)
{
    return Duration(nanoseconds(count) / 1_000_000);
}

Duration minutes(double count)
{
    return seconds(60 * count);
}

package ulong nanoseconds(double seconds)
{
    import core.math : rint;

    assert(seconds >= 0, "seconds are negative or no number, expected 0 or more");
    if (seconds >= 18_446_744_073.0)
        return ulong.max;
    const whole = cast(ulong) seconds;
    return whole * 1_000_000_000 + cast(ulong) rint((seconds - whole) * 1e9);
}

unittest
{
    assert(1.001.seconds == 1001.msecs && 2.minutes == 120.seconds && 1.seconds < 2.seconds);
    assert(seconds(double.infinity) > 1_000_000.seconds);
}
