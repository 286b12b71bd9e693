"""What a policy plans: the steps of a cleanup, which the host bounds and carries out."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from .typed import Typed


@dataclass(frozen=True)
class EndLeftovers(Typed):
    """End what the experiment left running: a termination signal, this grace, a kill."""

    grace: timedelta


@dataclass(frozen=True)
class RemoveSharedMemory(Typed):
    """Remove the shared-memory files that the experiment left behind."""


@dataclass(frozen=True)
class Synchronize(Typed):
    """Wait until the work queued in the host's own contexts is done."""


@dataclass(frozen=True)
class ReleaseCachedMemory(Typed):
    """Give the memory that the host's own allocators cache back to the device."""


@dataclass(frozen=True)
class ResetContexts(Typed):
    """Destroy the host's own contexts on the devices."""


@dataclass(frozen=True)
class AwaitMemory(Typed):
    """Wait until used memory is back at the baseline, to so many bytes."""

    tolerance: int
    timeout: timedelta


@dataclass(frozen=True)
class AwaitTemperature(Typed):
    """Wait until the devices have cooled to so many degrees Celsius."""

    at_most: int
    timeout: timedelta


@dataclass(frozen=True)
class AwaitIdle(Typed):
    """Wait until the devices are busy for so many percent of the time at most."""

    at_most: int
    timeout: timedelta


@dataclass(frozen=True)
class Probe(Typed):
    """Prove the devices usable: allocate so many bytes, write, read back, free."""

    allocate: int
    timeout: timedelta


@dataclass(frozen=True)
class Pause(Typed):
    """Let this much time pass."""

    time: timedelta


@dataclass(frozen=True)
class RunHook(Typed):
    """Run a command that the study declares under this name."""

    name: str


@dataclass(frozen=True)
class Step:
    """One action, and what becomes of the study where it fails."""

    action: Any
    #: 0: the failure is recorded; 1: the device is quarantined; 2: the study stops.
    if_it_fails: int = 0

    @classmethod
    def or_quarantine(cls, action) -> "Step":
        """An action without which its device is not fit for the next experiment."""
        return cls(action, 1)

    @classmethod
    def or_stop(cls, action) -> "Step":
        """An action without which no further experiment is to start."""
        return cls(action, 2)
