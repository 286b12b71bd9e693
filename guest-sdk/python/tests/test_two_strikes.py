"""A policy is a plain class: it is tested without a host, a GPU, or WebAssembly."""

import doctest
import pathlib
import sys
import unittest
from dataclasses import dataclass
from datetime import timedelta
from typing import List, Optional

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "examples")]

from reprieve_guest import (  # noqa: E402
    Attempt,
    Attempts,
    Backoff,
    Experiment,
    FailureClass,
    GiveUp,
    Pause,
    Policy,
    Progress,
    Retry,
    SelfReport,
    backoff,
    export,
    seconds,
    setting,
    settings,
)
from two_strikes import TwoStrikes  # noqa: E402


class TwoStrikesTest(unittest.TestCase):
    def test_the_third_network_failure_is_the_last(self):
        attempts = Attempts([Attempt.failed(FailureClass.NETWORK, "connection reset")] * 3)
        decision = TwoStrikes().decide(Experiment(), attempts, Progress())
        self.assertEqual(decision, GiveUp("connection reset"))

    def test_half_the_batch_needs_less(self):
        experiment = Experiment(parameters={"batch": "8"}, adjustable=("batch",))
        attempts = Attempts([Attempt.failed(FailureClass.DEVICE_MEMORY)])
        decision = TwoStrikes().decide(experiment, attempts, Progress())
        self.assertEqual(decision, Retry(timedelta(), "half the batch needs less", {"batch": 4}))

    def test_a_negative_wait_is_refused_by_its_value(self):
        with self.assertRaisesRegex(ValueError, "`-5.0` s is no span of time"):
            Backoff.constant(timedelta(seconds=-5))

    def test_a_setting_may_be_longer_than_any_span(self):
        self.assertEqual([seconds(0.5), seconds(1e300)], [timedelta(milliseconds=500), timedelta.max])

    def test_what_has_another_type_is_refused_where_it_is_built(self):
        for build, refusal in [
            (lambda: Retry(5, "soon"), "`after` is `5`, expected a timedelta"),
            (lambda: GiveUp(5), "`reason` is `5`, expected a str"),
            (lambda: Pause(5), "`time` is `5`, expected a timedelta"),
            (lambda: Retry(timedelta(), "less", ["batch"]), "`overrides` is `['batch']`, expected a dict"),
            (
                lambda: Retry(timedelta(), "less", {"batch": None}),
                "`overrides`: `batch` is `None`, expected a str, int, float or bool",
            ),
        ]:
            with self.assertRaises(TypeError) as refused:
                build()
            self.assertEqual(str(refused.exception), refusal)

    def test_a_field_that_is_no_setting_is_refused_when_the_policy_is_exported(self):
        for hint in [list, List, dict, Optional[dict], int | str, list[timedelta]]:

            @dataclass
            class Halving(Policy):
                smallest_batch: hint = setting(1)

            with self.assertRaisesRegex(TypeError, "`Halving.smallest_batch` is declared as `.+`, expected int, float"):
                export(Halving)

    def test_what_the_experiment_says_of_its_failure_is_found(self):
        self.assertIsNone(Attempt.failed(FailureClass.HANG).retryable)
        self.assertIs(Attempt.failed(FailureClass.HANG, self_report=SelfReport(retryable=False)).retryable, False)

    def test_settings_are_held_to_their_types(self):
        @dataclass
        class Set(Policy):
            most: Optional[int] = None
            least: int | None = None
            when: List[FailureClass] = setting([FailureClass.HANG])
            eager: bool = False

        self.assertEqual(Set.configured('{ "most": 3, "when": ["crash"] }').when, [FailureClass.CRASH])
        for settings, refusal in [
            ('{ "most": true }', "`most`: `true`, expected a whole number, 0 or more, or null"),
            ('{ "least": -1 }', "`least`: `-1`, expected a whole number, 0 or more, or null"),
            ('{ "when": ["hunger"] }', '`when`: `["hunger"]`, expected a list, each one of `network`'),
            ('{ "eager": 1 }', "`eager`: `1`, expected true or false"),
            ('{ "mots": 1 }', "unknown setting `mots`, expected one of `most`, `least`, `when`, `eager`"),
        ]:
            with self.assertRaises(ValueError) as refused:
                Set.configured(settings)
            self.assertIn(refusal, str(refused.exception))


def load_tests(loader, tests, ignore):
    tests.addTests(doctest.DocTestSuite(backoff))
    tests.addTests(doctest.DocTestSuite(settings))
    return tests


if __name__ == "__main__":
    unittest.main()
