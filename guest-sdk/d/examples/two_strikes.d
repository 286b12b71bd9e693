import reprieve;

/// Retries a network failure twice, and halves the batch while device memory is short.
struct TwoStrikes
{
    enum info = Info("two-strikes", "Two strikes for the network, half the batch for memory");

    Decision decide(const Experiment experiment, const Attempt[] attempts, const Progress)
    {
        if (!attempts[$ - 1].failure)
            return Decision(Accept());
        const failure = attempts[$ - 1].failure.get;
        if (failure.cause == FailureClass.network && attempts.failuresOf(FailureClass.network) <= 2)
        {
            const waits = Backoff(1.seconds, 2).jittered(Jitter.full, experiment.seed);
            return Decision(Retry(waits.after(attempts), text("can pass: ", failure.evidence)));
        }
        const batch = experiment.integer("batch").get(0);
        if (failure.cause == FailureClass.deviceMemory && batch >= 2 && experiment.canAdjust("batch"))
            return Decision(Retry(0.seconds, "half the batch needs less").overriding("batch", batch / 2));
        return Decision(GiveUp(failure.evidence));
    }
}

mixin PolicyComponent!TwoStrikes;

unittest // the third network failure is the last
{
    const network = Attempt.failed(FailureClass.network, "connection reset");
    const decision = TwoStrikes().decide(Experiment(), [network, network, network], Progress());
    assert(decision == Decision(GiveUp("connection reset")));
}
