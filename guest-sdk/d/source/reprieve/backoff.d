/// How long to wait before the next attempt. Waits are values; nothing sleeps.
module reprieve.backoff;

import reprieve.situation;
import reprieve.time;

/// Random numbers that a replay draws again, the same in every language (SplitMix64): an endless range. Not for secrets.
struct Random
{
    private ulong state;
    enum empty = false;
    ulong front;

    this(ulong seed)
    {
        state = seed;
        popFront();
    }

    void popFront()
    {
        state += 0x9e37_79b9_7f4a_7c15;
        ulong mixed = state;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58_476d_1ce4_e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d0_49bb_1331_11eb;
        front = mixed ^ (mixed >> 31);
    }

    /// Draws a number from 0 to `most`, both included.
    ulong upTo(ulong most)
    {
        const drawn = front;
        popFront();
        return most == ulong.max ? drawn : high(drawn, most + 1);
    }
}

/// The upper 64 bits of a product.
package ulong high(ulong one, ulong other)
{
    const a = one >> 32, b = one & uint.max, c = other >> 32, d = other & uint.max;
    const middle = a * d + ((b * d) >> 32);
    return a * c + (middle >> 32) + ((b * c + (middle & uint.max)) >> 32);
}

/// How chance spreads the waits (Marc Brooker, "Exponential Backoff And Jitter", 2015).
enum Jitter : ubyte
{
    none,
    full,
    equal,
    decorrelated,
}

/// Waits that grow: an endless range, whose first item is the wait after the first attempt.
struct Backoff
{
    private ulong first, cap = ulong.max, seed, previous, wait;
    private double grown, factor;
    private Jitter jitter;
    private Random random;
    enum empty = false;

    /// A factor that is negative or not a number counts as 1.
    this(Duration first, double factor = 2)
    {
        this.first = first.milliseconds > ulong.max / 1_000_000 ? ulong.max : first.milliseconds * 1_000_000;
        begin(factor);
    }

    /// The same, of a setting in seconds.
    this(double firstSeconds, double factor = 2)
    {
        first = nanoseconds(firstSeconds);
        begin(factor);
    }

    private void begin(double factor)
    {
        this.factor = factor >= 0 ? factor : 1;
        random = Random(seed);
        previous = first;
        grown = first;
        popFront();
    }

    /// Lets no wait be longer than this.
    Backoff capped(double seconds) const
    {
        Backoff waits = this;
        waits.cap = nanoseconds(seconds);
        return waits.anew;
    }

    /// Spreads the waits by chance: give it the experiment's seed.
    Backoff jittered(Jitter jitter, ulong seed) const
    {
        Backoff waits = this;
        waits.jitter = jitter;
        waits.seed = seed;
        return waits.anew;
    }

    private Backoff anew()
    {
        begin(factor);
        return this;
    }

    Duration front() const
    {
        return Duration(wait / 1_000_000);
    }

    void popFront()
    {
        const plain = least(saturated(grown + 0.5), cap);
        grown *= factor;
        final switch (jitter)
        {
        case Jitter.none:
            wait = plain;
            break;
        case Jitter.full:
            wait = random.upTo(plain);
            break;
        case Jitter.equal:
            wait = plain - plain / 2 + random.upTo(plain / 2);
            break;
        case Jitter.decorrelated:
            const tripled = previous > ulong.max / 3 ? ulong.max : previous * 3;
            const drawn = random.upTo(tripled > first ? tripled - first : 0);
            wait = least(drawn > ulong.max - first ? ulong.max : first + drawn, cap);
            break;
        }
        previous = wait;
    }

    /// The wait that follows these attempts.
    Duration after(const Attempt[] attempts) const
    {
        import std.range : dropExactly;

        Backoff waits = this;
        if (jitter != Jitter.decorrelated || attempts.length < 2)
            return waits.dropExactly(attempts.retries).front;
        // The next one builds on the wait that was.
        const waited = attempts[$ - 1].waitedFor.milliseconds;
        waits.previous = waited > ulong.max / 1_000_000 ? ulong.max : waited * 1_000_000;
        waits.random = Random(seed);
        waits.popFront();
        return waits.front;
    }
}

private ulong least(ulong one, ulong other)
{
    return one < other ? one : other;
}

private ulong saturated(double value)
{
    if (!(value > 0))
        return 0;
    return value >= 18_446_744_073_709_551_616.0 ? ulong.max : cast(ulong) value;
}

unittest
{
    import std.algorithm : equal;
    import std.range : take;

    assert(Random(1_234_567).take(3).equal([6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]));
    assert(Backoff(1.0).capped(5).take(4).equal([1.seconds, 2.seconds, 4.seconds, 5.seconds]));
    assert(Backoff(100.msecs, 1.1).take(2).equal([100.msecs, 110.msecs]));
}

unittest // numbers that make no sense do no harm
{
    import std.range : dropOne;

    assert(Backoff(2.0, double.infinity).capped(60).dropOne.front == 60.seconds);
    assert(Backoff(2.0, double.nan).dropOne.front == 2.seconds && Backoff(2.0, -3).dropOne.front == 2.seconds);
    assert(Backoff(0.0, double.infinity).dropOne.front == 0.seconds && Backoff(2.0, 0).dropOne.front == 0.seconds);
}

unittest // decorrelated waits build on the wait that was
{
    foreach (seed; 0 .. 100)
    {
        auto attempts = [Attempt(), Attempt()];
        attempts[1].waitedFor = 10.seconds;
        const waits = Backoff(1.0).jittered(Jitter.decorrelated, seed).capped(40);
        assert(waits.after(attempts) >= 1.seconds && waits.after(attempts) <= 30.seconds);
        attempts[1].waitedFor = Duration.max;
        assert(waits.after(attempts) <= 40.seconds);
    }
}
