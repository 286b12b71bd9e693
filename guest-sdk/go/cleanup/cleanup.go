// Package cleanup has the steps that a policy plans. The host bounds each,
// carries it out, and records what it brought.
package cleanup

import "time"

// Step is one action of a plan.
type Step struct {
	// Action is what to do.
	Action Action
	// IfItFails is what becomes of the study where that fails.
	IfItFails Consequence
}

// Consequence is what becomes of the study where a step fails.
type Consequence uint8

const (
	// CarryOn records the failure and goes on.
	CarryOn Consequence = iota
	// QuarantineDevice gives the device no further experiments.
	QuarantineDevice
	// StopStudy starts no further experiment.
	StopStudy
)

// Action is one piece of work, on every leased device unless it says otherwise.
type Action interface{ action() }

type (
	// EndLeftovers ends what the experiment left running: a termination
	// signal, this grace, then a kill.
	EndLeftovers struct{ Grace time.Duration }

	// RemoveSharedMemory removes the shared-memory files that the experiment left behind.
	RemoveSharedMemory struct{}

	// Synchronize waits until the work queued in the host's own contexts is done.
	Synchronize struct{}

	// ReleaseCachedMemory gives the memory that the host's own allocators cache
	// back to the device.
	ReleaseCachedMemory struct{}

	// ResetContexts destroys the host's own contexts on the devices, and all they hold.
	ResetContexts struct{}

	// AwaitMemory waits until used memory is back at the baseline.
	AwaitMemory struct {
		// Tolerance is in bytes: what still counts as clean above the baseline.
		Tolerance uint64
		// Timeout is how long to wait for it.
		Timeout time.Duration
	}

	// AwaitTemperature waits until the devices have cooled.
	AwaitTemperature struct {
		// AtMost is in degrees Celsius.
		AtMost uint32
		// Timeout is how long to wait for it.
		Timeout time.Duration
	}

	// AwaitIdle waits until the devices are idle.
	AwaitIdle struct {
		// AtMost is in percent utilization.
		AtMost uint32
		// Timeout is how long to wait for it.
		Timeout time.Duration
	}

	// Probe proves the devices usable, from a process of its own.
	Probe struct {
		// Allocate is in bytes, for example what the next experiment needs.
		Allocate uint64
		// Timeout is how long to wait for it.
		Timeout time.Duration
	}

	// Pause lets this much time pass.
	Pause struct{ Time time.Duration }

	// RunHook runs a command that the study declares under this name.
	RunHook struct{ Name string }
)

func (EndLeftovers) action()        {}
func (RemoveSharedMemory) action()  {}
func (Synchronize) action()         {}
func (ReleaseCachedMemory) action() {}
func (ResetContexts) action()       {}
func (AwaitMemory) action()         {}
func (AwaitTemperature) action()    {}
func (AwaitIdle) action()           {}
func (Probe) action()               {}
func (Pause) action()               {}
func (RunHook) action()             {}
