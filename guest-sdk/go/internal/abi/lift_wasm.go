package abi

import (
	"reprieve"
)

var (
	classes = reprieve.FailureClasses()
	stages  = []reprieve.Stage{reprieve.StagePrepare, reprieve.StageMeasure, reprieve.StageFinish}
)

// DecideArguments reads what retry-policy's decide is given.
func DecideArguments(address uint32) (reprieve.Experiment, reprieve.Attempts, reprieve.Progress) {
	r := &reader{address}
	return experiment(r), list(r, 136, attempt), progress(r)
}

// PlanArguments reads what cleanup-policy's plan is given.
func PlanArguments(address uint32) (reprieve.Experiment, *reprieve.Attempt) {
	r := &reader{address}
	return experiment(r), option(r, 8, 136, attempt)
}

func experiment(r *reader) reprieve.Experiment {
	r.align(8)
	return reprieve.Experiment{
		Name:       r.string(),
		Parameters: parameters(r),
		Adjustable: list(r, 8, (*reader).string),
		Labels:     parameters(r),
		Devices:    r.u32(),
		Seed:       r.u64(),
	}
}

func parameters(r *reader) map[string]string {
	named := map[string]string{}
	for _, pair := range list(r, 16, func(r *reader) [2]string { return [2]string{r.string(), r.string()} }) {
		named[pair[0]] = pair[1]
	}
	return named
}

func progress(r *reader) reprieve.Progress {
	r.align(8)
	return reprieve.Progress{
		Succeeded:    r.u32(),
		Failed:       r.u32(),
		Remaining:    r.u32(),
		Retries:      r.u32(),
		FailedInARow: r.u32(),
		Elapsed:      reprieve.Milliseconds(r.u64()),
	}
}

func attempt(r *reader) reprieve.Attempt {
	return reprieve.Attempt{
		Number:           r.u32(),
		Stage:            stages[r.u8()],
		Ending:           ending(r),
		Failure:          option(r, 4, 12, failure),
		WaitedFor:        reprieve.Milliseconds(r.u64()),
		RanFor:           reprieve.Milliseconds(r.u64()),
		StderrTail:       r.string(),
		StdoutTail:       r.string(),
		SelfReport:       option(r, 4, 20, selfReport),
		Faults:           list(r, 16, fault),
		Memory:           list(r, 32, memoryUse),
		ForeignProcesses: r.u32(),
		ThrottledFor:     reprieve.Milliseconds(r.u64()),
		Facts:            parameters(r),
	}
}

func ending(r *reader) reprieve.Ending {
	r.align(4)
	kind := r.u8()
	r.align(4)
	inside := *r
	r.at += 8
	switch kind {
	case 0:
		return reprieve.Exited{Code: int32(inside.u32())}
	case 1:
		return reprieve.Signalled{Signal: int32(inside.u32())}
	case 2:
		return reprieve.TimedOut{}
	case 3:
		return reprieve.FellSilent{}
	case 4:
		return reprieve.NotStarted{Reason: inside.string()}
	default:
		return reprieve.Lost{}
	}
}

func failure(r *reader) reprieve.Failure {
	return reprieve.Failure{Class: classes[r.u8()], Evidence: r.string()}
}

func selfReport(r *reader) reprieve.SelfReport {
	return reprieve.SelfReport{Retryable: option(r, 1, 1, boolean), Kind: r.string(), Message: r.string()}
}

func boolean(r *reader) bool {
	return r.u8() == 1
}

func fault(r *reader) reprieve.DeviceFault {
	return reprieve.DeviceFault{Device: r.u32(), Xid: r.u64()}
}

func memoryUse(r *reader) reprieve.DeviceMemoryUse {
	return reprieve.DeviceMemoryUse{Device: r.u32(), Baseline: r.u64(), Peak: r.u64(), Residual: r.u64()}
}
