package cleanuponly

import (
	"unsafe"

	"reprieve"
	"reprieve/internal/abi"
	"reprieve/internal/guest"
)

//go:wasmexport reprieve:policy/cleanup-policy@0.1.0#plan
func plan(arguments uint32) unsafe.Pointer {
	defer guest.Tell()
	return abi.Steps(guest.Policy.(reprieve.Planner).Plan(abi.PlanArguments(arguments)))
}
