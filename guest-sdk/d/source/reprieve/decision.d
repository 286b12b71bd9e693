/// What follows an attempt.
module reprieve.decision;

import std.sumtype;

import reprieve.situation;
import reprieve.text;
import reprieve.time;

/// Which devices the next attempt may use.
enum Placement : ubyte
{
    sameDevices,
    otherDevices,
    anyDevices,
}

/// When the next attempt takes its turn once its delay has passed.
enum Turn : ubyte
{
    whenDue,
    last,
}

/// Takes the attempt's outcome as the stage's outcome.
struct Accept
{
}

/// Runs the stage again.
struct Retry
{
    Duration delay;
    Placement placement = Placement.anyDevices;
    Turn turn;
    const(Parameter)[] overrides;
    string reason;

    this(Duration delay, string reason)
    {
        this.delay = delay;
        this.reason = reason;
    }

    /// Replaces the value of an adjustable parameter for the next attempt.
    Retry overriding(Value)(string parameter, Value value) const
    {
        Retry retry = this;
        auto more = allocate!Parameter(overrides.length + 1);
        more[0 .. overrides.length] = overrides[];
        more[$ - 1] = Parameter(parameter, text(value));
        retry.overrides = more;
        return retry;
    }

    /// Says which devices the next attempt may use.
    Retry on(Placement placement) const
    {
        Retry retry = this;
        retry.placement = placement;
        return retry;
    }

    /// Lets every other experiment of the study go first.
    Retry last() const
    {
        Retry retry = this;
        retry.turn = Turn.last;
        return retry;
    }
}

/// The experiment has failed, for this reason. The study goes on.
struct GiveUp
{
    string reason;
}

/// Starts no further experiment, for this reason.
struct StopStudy
{
    string reason;
}

/// What follows an attempt.
alias Decision = SumType!(Accept, Retry, GiveUp, StopStudy);

unittest
{
    const retry = Retry(1.seconds, "less").overriding("batch", 32u).overriding("mode", "eager");
    assert(retry.overrides == [Parameter("batch", "32"), Parameter("mode", "eager")] && retry.reason == "less");
}
