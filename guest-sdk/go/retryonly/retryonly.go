// Package retryonly makes a component of a policy that only decides, and leaves
// the study's cleanup as it is.
package retryonly

import (
	"reprieve"
	"reprieve/internal/guest"
)

// Export makes this policy the component's. Call it once, in a func init.
// Outside a component, in unit tests, it does nothing.
//
// A policy with settings is a pointer to a struct, see [reprieve.Configure].
func Export(info reprieve.Info, policy reprieve.Decider) {
	guest.Keep(info, policy)
}
