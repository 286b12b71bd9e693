package gpu

import (
	"errors"
	"fmt"
	"unsafe"

	"reprieve"
	"reprieve/cleanup"
	"reprieve/internal/abi"
)

//go:wasmimport reprieve:policy/nvml-status@0.1.0 device-count
func deviceCount() uint32

//go:wasmimport reprieve:policy/nvml-status@0.1.0 read
func read(device uint32, answer unsafe.Pointer)

//go:wasmimport reprieve:policy/gpu-cleanup@0.1.0 perform
func perform(kind uint32, first, second uint64, answer unsafe.Pointer)

// Count is how many devices the experiment holds.
func Count() uint32 {
	return deviceCount()
}

// Read reads one device, by its position among the leased devices.
func Read(device uint32) (Status, error) {
	answer := abi.Allocate(104)
	read(device, answer)
	r := abi.NewReader(answer)
	failed := r.U8() == 1
	r.Align(8)
	if failed {
		return Status{}, statusError(r)
	}
	return Status{
		UUID:              r.Text(),
		Name:              r.Text(),
		Memory:            Memory{Total: r.U64(), Used: r.U64(), Baseline: r.U64()},
		Temperature:       abi.Option(r, 4, 4, (*abi.Reader).U32),
		Power:             abi.Option(r, 4, 4, (*abi.Reader).U32),
		Utilization:       abi.Option(r, 4, 4, (*abi.Reader).U32),
		Throttled:         abi.Option(r, 1, 1, (*abi.Reader).Bool),
		UncorrectedErrors: abi.Option(r, 8, 8, (*abi.Reader).U64),
		Recovery:          abi.Option(r, 1, 1, func(r *abi.Reader) Recovery { return Recovery(r.U8()) }),
		Processes:         r.U32(),
	}, nil
}

func statusError(r *abi.Reader) error {
	kinds := []error{ErrUnavailable, ErrNoSuchDevice, ErrNotSupported, ErrDeviceLost, ErrTransient, ErrOther}
	kind := kinds[r.U8()]
	switch kind {
	case ErrUnavailable, ErrTransient, ErrOther:
		r.Align(4)
		return fmt.Errorf("%w: %s", kind, r.Text())
	default:
		return kind
	}
}

// Perform runs an action now. It fails with the host's reason where the study
// does not allow it, and only a policy that plans may ask for it.
func Perform(action cleanup.Action) (Report, error) {
	answer := abi.Allocate(40)
	kind, first, second := abi.Action(action)
	perform(kind, first, second, answer)
	r := abi.NewReader(answer)
	refused := r.U8() == 1
	r.Align(8)
	if refused {
		return Report{}, errors.New(r.Text())
	}
	report := Report{Outcome: Outcome(r.U8())}
	r.Align(4)
	if why := r.Text(); report.Outcome != Done {
		report.Why = why
	}
	report.Took, report.Released = reprieve.Milliseconds(r.U64()), r.U64()
	return report, nil
}
