"""The standard policy's behaviour, in Python: it must decide as the built-in one does."""

from dataclasses import dataclass
from typing import List, Optional

from reprieve_guest import (
    Accept,
    AwaitMemory,
    AwaitTemperature,
    Backoff,
    EndLeftovers,
    FailureClass,
    GiveUp,
    Jitter,
    Policy,
    ReleaseCachedMemory,
    RemoveSharedMemory,
    Retry,
    Stage,
    Step,
    StopStudy,
    export,
    seconds,
    setting,
)

CAN_PASS = [
    FailureClass.NETWORK,
    FailureClass.RATE_LIMITED,
    FailureClass.DRIVER_TRANSIENT,
    FailureClass.COMMUNICATION,
    FailureClass.DEVICE_OCCUPIED,
]
ONCE = [FailureClass.HANG, FailureClass.CRASH, FailureClass.DEVICE_PROGRAM, FailureClass.UNKNOWN]


@dataclass
class Standard(Policy):
    """Retries failures that can pass, with growing waits; gives up on the rest"""

    max_retries: int = 3
    delay_seconds: float = 1.0
    backoff_factor: float = 2.0
    max_delay_seconds: float = 3600.0
    jitter: Jitter = Jitter.NONE
    retry: List[FailureClass] = setting(CAN_PASS)
    retry_once: List[FailureClass] = setting(ONCE)
    retries_in_study: Optional[int] = None
    stop_after_failures_in_a_row: Optional[int] = setting(None, at_least=1)
    leftovers_grace_seconds: float = 10.0
    remove_shared_memory: bool = True
    memory_tolerance_mib: int = 64
    memory_timeout_seconds: float = 120.0
    cool_down_to_celsius: Optional[int] = None
    cool_down_timeout_seconds: float = 600.0

    def decide(self, experiment, attempts, progress):
        failure = attempts.last.failure
        if failure is None:
            return Accept()
        worth, why = self.worth_retrying(attempts, failure, progress)
        if worth:
            return Retry(self.delay(experiment, attempts, failure), why)
        in_a_row = progress.failed_in_a_row + 1
        most = self.stop_after_failures_in_a_row
        if most is not None and in_a_row >= most and attempts.last.stage != Stage.FINISH:
            return StopStudy(f"experiments that failed in a row: {in_a_row}; the last: {why}")
        return GiveUp(why)

    def worth_retrying(self, attempts, failure, progress):
        """Whether another attempt is worth it, and why."""
        worth, why, once = self.can_pass(attempts, failure)
        if not worth:
            return False, why
        if attempts.retries >= self.max_retries:
            return False, tell(f"gave up after {count(attempts)}: {failure.cause} failure", failure.evidence)
        most = self.retries_in_study
        if most is not None and progress.retries >= most:
            spent = f"the study's {most} retries are used up"
            return False, tell(f"{spent}: {failure.cause} failure", failure.evidence)
        return True, why if once else f"{why}; retry {len(attempts)} of {self.max_retries}"

    def can_pass(self, attempts, failure):
        """Whether the failure can pass, why, and whether it is retried only once."""
        cause, retryable = failure.cause, attempts.last.retryable
        if retryable is not None:
            report, verdict = attempts.last.self_report, "worth retrying" if retryable else "final"
            said = report.message or report.kind or failure.evidence
            return retryable, tell(f"the experiment called its {cause} failure {verdict}", said), False
        if cause in self.retry:
            return True, tell(f"{cause} failure can pass", failure.evidence), False
        if cause not in self.retry_once:
            return False, tell(f"{cause} failures do not pass by themselves", failure.evidence), False
        if attempts.failures_of(cause) == 1:
            return True, tell(f"{cause} failures are retried once", failure.evidence), True
        return False, tell(f"gave up after {count(attempts)}: {cause} failure again", failure.evidence), False

    def delay(self, experiment, attempts, failure):
        """The backoff's wait, or what a service asked for where that is more, within the cap."""
        cap = seconds(self.max_delay_seconds)
        first = seconds(self.delay_seconds)
        waits = Backoff(first, self.backoff_factor, cap=cap, jitter=self.jitter, seed=experiment.seed)
        wait = waits.wait_after(attempts)
        asked = attempts.last.asked_to_wait() if failure.cause == FailureClass.RATE_LIMITED else None
        return wait if asked is None else min(cap, max(wait, asked))

    def plan(self, experiment, attempt):
        if attempt is None:
            return []
        steps = [Step(EndLeftovers(seconds(self.leftovers_grace_seconds)))]
        if self.remove_shared_memory:
            steps.append(Step(RemoveSharedMemory()))
        steps.append(Step(ReleaseCachedMemory()))
        memory = AwaitMemory(self.memory_tolerance_mib << 20, seconds(self.memory_timeout_seconds))
        steps.append(Step.or_quarantine(memory))
        if self.cool_down_to_celsius is not None:
            timeout = seconds(self.cool_down_timeout_seconds)
            steps.append(Step(AwaitTemperature(self.cool_down_to_celsius, timeout)))
        return steps


def tell(what, evidence):
    return f"{what}: {evidence}" if evidence else what


def count(attempts):
    return "1 attempt" if len(attempts) == 1 else f"{len(attempts)} attempts"


Guest, RetryPolicy, CleanupPolicy = export(Standard)
