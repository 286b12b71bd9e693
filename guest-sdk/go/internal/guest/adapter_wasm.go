package guest

import "unsafe"

// The adapter between the WASI that Go speaks and the one that components do
// needs two pages, and asks for them while the runtime starts, when nothing can
// be allocated yet. Memory that it took from the host instead, the runtime
// would take to be its own.
var (
	adapterPages [2 << 16 / 8]uint64
	adapterNext  uintptr
)

//go:wasmexport cabi_realloc_adapter
//go:nosplit
func reallocAdapter(_ unsafe.Pointer, _, _, size uintptr) unsafe.Pointer {
	start := adapterNext
	adapterNext += size
	return unsafe.Add(unsafe.Pointer(&adapterPages), start)
}
