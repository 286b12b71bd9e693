"""How long to wait before the next attempt.

Waits are values here; nothing sleeps. The host's scheduler does the waiting,
and the devices are free meanwhile.
"""

from datetime import timedelta
from enum import Enum

_MOST = (1 << 64) - 1


def seconds(setting: float) -> timedelta:
    """A setting as a span of time; the longest one where it is longer."""
    return timedelta(seconds=setting) if setting < timedelta.max.total_seconds() else timedelta.max


class Jitter(str, Enum):
    """How chance spreads the waits (Marc Brooker, "Exponential Backoff And Jitter", 2015)."""

    NONE = "none"
    FULL = "full"
    EQUAL = "equal"
    DECORRELATED = "decorrelated"


class Random:
    """Random numbers that a replay draws again: SplitMix64. Not for secrets.

    Python's own `random` is seeded when the component is built.
    """

    def __init__(self, seed: int):
        self._state = seed & _MOST

    def next_u64(self) -> int:
        """Draws 64 random bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MOST
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MOST
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MOST
        return mixed ^ (mixed >> 31)

    def up_to(self, most: int) -> int:
        """Draws a whole number from 0 to `most`, both included."""
        return (self.next_u64() * (most + 1)) >> 64


class Backoff:
    """An endless sequence of waits; its first item is the wait after the first attempt.

    >>> from itertools import islice
    >>> waits = Backoff.exponential(timedelta(seconds=1), 2.0, cap=timedelta(seconds=5))
    >>> [wait.seconds for wait in islice(waits, 4)]
    [1, 2, 4, 5]
    """

    def __init__(self, first, factor, cap=None, jitter=Jitter.NONE, seed=0):
        self._first = _nanoseconds(first)
        self._factor = factor if factor >= 0.0 else 1.0
        self._cap = _MOST if cap is None else _nanoseconds(cap)
        self._jitter = Jitter(jitter)
        self._random = Random(seed)
        self._grown = float(self._first)
        self._previous = self._first

    @classmethod
    def constant(cls, wait: timedelta, **others) -> "Backoff":
        """Waits that are all alike."""
        return cls(wait, 1.0, **others)

    @classmethod
    def exponential(cls, first: timedelta, factor: float = 2.0, **others) -> "Backoff":
        """Waits that grow by a factor. Give `seed` the experiment's where there is jitter."""
        return cls(first, factor, **others)

    def wait_after(self, attempts) -> timedelta:
        """The wait that follows these attempts."""
        if self._jitter is Jitter.DECORRELATED and attempts.retries > 0:
            self._previous = _nanoseconds(attempts.last.waited_for)
            return next(self)
        for _ in range(attempts.retries):
            next(self)
        return next(self)

    def __iter__(self):
        return self

    def __next__(self) -> timedelta:
        plain = min(_saturated(self._grown + 0.5), self._cap)
        self._grown *= self._factor
        if self._jitter is Jitter.FULL:
            wait = self._random.up_to(plain)
        elif self._jitter is Jitter.EQUAL:
            wait = plain - plain // 2 + self._random.up_to(plain // 2)
        elif self._jitter is Jitter.DECORRELATED:
            spread = max(0, min(_MOST, self._previous * 3) - self._first)
            wait = min(_MOST, self._first + self._random.up_to(spread), self._cap)
        else:
            wait = plain
        self._previous = wait
        return timedelta(microseconds=wait // 1000)


def _saturated(value: float) -> int:
    if value != value or value <= 0.0:
        return 0
    return _MOST if value >= _MOST else int(value)


def _nanoseconds(span: timedelta) -> int:
    if span < timedelta():
        raise ValueError(f"`{span.total_seconds()}` s is no span of time, expected 0 or more")
    return min(_MOST, span // timedelta(microseconds=1) * 1000)
