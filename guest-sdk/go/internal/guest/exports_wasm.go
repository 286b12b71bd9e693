package guest

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"unsafe"

	"reprieve"
	"reprieve/internal/abi"
)

// The collector reads the clock, which is an import, and while the host
// allocates arguments no import may be called. An instance lives for one call,
// so there is nothing worth collecting.
func init() {
	debug.SetGCPercent(-1)
}

//go:wasmexport cabi_realloc
func realloc(old unsafe.Pointer, oldSize, _, size uint32) unsafe.Pointer {
	fresh := abi.Allocate(size)
	copy(unsafe.Slice((*byte)(fresh), size), unsafe.Slice((*byte)(old), oldSize))
	return fresh
}

//go:wasmexport reprieve:policy/guest@0.1.0#describe
func describe() unsafe.Pointer {
	defer Tell()
	if Policy == nil {
		panic("there is no policy: call Export in a func init")
	}
	info := Info
	info.SettingsSchema = cmp.Or(info.SettingsSchema, reprieve.Schema(Policy))
	return abi.Info(info)
}

//go:wasmexport reprieve:policy/guest@0.1.0#configure
func configure(address unsafe.Pointer, length uint32) unsafe.Pointer {
	defer Tell()
	return abi.Refusal(reprieve.Configure(Policy, unsafe.String((*byte)(address), length)))
}

// Tell, deferred by an export, has a panic told in its author's terms: the host
// keeps what is last written.
func Tell() {
	told := recover()
	if told == nil {
		return
	}
	debug.PrintStack()
	fmt.Fprintf(os.Stderr, "panic: %v%s\n", told, place())
	os.Exit(2)
}

// place is where the panic that is being told began, in the author's own code.
func place() string {
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	panicked := false
	for {
		frame, more := frames.Next()
		inside := strings.HasPrefix(frame.Function, "runtime.") || strings.HasPrefix(frame.Function, "reprieve")
		if panicked && !inside {
			return fmt.Sprintf(", in %s, line %d", filepath.Base(frame.File), frame.Line)
		}
		panicked = panicked || frame.Function == "runtime.gopanic"
		if !more {
			return ""
		}
	}
}
