package main

import (
	"reflect"
	"testing"
	"time"

	"reprieve"
)

// A policy is a plain type: it is tested without a host, a GPU, or WebAssembly.
func decide(batch string, attempts ...reprieve.Attempt) reprieve.Decision {
	experiment := reprieve.Experiment{
		Parameters: map[string]string{"batch": batch},
		Adjustable: []string{"batch"},
		Seed:       7,
	}
	return New().Decide(experiment, attempts, reprieve.Progress{})
}

func expect(t *testing.T, decided, expected reprieve.Decision) {
	t.Helper()
	if !reflect.DeepEqual(decided, expected) {
		t.Errorf("decided %#v, expected %#v", decided, expected)
	}
}

func TestASuccessIsAccepted(t *testing.T) {
	expect(t, decide("64", reprieve.Succeeded()), reprieve.Accept{})
}

func TestTheNetworkGetsThreeMoreChances(t *testing.T) {
	network := reprieve.Failed(reprieve.ClassNetwork, "connection reset")
	retry, retried := decide("64", network).(reprieve.Retry)
	if !retried || retry.After < 15*time.Second || retry.After > 30*time.Second {
		t.Errorf("decided %#v", retry)
	}
	expect(t, decide("64", network, network, network, network), reprieve.GiveUp{Reason: "connection reset"})
}

func TestAServiceThatAsksForTimeGetsIt(t *testing.T) {
	asked := reprieve.Failed(reprieve.ClassRateLimited, "429, retry after 90 seconds")
	if retry := decide("64", asked).(reprieve.Retry); retry.After != 90*time.Second {
		t.Errorf("decided %#v", retry)
	}
}

func TestTheBatchIsHalvedWhileThatCanBeDone(t *testing.T) {
	short := reprieve.Failed(reprieve.ClassDeviceMemory, "out of memory")
	half := reprieve.Retry{Reason: "half the batch needs less", Overrides: map[string]string{"batch": "32"}}
	expect(t, decide("64", short), half)
	expect(t, decide("1", short), reprieve.GiveUp{Reason: "out of memory"})
}

func TestWhatMayPassIsTriedOnceMore(t *testing.T) {
	hang := reprieve.Failed(reprieve.ClassHang, "silent")
	if retry, retried := decide("64", hang).(reprieve.Retry); !retried {
		t.Errorf("decided %#v", retry)
	}
	expect(t, decide("64", hang, hang), reprieve.GiveUp{Reason: "silent"})
}

func TestWhatTheExperimentSaysOfItsFailureGoesBeforeItsClass(t *testing.T) {
	said := func(class reprieve.FailureClass, retryable bool) reprieve.Attempt {
		attempt := reprieve.Failed(class, "it says so")
		attempt.SelfReport = &reprieve.SelfReport{Retryable: &retryable}
		return attempt
	}
	if retry, retried := decide("64", said(reprieve.ClassAccess, true)).(reprieve.Retry); !retried {
		t.Errorf("decided %#v", retry)
	}
	expect(t, decide("64", said(reprieve.ClassNetwork, false)), reprieve.GiveUp{Reason: "it says so"})
}

func TestSettingsThatMakeNoSenseAreRefused(t *testing.T) {
	if err := reprieve.Configure(New(), `{ "max_retries": 5 }`); err != nil {
		t.Error(err)
	}
	for settings, refusal := range map[string]string{
		`{ "smallest_batch": 0 }`: "`smallest_batch`: `0`, expected a whole number, 1 or more",
		`{ "delay_seconds": -1 }`: "`delay_seconds`: `-1`, expected a number, 0 or more",
		`{ "max_retries": -1 }`:   "`max_retries`: `-1`, expected a whole number, 0 or more",
		`{ "max_retries": 1.5 }`:  "`max_retries`: `1.5`, expected a whole number, 0 or more",
	} {
		if err := reprieve.Configure(New(), settings); err == nil || err.Error() != refusal {
			t.Errorf("%s: %v", settings, err)
		}
	}
}
