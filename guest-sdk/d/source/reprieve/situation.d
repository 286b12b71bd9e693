/// What a policy is told: the experiment, its attempts, the study so far. `wit/types.wit` says more of each field.
module reprieve.situation;

import std.sumtype;

import reprieve.optional;
import reprieve.retryafter;
import reprieve.text;
import reprieve.time;

/// A named value: an experiment's parameter, or an override of one.
struct Parameter
{
    string name;
    string value;
}

/// The part of an experiment that an attempt ran.
enum Stage : ubyte
{
    prepare,
    measure,
    finish,
}

struct Exited
{
    int code;
}

struct Signalled
{
    int signal;
}

struct TimedOut
{
}

struct FellSilent
{
}

struct NotStarted
{
    string why;
}

struct Lost
{
}

/// How an attempt's process ended.
alias Ending = SumType!(Exited, Signalled, TimedOut, FellSilent, NotStarted, Lost);

/// What the host takes the cause of a failure to be.
enum FailureClass : ubyte
{
    network,
    rateLimited,
    driverTransient,
    communication,
    deviceMemory,
    deviceOccupied,
    hostMemory,
    deviceProgram,
    deviceHardware,
    hang,
    crash,
    storage,
    access,
    configuration,
    cancelled,
    unknown,
}

/// The name in settings and output, for example `rate-limited`.
string name(E)(E value) if (is(E == enum))
{
    static foreach (member; __traits(allMembers, E))
        if (value == __traits(getMember, E, member))
            return spelt(member, '-');
    assert(false);
}

/// What the host takes the cause to be, and the evidence in one line.
struct Failure
{
    FailureClass cause;
    string evidence;
}

/// What the experiment said of its failure itself; its texts may be empty.
struct SelfReport
{
    Optional!bool retryable;
    string kind;
    string message;
}

/// A fault that the driver recorded: a device's position, and NVIDIA's number.
struct DeviceFault
{
    uint device;
    ulong xid;
}

/// A device's memory around an attempt, in bytes.
struct DeviceMemoryUse
{
    uint device;
    ulong baseline;
    ulong peak;
    ulong residual;
}

/// One attempt that has ended.
struct Attempt
{
    uint number = 1;
    Stage stage = Stage.measure;
    Ending ending;
    Optional!Failure failure;
    Duration waitedFor;
    Duration ranFor;
    string stderrTail;
    string stdoutTail;
    Optional!SelfReport selfReport;
    const(DeviceFault)[] faults;
    const(DeviceMemoryUse)[] memory;
    uint foreignProcesses;
    Duration throttledFor;
    const(Parameter)[] facts;

    /// A failure, for tests.
    static Attempt failed(FailureClass cause, string evidence)
    {
        Attempt attempt;
        attempt.failure = Failure(cause, evidence).optional;
        return attempt;
    }

    /// Whether the experiment itself called its failure worth retrying, where it said so.
    Optional!bool calledRetryable() const
    {
        return selfReport ? selfReport.get.retryable : Optional!bool();
    }

    /// How long a remote service asked to be left alone, where its text says so.
    Optional!Duration askedToWait() const
    {
        if (selfReport)
            if (auto told = askedIn(selfReport.get.message))
                return told;
        return failure ? askedIn(failure.get.evidence) : Optional!Duration();
    }
}

/// How many were retries: all but the first.
uint retries(const Attempt[] attempts)
{
    return cast(uint) attempts.length - 1;
}

/// How many failed in this way, the last one counted.
size_t failuresOf(const Attempt[] attempts, FailureClass cause)
{
    import std.algorithm : count;

    return attempts.count!(attempt => attempt.failure && attempt.failure.get.cause == cause);
}

/// The experiment that is judged.
struct Experiment
{
    string name;
    const(Parameter)[] parameters;
    const(string)[] adjustable; /// Parameters that a decision may override.
    const(Parameter)[] labels;
    uint devices = 1;
    ulong seed; /// Randomness that a replay sees again.

    /// A parameter's value.
    Optional!string parameter(string name) const
    {
        foreach (one; parameters)
            if (one.name == name)
                return one.value.optional;
        return Optional!string();
    }

    /// A parameter that is a whole number.
    Optional!ulong integer(string name) const
    {
        const digits = parameter(name).get("");
        ulong number;
        foreach (digit; digits)
        {
            if (digit < '0' || digit > '9' || number > (ulong.max - 9) / 10)
                return Optional!ulong();
            number = 10 * number + (digit - '0');
        }
        return digits.length ? number.optional : Optional!ulong();
    }

    /// Whether a decision may override this parameter.
    bool canAdjust(string name) const
    {
        import std.algorithm : canFind;

        return adjustable.canFind(name);
    }
}

/// The study so far.
struct Progress
{
    uint succeeded;
    uint failed;
    uint remaining = 1;
    uint retries;
    uint failedInARow;
    Duration elapsed;
}

unittest
{
    const experiment = Experiment("x", [Parameter("batch", "64"), Parameter("size", "8b")], ["batch"]);
    assert(experiment.integer("batch").get == 64 && experiment.integer("size").isNull && experiment.integer("no").isNull);
    assert(experiment.canAdjust("batch") && !experiment.canAdjust("size"));
    assert(FailureClass.rateLimited.name == "rate-limited");
}
