"""A policy is a plain class: it is tested without a host, a GPU, or WebAssembly."""

import doctest
import pathlib
import sys
import unittest
from datetime import timedelta

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "examples")]

from reprieve_guest import Attempt, Attempts, Experiment, FailureClass, GiveUp, Progress, Retry, backoff  # noqa: E402
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


def load_tests(loader, tests, ignore):
    tests.addTests(doctest.DocTestSuite(backoff))
    return tests


if __name__ == "__main__":
    unittest.main()
