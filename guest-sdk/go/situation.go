package reprieve

import "time"

// Experiment is the experiment that is judged.
type Experiment struct {
	// Name is unique in its study.
	Name string
	// Parameters are as the study file writes them, with the overrides of
	// earlier decisions applied.
	Parameters map[string]string
	// Adjustable names the parameters that a decision may override.
	Adjustable []string
	// Labels are the study's for it.
	Labels map[string]string
	// Devices is how many it holds.
	Devices uint32
	// Seed is randomness for this call: the same call sees the same seed again.
	Seed uint64
}

// Attempt is one attempt that has ended.
type Attempt struct {
	// Number counts from 1 for the experiment's first attempt at this stage.
	Number uint32
	// Stage is what it ran.
	Stage Stage
	// Ending is how its process ended.
	Ending Ending
	// Failure is nil where the attempt succeeded.
	Failure *Failure
	// WaitedFor is the delay that was decided before it.
	WaitedFor time.Duration
	// RanFor is from its process's start to its end.
	RanFor time.Duration
	// StderrTail is the end of standard error.
	StderrTail string
	// StdoutTail is the end of standard output.
	StdoutTail string
	// SelfReport is what it said of its failure itself, or nil.
	SelfReport *SelfReport
	// Faults are those that the driver recorded meanwhile, oldest first.
	Faults []DeviceFault
	// Memory is empty where the machine has no readable device.
	Memory []DeviceMemoryUse
	// ForeignProcesses counts those of others that were seen on the leased devices.
	ForeignProcesses uint32
	// ThrottledFor is how long the devices ran below their clocks for heat or power.
	ThrottledFor time.Duration
	// Facts is what else the host knows. Later hosts add names.
	Facts map[string]string
}

// Stage is the part of an experiment that an attempt ran.
type Stage string

// The stages, in order.
const (
	StagePrepare Stage = "prepare"
	StageMeasure Stage = "measure"
	StageFinish  Stage = "finish"
)

// Ending is how an attempt's process ended: [Exited], [Signalled], [TimedOut],
// [FellSilent], [NotStarted] or [Lost].
type Ending interface{ ending() }

type (
	// Exited says that it exited with this code.
	Exited struct{ Code int32 }
	// Signalled says that this signal ended it.
	Signalled struct{ Signal int32 }
	// TimedOut says that it ran past the attempt's time limit.
	TimedOut struct{}
	// FellSilent says that it printed nothing for longer than the silence limit.
	FellSilent struct{}
	// NotStarted says that it could not be started, and why.
	NotStarted struct{ Reason string }
	// Lost says that it was still running when its host or node went away.
	Lost struct{}
)

func (Exited) ending()     {}
func (Signalled) ending()  {}
func (TimedOut) ending()   {}
func (FellSilent) ending() {}
func (NotStarted) ending() {}
func (Lost) ending()       {}

// Failure is what the host takes the cause of a failure to be, and why.
type Failure struct {
	// Class is what the evidence points to.
	Class FailureClass
	// Evidence is one line: the line of output, the signal, the limit.
	Evidence string
}

// SelfReport is what an experiment said of its failure itself.
type SelfReport struct {
	// Retryable is whether it called the failure worth retrying; nil where it did not say.
	Retryable *bool
	// Kind is the error's type, as the program names it; may be empty.
	Kind string
	// Message is the error's text; may be empty.
	Message string
}

// DeviceFault is a fault that the driver recorded.
type DeviceFault struct {
	// Device is the position among the leased devices.
	Device uint32
	// Xid is NVIDIA's number.
	Xid uint64
}

// DeviceMemoryUse is a device's memory around an attempt, in bytes.
type DeviceMemoryUse struct {
	// Device is the position among the leased devices.
	Device uint32
	// Baseline was used before the study's first attempt on this device.
	Baseline uint64
	// Peak is the most that was seen in use during the attempt.
	Peak uint64
	// Residual was used when the attempt's processes had gone.
	Residual uint64
}

// Progress is the study so far.
type Progress struct {
	// Succeeded counts experiments.
	Succeeded uint32
	// Failed counts experiments that failed for good.
	Failed uint32
	// Remaining counts experiments that have not ended, the current one too.
	Remaining uint32
	// Retries counts those that policies have decided in the study so far.
	Retries uint32
	// FailedInARow counts experiments, the current one not.
	FailedInARow uint32
	// Elapsed is since the study started.
	Elapsed time.Duration
}
