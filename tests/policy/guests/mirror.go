// Answers with all that it is told, and asks for all that can be asked.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"reprieve"
	"reprieve/cleanup"
	"reprieve/gpu"
	"reprieve/policy"
)

type mirror struct{}

func (mirror) Decide(experiment reprieve.Experiment, attempts reprieve.Attempts, progress reprieve.Progress) reprieve.Decision {
	told := []string{fmt.Sprintf("%+v", experiment), fmt.Sprintf("%+v", progress)}
	for _, attempt := range attempts {
		text, _ := json.Marshal(attempt)
		told = append(told, fmt.Sprintf("%T %s", attempt.Ending, text))
	}
	for device := range gpu.Count() {
		status, err := gpu.Read(device)
		text, _ := json.Marshal(status)
		told = append(told, fmt.Sprintf("%s %v %v", text, err, errors.Is(err, gpu.ErrTransient)))
	}
	return reprieve.Retry{
		After:     1234 * time.Millisecond,
		Reason:    "a reason\xff",
		Overrides: map[string]string{"b": strings.Join(told, "\n"), "a": ""},
		Placement: reprieve.OtherDevices,
		Turn:      reprieve.Last,
	}
}

func (mirror) Plan(_ reprieve.Experiment, after *reprieve.Attempt) []cleanup.Step {
	var steps []cleanup.Step
	for index, action := range []cleanup.Action{
		cleanup.EndLeftovers{Grace: time.Second},
		cleanup.RemoveSharedMemory{},
		cleanup.Synchronize{},
		cleanup.ReleaseCachedMemory{},
		cleanup.ResetContexts{},
		cleanup.AwaitMemory{Tolerance: 1 << 40, Timeout: 2 * time.Second},
		cleanup.AwaitTemperature{AtMost: 45, Timeout: 3 * time.Second},
		cleanup.AwaitIdle{AtMost: 5, Timeout: 4 * time.Second},
		cleanup.Probe{Allocate: 1 << 33, Timeout: 5 * time.Second},
		cleanup.Pause{Time: 6 * time.Second},
		cleanup.RunHook{Name: "settle"},
	} {
		report, err := gpu.Perform(action)
		steps = append(steps,
			cleanup.Step{Action: action, IfItFails: cleanup.Consequence(index % 3)},
			cleanup.Step{Action: cleanup.RunHook{Name: fmt.Sprintf("%+v %v %d", report, err, after.Number)}})
	}
	// The host lets a policy perform and plan 32 actions in all.
	return steps[:21]
}

func init() { policy.Export(reprieve.Info{Name: "mirror"}, mirror{}) }

func main() {}
