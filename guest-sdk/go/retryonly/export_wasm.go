package retryonly

import (
	"unsafe"

	"reprieve"
	"reprieve/internal/abi"
	"reprieve/internal/guest"
)

//go:wasmexport reprieve:policy/retry-policy@0.1.0#decide
func decide(arguments uint32) unsafe.Pointer {
	defer guest.Tell()
	return abi.Decision(guest.Policy.(reprieve.Decider).Decide(abi.DecideArguments(arguments)))
}
