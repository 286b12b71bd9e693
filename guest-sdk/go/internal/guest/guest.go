// Package guest holds the policy that a component exports, and exports what
// every policy does: who it is, and its settings.
package guest

import "reprieve"

var (
	// Info is who the policy is.
	Info reprieve.Info
	// Policy is the policy itself.
	Policy any
)

// Keep has this policy exported.
func Keep(info reprieve.Info, policy any) {
	Info, Policy = info, policy
}
