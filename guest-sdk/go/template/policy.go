// What follows when an attempt at an experiment has ended.
//
// The host calls Decide once an attempt, each time on a fresh instance: a
// policy remembers nothing, and all it may know arrives as arguments. It does
// no work either: it answers, and the host waits, places and cleans.
package main

import (
	"errors"
	"slices"
	"strconv"

	"reprieve"
	"reprieve/retryonly"
)

// MyPolicy has the settings, which a study gives in `[policy]`, as its fields.
type MyPolicy struct {
	// How often a failure that can pass is tried again.
	MaxRetries int `json:"max_retries"`
	// The wait before the first retry; it doubles from one to the next.
	DelaySeconds float64 `json:"delay_seconds"`
	// The batch is not halved below this.
	SmallestBatch int `json:"smallest_batch"`
}

// New is the policy with the settings' defaults.
func New() *MyPolicy {
	return &MyPolicy{MaxRetries: 3, DelaySeconds: 30, SmallestBatch: 1}
}

// Check refuses settings; the error's text is what their author reads.
func (policy *MyPolicy) Check() error {
	if policy.SmallestBatch < 1 {
		return errors.New("`smallest_batch`: expected 1 or more")
	}
	return nil
}

// Decide judges the newest attempt. Successes are judged too: a policy may
// throw away a measurement that it does not trust.
func (policy *MyPolicy) Decide(experiment reprieve.Experiment, attempts reprieve.Attempts, _ reprieve.Progress) reprieve.Decision {
	attempt := attempts.Last()
	failure := attempt.Failure
	if failure == nil {
		return reprieve.Accept{}
	}
	switch failure.Class {
	// These pass by themselves, after a while.
	case reprieve.ClassNetwork, reprieve.ClassRateLimited, reprieve.ClassDriverTransient, reprieve.ClassDeviceOccupied:
		if attempts.Retries() >= policy.MaxRetries {
			break
		}
		// A service that asks for time gets it. The seed makes chance the same
		// in every replay.
		wait, asked := attempt.AskedToWait()
		if !asked {
			waits := reprieve.Exponential(reprieve.Seconds(policy.DelaySeconds), 2)
			wait = waits.Jittered(reprieve.EqualJitter, experiment.Seed).WaitAfter(attempts)
		}
		return reprieve.Retry{After: wait, Reason: "can pass: " + failure.Evidence}
	// A smaller batch needs less memory, where the study lets it be changed.
	case reprieve.ClassDeviceMemory:
		batch, _ := strconv.Atoi(experiment.Parameters["batch"])
		if slices.Contains(experiment.Adjustable, "batch") && batch/2 >= policy.SmallestBatch {
			half := map[string]string{"batch": strconv.Itoa(batch / 2)}
			return reprieve.Retry{Reason: "half the batch needs less", Overrides: half}
		}
	}
	return reprieve.GiveUp{Reason: failure.Evidence}
}

func init() {
	retryonly.Export(reprieve.Info{
		Name:    "my-policy",
		Version: "0.1.0",
		Summary: "Retries what can pass, and halves the batch while device memory is short",
	}, New())
}

func main() {}
