package reprieve

import (
	"fmt"
	"slices"
)

// FailureClass is what the host takes the cause of a failure to be; its text is
// the name in settings. What each means is in the contract, wit/types.wit.
type FailureClass string

// The classes, in the contract's order.
const (
	ClassNetwork         FailureClass = "network"
	ClassRateLimited     FailureClass = "rate-limited"
	ClassDriverTransient FailureClass = "driver-transient"
	ClassCommunication   FailureClass = "communication"
	ClassDeviceMemory    FailureClass = "device-memory"
	ClassDeviceOccupied  FailureClass = "device-occupied"
	ClassHostMemory      FailureClass = "host-memory"
	ClassDeviceProgram   FailureClass = "device-program"
	ClassDeviceHardware  FailureClass = "device-hardware"
	ClassHang            FailureClass = "hang"
	ClassCrash           FailureClass = "crash"
	ClassStorage         FailureClass = "storage"
	ClassAccess          FailureClass = "access"
	ClassConfiguration   FailureClass = "configuration"
	ClassCancelled       FailureClass = "cancelled"
	ClassUnknown         FailureClass = "unknown"
)

// FailureClasses returns all of them, in the contract's order.
func FailureClasses() []FailureClass {
	return []FailureClass{
		ClassNetwork, ClassRateLimited, ClassDriverTransient, ClassCommunication,
		ClassDeviceMemory, ClassDeviceOccupied, ClassHostMemory, ClassDeviceProgram,
		ClassDeviceHardware, ClassHang, ClassCrash, ClassStorage,
		ClassAccess, ClassConfiguration, ClassCancelled, ClassUnknown,
	}
}

// UnmarshalText reads a class in settings, and refuses what is none.
func (c *FailureClass) UnmarshalText(text []byte) error {
	*c = FailureClass(text)
	if !slices.Contains(FailureClasses(), *c) {
		return fmt.Errorf("`%s` is no failure class", text)
	}
	return nil
}
