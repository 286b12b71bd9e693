/**
 * What follows when an attempt at an experiment has ended.
 *
 * The host calls `decide` once an attempt, each time on a fresh instance: a
 * policy remembers nothing, and all it may know arrives as arguments. It does
 * no work either: it answers, and the host waits, places and cleans.
 */
module policy;

import std.algorithm : among;

import reprieve;

struct MyPolicy
{
    enum info = Info("my-policy", "Retries what can pass, and halves the batch while device memory is short");

    // The settings, which a study gives in `[policy]`, with their defaults.
    @about("How often a failure that can pass is tried again.") uint maxRetries = 3;
    @about("The wait before the first retry; it doubles from one to the next.") double delaySeconds = 30;
    @about("The batch is not halved below this.") uint smallestBatch = 1;

    /// Refuses settings; the text is what their author reads.
    string check() const
    {
        return smallestBatch ? "" : "`smallest_batch`: `0`, expected 1 or more";
    }

    /// Judges the newest attempt. Successes are judged too: a policy may throw away a measurement that it does not trust.
    Decision decide(const Experiment experiment, const Attempt[] attempts, const Progress)
    {
        const attempt = attempts[$ - 1];
        if (!attempt.failure)
            return Decision(Accept());
        const failure = attempt.failure.get;
        // The experiment knows its failure best, where it says something of it.
        const verdict = attempt.calledRetryable;
        if (!verdict.get(true))
            return Decision(GiveUp(failure.evidence));
        // A smaller batch needs less memory, where the study lets it be changed.
        const half = experiment.integer("batch").get(0) / 2;
        const halves = failure.cause == FailureClass.deviceMemory && experiment.canAdjust("batch");
        if (halves && half >= smallestBatch)
            return Decision(Retry(0.seconds, "half the batch needs less").overriding("batch", half));
        if (!verdict.get(canPass(attempts, failure.cause)) || attempts.retries >= maxRetries)
            return Decision(GiveUp(failure.evidence));
        // A service that asks for time gets it. The seed makes chance the same
        // in every replay.
        const waits = Backoff(delaySeconds).jittered(Jitter.equal, experiment.seed);
        const wait = attempt.askedToWait.get(waits.after(attempts));
        return Decision(Retry(wait, text("can pass: ", failure.evidence)));
    }
}

private bool canPass(const Attempt[] attempts, FailureClass cause)
{
    with (FailureClass)
    {
        // These do, after a while.
        if (cause.among(network, rateLimited, driverTransient, communication, deviceOccupied))
            return true;
        // These may: one more attempt tells.
        return cause.among(hang, crash, deviceProgram, unknown) && attempts.failuresOf(cause) == 1;
    }
}

mixin PolicyComponent!MyPolicy;
