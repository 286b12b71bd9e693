"""A policy is a plain class: it is tested without a host, a GPU, or WebAssembly."""

import unittest
from datetime import timedelta

from policy import MyPolicy
from reprieve_guest import (
    Accept,
    Attempt,
    Attempts,
    Experiment,
    FailureClass,
    GiveUp,
    Progress,
    Retry,
    SelfReport,
)


def decide(*attempts, experiment=Experiment()):
    return MyPolicy().decide(experiment, Attempts(attempts), Progress())


class MyPolicyTest(unittest.TestCase):
    def test_a_success_is_accepted(self):
        self.assertEqual(decide(Attempt()), Accept())

    def test_the_network_gets_three_more_chances(self):
        network = Attempt.failed(FailureClass.NETWORK, "connection reset")
        self.assertTrue(timedelta(seconds=15) <= decide(network).after <= timedelta(seconds=30))
        self.assertEqual(decide(network, network, network, network), GiveUp("connection reset"))

    def test_a_service_that_asks_for_time_gets_it(self):
        asked = Attempt.failed(FailureClass.RATE_LIMITED, "429, retry after 90 seconds")
        self.assertEqual(decide(asked).after, timedelta(seconds=90))

    def test_the_batch_is_halved_while_that_can_be_done(self):
        def short(batch):
            experiment = Experiment(parameters={"batch": batch}, adjustable=("batch",))
            return decide(Attempt.failed(FailureClass.DEVICE_MEMORY, "out of memory"), experiment=experiment)

        self.assertEqual(short("64"), Retry(timedelta(), "half the batch needs less", {"batch": 32}))
        self.assertEqual(short("1"), GiveUp("out of memory"))

    def test_what_may_pass_is_tried_once_more(self):
        hang = Attempt.failed(FailureClass.HANG, "silent")
        self.assertIsInstance(decide(hang), Retry)
        self.assertEqual(decide(hang, hang), GiveUp("silent"))

    def test_what_the_experiment_says_of_its_failure_goes_before_its_class(self):
        passing = Attempt.failed(FailureClass.ACCESS, "it says so", self_report=SelfReport(retryable=True))
        final = Attempt.failed(FailureClass.NETWORK, "it says so", self_report=SelfReport(retryable=False))
        self.assertIsInstance(decide(passing), Retry)
        self.assertEqual(decide(final), GiveUp("it says so"))

    def test_settings_that_make_no_sense_are_refused(self):
        self.assertEqual(MyPolicy.configured('{ "max_retries": 5 }').max_retries, 5)
        for settings, refusal in [
            ('{ "smallest_batch": 0 }', "`smallest_batch`: `0`, expected a whole number, 1 or more"),
            ('{ "delay_seconds": -1 }', "`delay_seconds`: `-1`, expected a number, 0 or more"),
            ('{ "max_retries": -1 }', "`max_retries`: `-1`, expected a whole number, 0 or more"),
            ('{ "max_retries": 1.5 }', "`max_retries`: `1.5`, expected a whole number, 0 or more"),
            ('{ "max_retries": "3" }', '`max_retries`: `"3"`, expected a whole number, 0 or more'),
        ]:
            with self.assertRaises(ValueError) as refused:
                MyPolicy.configured(settings)
            self.assertEqual(str(refused.exception), refusal)


if __name__ == "__main__":
    unittest.main()
