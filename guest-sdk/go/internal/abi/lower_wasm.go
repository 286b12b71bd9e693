package abi

import (
	"fmt"
	"maps"
	"slices"
	"time"
	"unsafe"

	"reprieve"
	"reprieve/cleanup"
)

// Info writes what guest's describe answers.
func Info(info reprieve.Info) unsafe.Pointer {
	b := newBlock(36)
	b.string(0, info.Name)
	b.string(8, info.Version)
	b.string(16, info.Summary)
	if info.SettingsSchema != "" {
		b.u8(24, 1)
		b.string(28, info.SettingsSchema)
	}
	return b.start
}

// Refusal writes what guest's configure answers: nothing, where the error is nil.
func Refusal(err error) unsafe.Pointer {
	b := newBlock(12)
	if err != nil {
		b.u8(0, 1)
		b.string(4, err.Error())
	}
	return b.start
}

// Decision writes what retry-policy's decide answers.
func Decision(decision reprieve.Decision) unsafe.Pointer {
	b := newBlock(40)
	switch decision := decision.(type) {
	case reprieve.Accept:
		b.u8(0, 0)
	case reprieve.Retry:
		b.u8(0, 1)
		retry(b.part(8), decision)
	case reprieve.GiveUp:
		b.u8(0, 2)
		b.string(8, decision.Reason)
	case reprieve.StopStudy:
		b.u8(0, 3)
		b.string(8, decision.Reason)
	default:
		panic(fmt.Sprintf("Decide returned %#v, which is no decision", decision))
	}
	return b.start
}

func retry(b block, retry reprieve.Retry) {
	b.u64(0, milliseconds(retry.After))
	b.u8(8, map[reprieve.Placement]uint8{reprieve.OtherDevices: 1, reprieve.AnyDevices: 2}[retry.Placement])
	b.u8(9, uint8(retry.Turn))
	// In the names' order, so that equal decisions are equal to the byte.
	names := slices.Sorted(maps.Keys(retry.Overrides))
	items := b.list(12, len(names), 16)
	for index, name := range names {
		items.string(uintptr(index)*16, name)
		items.string(uintptr(index)*16+8, retry.Overrides[name])
	}
	b.string(20, retry.Reason)
}

// Steps writes what cleanup-policy's plan answers.
func Steps(steps []cleanup.Step) unsafe.Pointer {
	b := newBlock(8)
	items := b.list(0, len(steps), 32)
	for index, step := range steps {
		b := items.part(uintptr(index) * 32)
		kind, first, second := Action(step.Action)
		b.u8(0, uint8(kind))
		if _, named := step.Action.(cleanup.RunHook); named {
			first |= second << 32
		}
		b.u64(8, first)
		b.u64(16, second)
		b.u8(24, uint8(step.IfItFails))
	}
	return b.start
}

// Action is an action as an imported function takes it: its kind, and at most
// two values.
func Action(action cleanup.Action) (kind uint32, first, second uint64) {
	switch action := action.(type) {
	case cleanup.EndLeftovers:
		return 0, milliseconds(action.Grace), 0
	case cleanup.RemoveSharedMemory:
		return 1, 0, 0
	case cleanup.Synchronize:
		return 2, 0, 0
	case cleanup.ReleaseCachedMemory:
		return 3, 0, 0
	case cleanup.ResetContexts:
		return 4, 0, 0
	case cleanup.AwaitMemory:
		return 5, action.Tolerance, milliseconds(action.Timeout)
	case cleanup.AwaitTemperature:
		return 6, uint64(action.AtMost), milliseconds(action.Timeout)
	case cleanup.AwaitIdle:
		return 7, uint64(action.AtMost), milliseconds(action.Timeout)
	case cleanup.Probe:
		return 8, action.Allocate, milliseconds(action.Timeout)
	case cleanup.Pause:
		return 9, milliseconds(action.Time), 0
	case cleanup.RunHook:
		text := newBlock(8)
		text.string(0, action.Name)
		r := Reader{uint32(uintptr(text.start))}
		return 10, uint64(r.U32()), uint64(r.U32())
	default:
		panic(fmt.Sprintf("a step's action is %#v, which is none", action))
	}
}

func milliseconds(span time.Duration) uint64 {
	if span < 0 {
		panic(fmt.Sprintf("`%s` is no span of time, expected 0 or more", span))
	}
	return uint64(span / time.Millisecond)
}
