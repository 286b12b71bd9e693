"""What follows when an attempt at an experiment has ended.

The host calls `decide` once an attempt, each time on a fresh instance: a
policy remembers nothing, and all it may know arrives as arguments. It does no
work either: it answers, and the host waits, places and cleans.
"""

from dataclasses import dataclass
from datetime import timedelta

from reprieve_guest import Accept, Backoff, FailureClass, GiveUp, Jitter, Policy, Retry, export

#: These pass by themselves, after a while.
CAN_PASS = [
    FailureClass.NETWORK,
    FailureClass.RATE_LIMITED,
    FailureClass.DRIVER_TRANSIENT,
    FailureClass.DEVICE_OCCUPIED,
]


@dataclass
class MyPolicy(Policy):
    """Retries what can pass, and halves the batch while device memory is short"""

    # What people call it. Without a type, so it is no setting.
    name = "my-policy"

    # The settings, which a study gives in `[policy]`, with their defaults.
    #: How often a failure that can pass is tried again.
    max_retries: int = 3
    #: The wait before the first retry; it doubles from one to the next.
    delay_seconds: float = 30
    #: The batch is not halved below this.
    smallest_batch: int = 1

    def __post_init__(self):
        """Refuses settings; the text of a `ValueError` is what their author reads."""
        if self.smallest_batch < 1:
            raise ValueError(f"`smallest_batch` is `{self.smallest_batch}`, expected 1 or more")

    def decide(self, experiment, attempts, progress):
        """Judges the newest attempt. Successes are judged too: a policy may
        throw away a measurement that it does not trust."""
        failure = attempts.last.failure
        if failure is None:
            return Accept()
        if failure.cause in CAN_PASS and attempts.retries < self.max_retries:
            # A service that asks for time gets it. The seed makes chance the
            # same in every replay.
            first = timedelta(seconds=self.delay_seconds)
            waits = Backoff.exponential(first, jitter=Jitter.EQUAL, seed=experiment.seed)
            wait = attempts.last.asked_to_wait() or waits.wait_after(attempts)
            return Retry(wait, f"can pass: {failure.evidence}")
        # A smaller batch needs less memory, where the study lets it be changed.
        if failure.cause == FailureClass.DEVICE_MEMORY and "batch" in experiment.adjustable:
            half = int(experiment.parameters["batch"]) // 2
            if half >= self.smallest_batch:
                return Retry(timedelta(), "half the batch needs less", {"batch": half})
        return GiveUp(failure.evidence)


Guest, RetryPolicy, CleanupPolicy = export(MyPolicy)
