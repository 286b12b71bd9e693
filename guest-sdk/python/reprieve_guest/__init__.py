"""Write a Reprieve policy in Python: what follows a failed GPU experiment.

A policy is a subclass of `Policy`, and `export` makes a component's exports of
it. The same code runs in ordinary unit tests. A policy remembers nothing
between calls, and does no work: it answers, and the host waits, places and cleans.
"""

from .backoff import Backoff, Jitter, Random, seconds
from .cleanup import (
    AwaitIdle,
    AwaitMemory,
    AwaitTemperature,
    EndLeftovers,
    Pause,
    Probe,
    ReleaseCachedMemory,
    RemoveSharedMemory,
    ResetContexts,
    RunHook,
    Step,
    Synchronize,
)
from .decisions import Accept, GiveUp, Placement, Retry, StopStudy, Turn
from .policy import Policy, export
from .settings import setting
from .situation import Attempt, Attempts, Experiment, Failure, FailureClass, Progress, SelfReport, Stage

__all__ = [
    "Accept",
    "Attempt",
    "Attempts",
    "AwaitIdle",
    "AwaitMemory",
    "AwaitTemperature",
    "Backoff",
    "EndLeftovers",
    "Experiment",
    "Failure",
    "FailureClass",
    "GiveUp",
    "Jitter",
    "Pause",
    "Placement",
    "Policy",
    "Probe",
    "Progress",
    "Random",
    "ReleaseCachedMemory",
    "RemoveSharedMemory",
    "ResetContexts",
    "Retry",
    "RunHook",
    "SelfReport",
    "Stage",
    "Step",
    "StopStudy",
    "Synchronize",
    "Turn",
    "export",
    "seconds",
    "setting",
]
