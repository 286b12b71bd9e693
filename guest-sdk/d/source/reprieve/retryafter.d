/// How long a remote service asked to be left alone, as errors' texts say it.
module reprieve.retryafter;

import reprieve.optional;
import reprieve.time;

private immutable string[] leads = ["retry after", "try again in", "try again after", "retry in"];

/// The span after one of the leads.
package Optional!Duration askedIn(const(char)[] text)
{
    foreach (start; 0 .. text.length)
        foreach (lead; leads)
            if (begins(text[start .. $], lead))
                if (auto found = span(text[start + lead.length .. $]))
                    return found;
    return Optional!Duration();
}

/// Whether the text begins with the lead, whose spaces may be hyphens or underscores.
private bool begins(const(char)[] text, string lead)
{
    if (text.length < lead.length)
        return false;
    foreach (i, letter; lead)
        if (letter == ' ' ? !among(text[i], " -_") : lower(text[i]) != letter)
            return false;
    return true;
}

/// Reads `30`, `: 30`, `2.5 seconds`, `1m30s`. Any other word after a number means that it is no span.
private Optional!Duration span(const(char)[] text)
{
    Optional!Duration total;
    text = text[run(text, " :=\"'") .. $];
    while (text.length && among(text[0], "0123456789"))
    {
        const digits = run(text, "0123456789.");
        const space = digits + run(text[digits .. $], " ");
        const end = space + run(text[space .. $], "abcdefghijklmnopqrstuvwxyz");
        const unit = unitMs(text[space .. end]);
        if (unit == 0)
            return Optional!Duration();
        const before = total.get(Duration()).milliseconds;
        const thousandths = thousandths(text[0 .. digits]);
        const part = (thousandths > ulong.max / unit ? ulong.max : thousandths * unit) / 1000;
        total = Duration(part > ulong.max - before ? ulong.max : before + part).optional;
        text = text[end .. $];
    }
    return total;
}

private char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? cast(char)(letter + 32) : letter;
}

private bool among(char letter, string letters)
{
    foreach (one; letters)
        if (one == letter)
            return true;
    return false;
}

/// How many of these letters come first.
private size_t run(const(char)[] text, string letters)
{
    size_t length;
    while (length < text.length && among(lower(text[length]), letters))
        length++;
    return length;
}

/// Reads `12.34` as 12340: what a fraction has beyond three digits is cut.
private ulong thousandths(const(char)[] number)
{
    ulong read;
    size_t at, places;
    for (; at < number.length && number[at] != '.'; at++)
        if (!append(read, number[at]))
            return ulong.max;
    for (at++; places < 3; places++, at++)
        if (!append(read, at < number.length && number[at] != '.' ? number[at] : '0'))
            return ulong.max;
    return read;
}

private bool append(ref ulong number, char digit)
{
    if (number > (ulong.max - 9) / 10)
        return false;
    number = number * 10 + (digit - '0');
    return true;
}

/// A number alone is seconds, as in the header Retry-After.
private ulong unitMs(const(char)[] unit)
{
    char[12] letters = void;
    if (unit.length > letters.length)
        return 0;
    foreach (i, letter; unit)
        letters[i] = lower(letter);
    switch (letters[0 .. unit.length])
    {
    case "ms", "millisecond", "milliseconds":
        return 1;
    case "", "s", "sec", "secs", "second", "seconds":
        return 1000;
    case "m", "min", "mins", "minute", "minutes":
        return 60_000;
    case "h", "hr", "hrs", "hour", "hours":
        return 3_600_000;
    default:
        return 0;
    }
}

unittest
{
    assert(askedIn("429 Too Many Requests, retry after 30 seconds").get == 30.seconds);
    assert(askedIn("Retry-After: 120").get == 2.minutes && askedIn("Retry in 1 hour").get == 60.minutes);
    assert(askedIn(`{"retry_after": 1.5}`).get == 1.5.seconds);
    assert(askedIn("Please try again in 1m30s").get == 90.seconds);
    assert(askedIn("retry after 1.23456789 s").get == 1234.msecs);
    assert(askedIn("retry after 99999999999999999999 hours").get > 60.minutes);
    foreach (none; ["", "retry after", "will not retry after 3 attempts", "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT"])
        assert(askedIn(none).isNull);
}
