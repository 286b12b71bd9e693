//go:build !wasm

package gpu

import (
	"errors"
	"fmt"

	"reprieve/cleanup"
)

// Count is how many devices the experiment holds.
func Count() uint32 {
	return 0
}

// Read reads one device, by its position among the leased devices.
func Read(device uint32) (Status, error) {
	return Status{}, fmt.Errorf("%w: the policy runs outside a host", ErrUnavailable)
}

// Perform runs an action now. It fails with the host's reason where the study
// does not allow it, and only a policy that plans may ask for it.
func Perform(action cleanup.Action) (Report, error) {
	return Report{}, errors.New("the policy runs outside a host")
}
