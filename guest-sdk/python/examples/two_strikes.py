from datetime import timedelta

from reprieve_guest import Accept, Backoff, FailureClass, GiveUp, Jitter, Policy, Retry, export


class TwoStrikes(Policy):
    """Retries a network failure twice, and halves the batch while device memory is short."""

    name = "two-strikes"

    def decide(self, experiment, attempts, progress):
        failure = attempts.last.failure
        if failure is None:
            return Accept()
        batch = int(experiment.parameters.get("batch", 0))
        if failure.cause == FailureClass.NETWORK and attempts.failures_of(failure.cause) <= 2:
            waits = Backoff.exponential(timedelta(seconds=1), jitter=Jitter.FULL, seed=experiment.seed)
            return Retry(waits.wait_after(attempts), f"can pass: {failure.evidence}")
        if failure.cause == FailureClass.DEVICE_MEMORY and batch >= 2 and "batch" in experiment.adjustable:
            return Retry(timedelta(), "half the batch needs less", {"batch": batch // 2})
        return GiveUp(failure.evidence)


Guest, RetryPolicy, CleanupPolicy = export(TwoStrikes)
