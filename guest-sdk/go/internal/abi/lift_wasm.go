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
	r := &Reader{address}
	return experiment(r), list(r, 136, attempt), progress(r)
}

// PlanArguments reads what cleanup-policy's plan is given.
func PlanArguments(address uint32) (reprieve.Experiment, *reprieve.Attempt) {
	r := &Reader{address}
	return experiment(r), Option(r, 8, 136, attempt)
}

func experiment(r *Reader) reprieve.Experiment {
	r.Align(8)
	return reprieve.Experiment{
		Name:       r.Text(),
		Parameters: parameters(r),
		Adjustable: list(r, 8, (*Reader).Text),
		Labels:     parameters(r),
		Devices:    r.U32(),
		Seed:       r.U64(),
	}
}

func parameters(r *Reader) map[string]string {
	named := map[string]string{}
	for _, pair := range list(r, 16, func(r *Reader) [2]string { return [2]string{r.Text(), r.Text()} }) {
		named[pair[0]] = pair[1]
	}
	return named
}

func progress(r *Reader) reprieve.Progress {
	r.Align(8)
	return reprieve.Progress{
		Succeeded:    r.U32(),
		Failed:       r.U32(),
		Remaining:    r.U32(),
		Retries:      r.U32(),
		FailedInARow: r.U32(),
		Elapsed:      reprieve.Milliseconds(r.U64()),
	}
}

func attempt(r *Reader) reprieve.Attempt {
	return reprieve.Attempt{
		Number:           r.U32(),
		Stage:            stages[r.U8()],
		Ending:           ending(r),
		Failure:          Option(r, 4, 12, failure),
		WaitedFor:        reprieve.Milliseconds(r.U64()),
		RanFor:           reprieve.Milliseconds(r.U64()),
		StderrTail:       r.Text(),
		StdoutTail:       r.Text(),
		SelfReport:       Option(r, 4, 20, selfReport),
		Faults:           list(r, 16, fault),
		Memory:           list(r, 32, memoryUse),
		ForeignProcesses: r.U32(),
		ThrottledFor:     reprieve.Milliseconds(r.U64()),
		Facts:            parameters(r),
	}
}

func ending(r *Reader) reprieve.Ending {
	r.Align(4)
	kind := r.U8()
	r.Align(4)
	inside := *r
	r.at += 8
	switch kind {
	case 0:
		return reprieve.Exited{Code: int32(inside.U32())}
	case 1:
		return reprieve.Signalled{Signal: int32(inside.U32())}
	case 2:
		return reprieve.TimedOut{}
	case 3:
		return reprieve.FellSilent{}
	case 4:
		return reprieve.NotStarted{Reason: inside.Text()}
	default:
		return reprieve.Lost{}
	}
}

func failure(r *Reader) reprieve.Failure {
	return reprieve.Failure{Class: classes[r.U8()], Evidence: r.Text()}
}

func selfReport(r *Reader) reprieve.SelfReport {
	return reprieve.SelfReport{Retryable: Option(r, 1, 1, (*Reader).Bool), Kind: r.Text(), Message: r.Text()}
}

func fault(r *Reader) reprieve.DeviceFault {
	return reprieve.DeviceFault{Device: r.U32(), Xid: r.U64()}
}

func memoryUse(r *Reader) reprieve.DeviceMemoryUse {
	return reprieve.DeviceMemoryUse{Device: r.U32(), Baseline: r.U64(), Peak: r.U64(), Residual: r.U64()}
}
