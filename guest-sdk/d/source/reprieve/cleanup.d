/// The steps of a cleanup, which the host bounds and carries out.
module reprieve.cleanup;

import std.sumtype;

import reprieve.time;

/// Ends what the experiment left running: a termination signal, this grace, a kill.
struct EndLeftovers
{
    Duration grace;
}

/// Removes the shared-memory files that the experiment left behind.
struct RemoveSharedMemory
{
}

/// Waits until the work queued in the host's own contexts is done.
struct Synchronize
{
}

/// Gives the memory that the host's own allocators cache back to the device.
struct ReleaseCachedMemory
{
}

/// Destroys the host's own contexts on the devices.
struct ResetContexts
{
}

/// Waits until used memory is back at the baseline.
struct AwaitMemory
{
    ulong toleranceBytes;
    Duration timeout;
}

/// Waits until the devices have cooled.
struct AwaitTemperature
{
    uint atMostCelsius;
    Duration timeout;
}

/// Waits until the devices are idle.
struct AwaitIdle
{
    uint atMostPercent;
    Duration timeout;
}

/// Proves the devices usable: allocates, writes, reads back and frees memory on each.
struct Probe
{
    ulong allocateBytes;
    Duration timeout;
}

/// Lets this much time pass.
struct Pause
{
    Duration time;
}

/// Runs a command that the study declares under this name.
struct RunHook
{
    string name;
}

/// One piece of cleanup work, on every leased device.
alias Action = SumType!(EndLeftovers, RemoveSharedMemory, Synchronize, ReleaseCachedMemory, ResetContexts,
        AwaitMemory, AwaitTemperature, AwaitIdle, Probe, Pause, RunHook);

/// What becomes of the study where a step fails.
enum Consequence : ubyte
{
    carryOn,
    quarantineDevice,
    stopStudy,
}

/// One action of a plan.
struct Step
{
    Action action;
    Consequence ifItFails;

    this(Work)(Work work)
    {
        action = work;
    }

    /// Without this, the device is not fit for the next experiment.
    Step orQuarantine() const
    {
        Step step = this;
        step.ifItFails = Consequence.quarantineDevice;
        return step;
    }

    /// Without this, no further experiment is to start.
    Step orStop() const
    {
        Step step = this;
        step.ifItFails = Consequence.stopStudy;
        return step;
    }
}

/// Steps in the order in which they are to run.
struct Plan
{
    private Step[32] steps;
    private size_t count;

    /// Adds a step, or an action whose failure is recorded and passed over: `plan ~= Pause(1.seconds)`.
    void opOpAssign(string op : "~", Work)(Work work)
    {
        static if (is(Work : const Step))
            steps[count++] = work;
        else
            steps[count++] = Step(work);
    }

    const(Step)[] opIndex() const return
    {
        return steps[0 .. count];
    }
}

unittest
{
    Plan plan;
    plan ~= Pause(1.seconds);
    plan ~= Step(AwaitMemory(64 << 20, 2.minutes)).orQuarantine;
    assert(plan[].length == 2 && plan[][1].ifItFails == Consequence.quarantineDevice);
}
