"""What follows when an attempt at an experiment has ended.

The host calls `decide` once an attempt, each time on a fresh instance: a
policy remembers nothing, and all it may know arrives as arguments. It does no
work either: it answers, and the host waits, places and cleans.
"""

from dataclasses import dataclass
from datetime import timedelta

from reprieve_guest import Accept, Backoff, FailureClass, GiveUp, Jitter, Policy, Retry, export, seconds, setting

#: These pass by themselves, after a while.
CAN_PASS = [
    FailureClass.NETWORK,
    FailureClass.RATE_LIMITED,
    FailureClass.DRIVER_TRANSIENT,
    FailureClass.COMMUNICATION,
    FailureClass.DEVICE_OCCUPIED,
]
#: These may: one more attempt tells.
MAY_PASS = [FailureClass.HANG, FailureClass.CRASH, FailureClass.DEVICE_PROGRAM, FailureClass.UNKNOWN]


@dataclass
class MyPolicy(Policy):
    """Retries what can pass, and halves the batch while device memory is short"""

    # What people call it. Without a type, so it is no setting.
    name = "my-policy"

    # The settings, which a study gives in `[policy]`: type, default, meaning, bound.
    max_retries: int = setting(3, "How often a failure that can pass is tried again.")
    delay_seconds: float = setting(30, "The wait before the first retry; it doubles from one to the next.")
    smallest_batch: int = setting(1, "The batch is not halved below this.", at_least=1)

    def decide(self, experiment, attempts, progress):
        """Judges the newest attempt. Successes are judged too: a policy may
        throw away a measurement that it does not trust."""
        failure = attempts.last.failure
        if failure is None:
            return Accept()
        # The experiment knows its failure best, where it says something of it.
        can_pass = attempts.last.retryable
        if can_pass is False:
            return GiveUp(failure.evidence)
        # A smaller batch needs less memory, where the study lets it be changed.
        batch = experiment.parameters.get("batch", "")
        if failure.cause == FailureClass.DEVICE_MEMORY and "batch" in experiment.adjustable and batch.isdecimal():
            half = int(batch) // 2
            if half >= self.smallest_batch:
                return Retry(timedelta(), "half the batch needs less", {"batch": half})
        if can_pass is None:
            again = attempts.failures_of(failure.cause) > 1
            can_pass = failure.cause in CAN_PASS or (failure.cause in MAY_PASS and not again)
        if not can_pass or attempts.retries >= self.max_retries:
            return GiveUp(failure.evidence)
        # A service that asks for time gets it. The seed makes chance the same
        # in every replay.
        first = seconds(self.delay_seconds)
        waits = Backoff.exponential(first, jitter=Jitter.EQUAL, seed=experiment.seed)
        wait = attempts.last.asked_to_wait() or waits.wait_after(attempts)
        return Retry(wait, f"can pass: {failure.evidence}")


Guest, RetryPolicy, CleanupPolicy = export(MyPolicy)
