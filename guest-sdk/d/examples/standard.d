/// The standard policy's behaviour, in D: it must decide as the built-in one does.
module standard;

import std.algorithm : canFind, max, min;

import reprieve;

/// Whether something is worth a retry, why, and whether only once.
private struct Verdict
{
    bool worth;
    string why;
    bool once;
}

struct Standard
{
    enum info = Info("standard", "Retries failures that can pass, with growing waits; gives up on the rest");

    @about("Attempts after the first, at each stage of an experiment.") uint maxRetries = 3;
    @about("The wait after the first attempt, in seconds.") double delaySeconds = 1;
    @about("What each further wait is multiplied by.") double backoffFactor = 2;
    @about("No wait is longer.") double maxDelaySeconds = 3600;
    @about("How chance spreads the waits.") Jitter jitter;
    @about("Failures that are retried.") const(FailureClass)[] retry = retried;
    @about("Failures that are retried once.") const(FailureClass)[] retryOnce = retriedOnce;
    @about("Retries in the whole study.") Optional!uint retriesInStudy;
    @about("Stops the study.") Optional!uint stopAfterFailuresInARow;
    @about("Between the signal and the kill.") double leftoversGraceSeconds = 10;
    @about("Whether shared memory is removed.") bool removeSharedMemory = true;
    @about("Above the baseline that still counts as clean.") uint memoryToleranceMib = 64;
    @about("How long memory may take to come back.") double memoryTimeoutSeconds = 120;
    @about("Lets the devices cool.") Optional!uint coolDownToCelsius;
    @about("How long that may take.") double coolDownTimeoutSeconds = 600;

    string check() const
    {
        return stopAfterFailuresInARow.get(1) ? "" : "`stop_after_failures_in_a_row`: expected 1 or more";
    }

    Decision decide(const Experiment experiment, const Attempt[] attempts, const Progress progress)
    {
        const attempt = attempts[$ - 1];
        if (!attempt.failure)
            return Decision(Accept());
        const verdict = worthRetrying(attempts, attempt.failure.get, progress);
        if (verdict.worth)
            return Decision(Retry(delay(experiment, attempts), verdict.why));
        const inARow = ulong(progress.failedInARow) + 1;
        if (stopAfterFailuresInARow && inARow >= stopAfterFailuresInARow.get && attempt.stage != Stage.finish)
            return Decision(StopStudy(text("experiments that failed in a row: ", inARow, "; the last: ", verdict.why)));
        return Decision(GiveUp(verdict.why));
    }

    private Verdict worthRetrying(const Attempt[] attempts, const Failure failure, const Progress progress)
    {
        auto verdict = canPass(attempts, failure);
        if (!verdict.worth)
            return verdict;
        const failed = text(failure.cause.name, " failure");
        if (attempts.retries >= maxRetries)
            return Verdict(false, tell(text("gave up after ", attempts.counted, ": ", failed), failure.evidence));
        if (retriesInStudy && progress.retries >= retriesInStudy.get)
        {
            const spent = text("the study's ", retriesInStudy.get, " retries are used up: ", failed);
            return Verdict(false, tell(spent, failure.evidence));
        }
        if (!verdict.once)
            verdict.why = text(verdict.why, "; retry ", attempts.length, " of ", maxRetries);
        return verdict;
    }

    private Verdict canPass(const Attempt[] attempts, const Failure failure)
    {
        const cause = failure.cause.name;
        if (const called = attempts[$ - 1].calledRetryable)
        {
            const report = attempts[$ - 1].selfReport.get;
            const said = report.message.length ? report.message : report.kind.length ? report.kind : failure.evidence;
            const verdict = called.get ? "worth retrying" : "final";
            return Verdict(called.get, tell(text("the experiment called its ", cause, " failure ", verdict), said));
        }
        if (retry.canFind(failure.cause))
            return Verdict(true, tell(text(cause, " failure can pass"), failure.evidence));
        if (!retryOnce.canFind(failure.cause))
            return Verdict(false, tell(text(cause, " failures do not pass by themselves"), failure.evidence));
        if (attempts.failuresOf(failure.cause) == 1)
            return Verdict(true, tell(text(cause, " failures are retried once"), failure.evidence), true);
        return Verdict(false, tell(text("gave up after ", attempts.counted, ": ", cause, " failure again"), failure.evidence));
    }

    /// The backoff's wait, or what a service asked for where that is more, within the cap.
    private Duration delay(const Experiment experiment, const Attempt[] attempts)
    {
        const waits = Backoff(delaySeconds, backoffFactor).capped(maxDelaySeconds).jittered(jitter, experiment.seed);
        const wait = waits.after(attempts);
        const attempt = attempts[$ - 1];
        if (attempt.failure.get.cause != FailureClass.rateLimited)
            return wait;
        return min(maxDelaySeconds.seconds, max(wait, attempt.askedToWait.get(wait)));
    }

    Plan plan(const Experiment, const Optional!Attempt after)
    {
        Plan steps;
        if (!after)
            return steps;
        steps ~= EndLeftovers(leftoversGraceSeconds.seconds);
        if (removeSharedMemory)
            steps ~= RemoveSharedMemory();
        steps ~= ReleaseCachedMemory();
        steps ~= Step(AwaitMemory(ulong(memoryToleranceMib) << 20, memoryTimeoutSeconds.seconds)).orQuarantine;
        if (coolDownToCelsius)
            steps ~= AwaitTemperature(coolDownToCelsius.get, coolDownTimeoutSeconds.seconds);
        return steps;
    }
}

private:

immutable retried = [
    FailureClass.network, FailureClass.rateLimited, FailureClass.driverTransient, FailureClass.communication,
    FailureClass.deviceOccupied,
];
immutable retriedOnce = [FailureClass.hang, FailureClass.crash, FailureClass.deviceProgram, FailureClass.unknown];

/// Puts the evidence after what is said of it, where there is evidence.
string tell(string what, string evidence)
{
    return evidence.length ? text(what, ": ", evidence) : what;
}

string counted(const Attempt[] attempts)
{
    return attempts.length == 1 ? "1 attempt" : text(attempts.length, " attempts");
}

mixin PolicyComponent!Standard;
