"""What a policy is, and how it becomes a component's exports."""

from typing import Optional

from . import settings as _settings
from .decisions import Accept, GiveUp


class Policy:
    """Decides what follows an attempt, plans the cleanup, or both.

    A policy with settings is a dataclass: its fields are the settings, see
    `setting`, and a `ValueError` of its `__post_init__` refuses more of them.
    """

    #: What people call it; the class's name where it says nothing.
    name: Optional[str] = None
    version: str = "0.1.0"

    def decide(self, experiment, attempts, progress):
        """Judges the newest attempt, `attempts.last`. Successes are judged too."""
        failure = attempts.last.failure
        return Accept() if failure is None else GiveUp(failure.evidence)

    def plan(self, experiment, attempt):
        """Returns the steps to run, in order: after this attempt, or before one where it is `None`."""
        return []

    @classmethod
    def configured(cls, settings: str) -> "Policy":
        """The policy with these settings, a JSON object as text.

        Raises `ValueError` where it refuses them.
        """
        return cls(**_settings.read(cls, settings))

    @classmethod
    def schema(cls) -> Optional[str]:
        """A JSON Schema of the settings, as text, or `None` where there are none."""
        return _settings.schema(cls)

    @classmethod
    def world(cls) -> str:
        """The contract's world for the roles that it has."""
        decides, plans = cls.decide is not Policy.decide, cls.plan is not Policy.plan
        return {(True, True): "policy", (False, True): "cleanup-only"}.get((decides, plans), "retry-only")


def export(policy):
    """The exports of a component: `Guest, RetryPolicy, CleanupPolicy = export(MyPolicy)`.

    Outside a component, in unit tests, they are there and do nothing.
    Raises `TypeError` where a field of the policy has a type that no setting has.
    """
    _settings.check(policy)
    try:
        import wit_world  # noqa: F401, generated when the component is built
    except ImportError:
        return policy, policy, policy
    from .bindings import exports_of

    return exports_of(policy)
