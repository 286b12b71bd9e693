package main

import (
	"slices"
	"strconv"
	"time"

	"reprieve"
	"reprieve/retryonly"
)

// TwoStrikes retries a network failure twice, and halves the batch while device memory is short.
type TwoStrikes struct{}

func (TwoStrikes) Decide(experiment reprieve.Experiment, attempts reprieve.Attempts, _ reprieve.Progress) reprieve.Decision {
	failure := attempts.Last().Failure
	if failure == nil {
		return reprieve.Accept{}
	}
	batch, _ := strconv.Atoi(experiment.Parameters["batch"])
	switch {
	case failure.Class == reprieve.ClassNetwork && attempts.FailuresOf(reprieve.ClassNetwork) <= 2:
		waits := reprieve.Exponential(time.Second, 2).Jittered(reprieve.FullJitter, experiment.Seed)
		return reprieve.Retry{After: waits.WaitAfter(attempts), Reason: "can pass: " + failure.Evidence}
	case failure.Class == reprieve.ClassDeviceMemory && batch >= 2 && slices.Contains(experiment.Adjustable, "batch"):
		half := map[string]string{"batch": strconv.Itoa(batch / 2)}
		return reprieve.Retry{Reason: "half the batch needs less", Overrides: half}
	default:
		return reprieve.GiveUp{Reason: failure.Evidence}
	}
}

func init() {
	retryonly.Export(reprieve.Info{
		Name:    "two-strikes",
		Version: "0.1.0",
		Summary: "Retries a network failure twice, and halves the batch while device memory is short",
	}, TwoStrikes{})
}

func main() {}
