"""What a policy is told: the experiment, its attempts, the study so far."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any, NamedTuple, Optional


class FailureClass(str, Enum):
    """What the host takes the cause of a failure to be; its value is the name in settings."""

    NETWORK = "network"
    RATE_LIMITED = "rate-limited"
    DRIVER_TRANSIENT = "driver-transient"
    COMMUNICATION = "communication"
    DEVICE_MEMORY = "device-memory"
    DEVICE_OCCUPIED = "device-occupied"
    HOST_MEMORY = "host-memory"
    DEVICE_PROGRAM = "device-program"
    DEVICE_HARDWARE = "device-hardware"
    HANG = "hang"
    CRASH = "crash"
    STORAGE = "storage"
    ACCESS = "access"
    CONFIGURATION = "configuration"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    def __str__(self):
        return self.value


class Stage(str, Enum):
    """The part of an experiment that an attempt ran."""

    PREPARE = "prepare"
    MEASURE = "measure"
    FINISH = "finish"


@dataclass(frozen=True)
class Failure:
    """What the host takes the cause to be, and why."""

    cause: FailureClass
    evidence: str = ""


@dataclass(frozen=True)
class SelfReport:
    """What the experiment said of its failure itself."""

    retryable: Optional[bool] = None
    kind: str = ""
    message: str = ""


class DeviceFault(NamedTuple):
    """A fault that the driver recorded: the position of its device, and NVIDIA's number."""

    device: int
    xid: int


class DeviceMemoryUse(NamedTuple):
    """A device's memory around an attempt, in bytes."""

    device: int
    baseline: int
    peak: int
    residual: int


@dataclass(frozen=True)
class Attempt:
    """One attempt that has ended. Without arguments: a success, for unit tests."""

    number: int = 1
    stage: Stage = Stage.MEASURE
    #: As the contract has it: an object of the generated bindings.
    ending: Any = None
    failure: Optional[Failure] = None
    waited_for: timedelta = timedelta()
    ran_for: timedelta = timedelta()
    stderr_tail: str = ""
    stdout_tail: str = ""
    self_report: Optional[SelfReport] = None
    faults: tuple = ()
    memory: tuple = ()
    foreign_processes: int = 0
    throttled_for: timedelta = timedelta()
    facts: dict = field(default_factory=dict)

    @classmethod
    def failed(cls, cause: FailureClass, evidence: str = "", **others) -> "Attempt":
        """A failure, for unit tests."""
        return cls(failure=Failure(cause, evidence), **others)

    @property
    def retryable(self) -> Optional[bool]:
        """Whether the experiment itself called its failure worth retrying; `None` where it did not say."""
        return self.self_report.retryable if self.self_report else None

    def asked_to_wait(self) -> Optional[timedelta]:
        """How long a remote service asked to be left alone, where its text says so."""
        texts = [self.self_report and self.self_report.message, self.failure and self.failure.evidence]
        return next((wait for wait in map(_asked, filter(None, texts)) if wait is not None), None)


class Attempts(tuple):
    """All attempts at a stage so far, oldest first; the last one is judged."""

    @property
    def last(self) -> Attempt:
        return self[-1]

    @property
    def retries(self) -> int:
        """How many were retries: all but the first."""
        return len(self) - 1

    def failures_of(self, cause: FailureClass) -> int:
        """How many failed in this way, the last one counted."""
        return sum(1 for attempt in self if attempt.failure and attempt.failure.cause == cause)


@dataclass(frozen=True)
class Experiment:
    """The experiment that is judged."""

    name: str = "experiment"
    parameters: dict = field(default_factory=dict)
    #: Names of the parameters that a decision may override.
    adjustable: tuple = ()
    labels: dict = field(default_factory=dict)
    devices: int = 1
    #: Randomness that a replay draws again.
    seed: int = 0


@dataclass(frozen=True)
class Progress:
    """The study so far."""

    succeeded: int = 0
    failed: int = 0
    remaining: int = 1
    retries: int = 0
    failed_in_a_row: int = 0
    elapsed: timedelta = timedelta()


_LEAD = re.compile(r"retry[ _-]after|try[ _-]again[ _-](?:in|after)|retry[ _-]in", re.IGNORECASE | re.ASCII)
_SPAN = re.compile(r"([0-9][0-9.]*) *([a-zA-Z]*)")
_UNITS_MS = {
    **dict.fromkeys(["ms", "millisecond", "milliseconds"], 1),
    **dict.fromkeys(["", "s", "sec", "secs", "second", "seconds"], 1_000),
    **dict.fromkeys(["m", "min", "mins", "minute", "minutes"], 60_000),
    **dict.fromkeys(["h", "hr", "hrs", "hour", "hours"], 3_600_000),
}


def _asked(text: str) -> Optional[timedelta]:
    for lead in _LEAD.finditer(text):
        rest = text[lead.end() :].lstrip(" :=\"'")
        total = None
        while (part := _SPAN.match(rest)) is not None:
            unit = _UNITS_MS.get(part.group(2).lower())
            if unit is None:
                total = None
                break
            whole, _, fraction = part.group(1).partition(".")
            thousandths = int(whole) * 1000 + int((fraction.partition(".")[0] + "000")[:3])
            total = (total or timedelta()) + timedelta(milliseconds=thousandths * unit // 1000)
            rest = rest[part.end() :]
        if total is not None:
            return total
    return None
