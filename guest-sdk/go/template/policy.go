// What follows when an attempt at an experiment has ended.
//
// The host calls Decide once an attempt, each time on a fresh instance: a
// policy remembers nothing, and all it may know arrives as arguments. It does
// no work either: it answers, and the host waits, places and cleans.
package main

import (
	"slices"
	"strconv"

	"reprieve"
	"reprieve/retryonly"
)

// MyPolicy has the settings, which a study gives in `[policy]`, as its fields. A
// method Check() error may refuse more than types and bounds do.
type MyPolicy struct {
	MaxRetries    int     `json:"max_retries" about:"How often a failure that can pass is tried again."`
	DelaySeconds  float64 `json:"delay_seconds" about:"The wait before the first retry; it doubles from one to the next."`
	SmallestBatch int     `json:"smallest_batch" about:"The batch is not halved below this." min:"1"`
}

// New is the policy with the settings' defaults.
func New() *MyPolicy {
	return &MyPolicy{MaxRetries: 3, DelaySeconds: 30, SmallestBatch: 1}
}

// Decide judges the newest attempt. Successes are judged too: a policy may
// throw away a measurement that it does not trust.
func (policy *MyPolicy) Decide(experiment reprieve.Experiment, attempts reprieve.Attempts, _ reprieve.Progress) reprieve.Decision {
	attempt := attempts.Last()
	failure := attempt.Failure
	if failure == nil {
		return reprieve.Accept{}
	}
	// The experiment knows its failure best, where it says something of it.
	canPass, said := attempt.Retryable()
	if said && !canPass {
		return reprieve.GiveUp{Reason: failure.Evidence}
	}
	// A smaller batch needs less memory, where the study lets it be changed.
	if failure.Class == reprieve.ClassDeviceMemory && slices.Contains(experiment.Adjustable, "batch") {
		if batch, _ := strconv.Atoi(experiment.Parameters["batch"]); batch/2 >= policy.SmallestBatch {
			half := map[string]string{"batch": strconv.Itoa(batch / 2)}
			return reprieve.Retry{Reason: "half the batch needs less", Overrides: half}
		}
	}
	if !said {
		canPass = classCanPass(attempts, failure.Class)
	}
	if !canPass || attempts.Retries() >= policy.MaxRetries {
		return reprieve.GiveUp{Reason: failure.Evidence}
	}
	// A service that asks for time gets it. The seed makes chance the same in
	// every replay.
	wait, asked := attempt.AskedToWait()
	if !asked {
		waits := reprieve.Exponential(reprieve.Seconds(policy.DelaySeconds), 2)
		wait = waits.Jittered(reprieve.EqualJitter, experiment.Seed).WaitAfter(attempts)
	}
	return reprieve.Retry{After: wait, Reason: "can pass: " + failure.Evidence}
}

// classCanPass says whether a failure of this class may pass.
func classCanPass(attempts reprieve.Attempts, class reprieve.FailureClass) bool {
	switch class {
	// These do, after a while.
	case reprieve.ClassNetwork, reprieve.ClassRateLimited, reprieve.ClassDriverTransient,
		reprieve.ClassCommunication, reprieve.ClassDeviceOccupied:
		return true
	// These may: one more attempt tells.
	case reprieve.ClassHang, reprieve.ClassCrash, reprieve.ClassDeviceProgram, reprieve.ClassUnknown:
		return attempts.FailuresOf(class) == 1
	default:
		return false
	}
}

func init() {
	retryonly.Export(reprieve.Info{
		Name:    "my-policy",
		Version: "0.1.0",
		Summary: "Retries what can pass, and halves the batch while device memory is short",
	}, New())
}

func main() {}
