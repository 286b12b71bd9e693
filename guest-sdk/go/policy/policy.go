// Package policy makes a component of a policy with both roles.
package policy

import (
	"reprieve"
	_ "reprieve/cleanuponly" // exports plan
	"reprieve/internal/guest"
	_ "reprieve/retryonly" // exports decide
)

// Export makes this policy the component's. Call it once, in a func init.
// Outside a component, in unit tests, it does nothing.
//
// A policy with settings is a pointer to a struct, see [reprieve.Configure].
func Export(info reprieve.Info, policy interface {
	reprieve.Decider
	reprieve.Planner
}) {
	guest.Keep(info, policy)
}
