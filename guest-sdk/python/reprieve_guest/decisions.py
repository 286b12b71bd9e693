"""What a policy answers: what follows an attempt."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

from .typed import Typed


class Placement(Enum):
    """Which devices the next attempt may use."""

    SAME_DEVICES = 0
    OTHER_DEVICES = 1
    ANY_DEVICES = 2


class Turn(Enum):
    """When the next attempt takes its turn once its delay has passed."""

    WHEN_DUE = 0
    LAST = 1


@dataclass(frozen=True)
class Accept(Typed):
    """Take the attempt's outcome as the stage's outcome."""


@dataclass(frozen=True)
class Retry(Typed):
    """Run the stage again after this delay, for this reason."""

    after: timedelta
    reason: str
    #: Values that replace adjustable parameters: texts, numbers and truths, as a command line has them.
    overrides: dict = field(default_factory=dict)
    placement: Placement = Placement.ANY_DEVICES
    turn: Turn = Turn.WHEN_DUE

    def __post_init__(self):
        super().__post_init__()
        for name, value in self.overrides.items():
            if not isinstance(value, (str, int, float, bool)):
                raise TypeError(f"`overrides`: `{name}` is `{value!r}`, expected a str, int, float or bool")


@dataclass(frozen=True)
class GiveUp(Typed):
    """The experiment has failed, for this reason. The study goes on."""

    reason: str


@dataclass(frozen=True)
class StopStudy(Typed):
    """Start no further experiment, for this reason."""

    reason: str
