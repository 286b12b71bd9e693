/// Says again all that it is told, and has done all that can be done. A test of the host's holds it to that, so that
/// every field is known to be in its place.
module mirror;

import std.meta : AliasSeq, staticIndexOf;
import std.sumtype : match;
import std.traits : Unqual;

import reprieve;

struct Mirror
{
    enum info = Info("mirror", "");

    Decision decide(const Experiment told, const Attempt[] attempts, const Progress p)
    {
        string said = text(told.name, pairs(told.parameters), " can");
        foreach (name; told.adjustable)
            said = text(said, " ", name);
        said = text(said, " by", pairs(told.labels), " on ", told.devices, ", ", told.seed);
        foreach (attempt; attempts)
            said = text(said, " / ", ofAttempt(attempt));
        said = text(said, " / ", p.succeeded, " ", p.failed, " ", p.remaining, " ", p.retries, " ", p.failedInARow, " ",
                p.elapsed.milliseconds, " / ", ofDevices);
        return Decision(Retry(attempts[$ - 1].waitedFor, said));
    }

    Plan plan(const Experiment, const Optional!Attempt after)
    {
        Plan steps;
        if (!after)
            return steps;
        steps ~= EndLeftovers(1.msecs);
        steps ~= Step(RemoveSharedMemory()).orQuarantine;
        steps ~= Step(Synchronize()).orStop;
        steps ~= ReleaseCachedMemory();
        steps ~= ResetContexts();
        steps ~= AwaitMemory(5_000_000_000, 6.msecs);
        steps ~= AwaitTemperature(45, 7.msecs);
        steps ~= AwaitIdle(8, 9.msecs);
        steps ~= Probe(10, 11.msecs);
        steps ~= Pause(12.msecs);
        steps ~= RunHook("haken ü");
        string said = text("after ", after.get.number, ":");
        foreach (step; steps[])
            said = text(said, " ", perform(step.action).match!(ofReport, (Refused refused) => text("refused ", refused.why)));
        steps ~= RunHook(said);
        return steps;
    }
}

private:

string pairs(const Parameter[] told)
{
    string said;
    foreach (one; told)
        said = text(said, " ", one.name, "=", one.value);
    return said;
}

string ofAttempt(const Attempt told)
{
    const ending = told.ending.match!((const Exited it) => text("0 ", uint(it.code)),
            (const Signalled it) => text("1 ", uint(it.signal)), (const TimedOut _) => "2 ",
            (const FellSilent _) => "3 ", (const NotStarted it) => text("4 ", it.why), (const Lost _) => "5 ");
    const failed = told.failure ? text(uint(told.failure.get.cause), " ", told.failure.get.evidence) : "-";
    string said = "-";
    if (told.selfReport)
    {
        const report = told.selfReport.get;
        said = text(uint(report.retryable.get(false)), " ", report.kind, " `", report.message, "`");
    }
    said = text(told.number, " of ", uint(told.stage), ": ", ending, ", failed ", failed, ", waited ",
            told.waitedFor.milliseconds, " ran ", told.ranFor.milliseconds, ", `", told.stderrTail, "` `", told.stdoutTail,
            "`, said ", said, ", faults");
    foreach (fault; told.faults)
        said = text(said, " ", fault.device, ":", fault.xid);
    said = text(said, ", memory");
    foreach (use; told.memory)
        said = text(said, " ", use.device, ":", use.baseline, ":", use.peak, ":", use.residual);
    return text(said, ", ", told.foreignProcesses, " others, ", told.throttledFor.milliseconds, " slow, knows", pairs(told.facts));
}

string ofDevices()
{
    string read = readDevice(0).match!((Status s) => text(s.uuid, " ", s.name, " ", s.memory.total, " ", s.memory.used, " ",
            s.memory.baseline, ", ", number(s.celsius), " ", number(s.milliwatts), " ", number(s.utilizationPercent), " ",
            number(s.throttled), " ", number(s.uncorrectedErrors), " ", number(s.recovery), ", ", s.processes),
            (StatusError _) => "?");
    const error = readDevice(1).match!((Status _) => 9u, (StatusError error) => error.match!((it) {
        return uint(staticIndexOf!(typeof(it), StatusError.Types));
    }));
    return text(deviceCount, " devices: ", read, "; error ", error);
}

string number(T)(Optional!T value)
{
    return value ? text(ulong(value.get)) : "-";
}

string ofReport(Report report)
{
    const outcome = report.outcome.match!((Done _) => "0", (Skipped it) => text("1 ", it.why), (Failed it) => text("2 ", it.why));
    return text(outcome, " ", report.took.milliseconds, " ", report.releasedBytes);
}

mixin PolicyComponent!Mirror;
