package reprieve

import "time"

// Decision is what follows an attempt: [Accept], [Retry], [GiveUp] or
// [StopStudy].
type Decision interface{ decision() }

type (
	// Accept takes the attempt's outcome as the stage's outcome.
	Accept struct{}

	// Retry runs the stage again: on whichever devices are free first, and as
	// soon as one is, unless it says otherwise.
	Retry struct {
		// After is how long the host's scheduler waits first, in whole
		// milliseconds. Devices are free meanwhile.
		After time.Duration
		// Reason is why, in one line for people.
		Reason string
		// Overrides replace values of adjustable parameters.
		Overrides map[string]string
		// Placement is which devices the next attempt may use.
		Placement Placement
		// Turn is when it takes its turn once its delay has passed.
		Turn Turn
	}

	// GiveUp says that the experiment has failed, for this reason. The study goes on.
	GiveUp struct{ Reason string }

	// StopStudy starts no further experiment, for this reason.
	StopStudy struct{ Reason string }
)

func (Accept) decision()    {}
func (Retry) decision()     {}
func (GiveUp) decision()    {}
func (StopStudy) decision() {}

// Placement is which devices the next attempt may use.
type Placement uint8

const (
	// AnyDevices are whichever are free first.
	AnyDevices Placement = iota
	// SameDevices are those that the judged attempt held.
	SameDevices
	// OtherDevices are none of those that the judged attempt held.
	OtherDevices
)

// Turn is when the next attempt takes its turn.
type Turn uint8

const (
	// WhenDue is as soon as a device is free.
	WhenDue Turn = iota
	// Last is after every other experiment of the study.
	Last
)
