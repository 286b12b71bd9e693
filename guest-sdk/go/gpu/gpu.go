// Package gpu asks the host about the leased devices, and has it clean them,
// for plans that depend on what they see. Outside a host, in unit tests, there
// are no devices.
package gpu

import (
	"errors"
	"time"
)

// Why a reading cannot be had. What the host says more, the error's text has.
var (
	// ErrUnavailable says that this machine has no NVML, or that it could not be initialised.
	ErrUnavailable = errors.New("NVML is unavailable")
	// ErrNoSuchDevice says that the experiment does not hold this device.
	ErrNoSuchDevice = errors.New("no such device")
	// ErrNotSupported says that the device, or its driver, does not offer this reading.
	ErrNotSupported = errors.New("not supported")
	// ErrDeviceLost says that the device has fallen off the bus or needs a reset.
	ErrDeviceLost = errors.New("device lost")
	// ErrTransient says that NVML failed in a way that is known to pass.
	ErrTransient = errors.New("NVML failed in passing")
	// ErrOther is any other NVML error.
	ErrOther = errors.New("NVML failed")
)

// Status is a reading of one device. What is nil, the device does not offer.
type Status struct {
	// UUID is NVML's identity of the device; stays the same across restarts.
	UUID string
	// Name is the product's.
	Name string
	// Memory is in bytes.
	Memory Memory
	// Temperature is in degrees Celsius.
	Temperature *uint32
	// Power is in milliwatts.
	Power *uint32
	// Utilization is the percentage of the last sample period in which a kernel ran.
	Utilization *uint32
	// Throttled is whether heat or a power brake holds the clocks down.
	Throttled *bool
	// UncorrectedErrors counts ECC errors since the driver was loaded.
	UncorrectedErrors *uint64
	// Recovery is what the driver says the device needs before it can be relied on.
	Recovery *Recovery
	// Processes on the device, the experiment's own and others.
	Processes uint32
}

// Memory is a device's, in bytes.
type Memory struct {
	// Total is what the device has.
	Total uint64
	// Used is what is in use now, by whomever.
	Used uint64
	// Baseline was used before the study's first attempt on this device.
	Baseline uint64
}

// Recovery is what the driver recommends.
type Recovery uint8

const (
	// RecoveryNone says that nothing has to be done.
	RecoveryNone Recovery = iota
	// RecoveryResetDevice says that the device needs a reset.
	RecoveryResetDevice
	// RecoveryRestartMachine says that the machine needs a restart.
	RecoveryRestartMachine
	// RecoveryInspect is anything else: a person has to look.
	RecoveryInspect
)

// Report is what an action brought.
type Report struct {
	// Outcome is how it went.
	Outcome Outcome
	// Why is the host's reason where it was skipped or failed.
	Why string
	// Took is how long it took.
	Took time.Duration
	// Released counts the bytes that came free on the devices meanwhile.
	Released uint64
}

// Outcome is how an action went.
type Outcome uint8

const (
	// Done says that the work is done, or the goal is reached.
	Done Outcome = iota
	// Skipped says that there was nothing to do, or nothing to do it with.
	Skipped
	// Failed says that it could not be done in time, or at all.
	Failed
)
