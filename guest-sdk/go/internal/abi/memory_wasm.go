package abi

import (
	"strings"
	"unsafe"
)

// Allocate is memory at an address that is a multiple of 8. It stays: the
// collector does not run.
func Allocate(size uint32) unsafe.Pointer {
	return unsafe.Pointer(unsafe.SliceData(make([]uint64, size/8+1)))
}

// A reader goes through a record's fields in their order.
type reader struct{ at uint32 }

func (r *reader) align(to uint32) {
	r.at = (r.at + to - 1) &^ (to - 1)
}

func take[T any](r *reader) T {
	size := uint32(unsafe.Sizeof(*new(T)))
	r.align(size)
	value := *(*T)(unsafe.Add(nil, r.at))
	r.at += size
	return value
}

func (r *reader) u8() uint8   { return take[uint8](r) }
func (r *reader) u32() uint32 { return take[uint32](r) }
func (r *reader) u64() uint64 { return take[uint64](r) }

func (r *reader) string() string {
	address, length := r.u32(), r.u32()
	return unsafe.String((*byte)(unsafe.Add(nil, address)), length)
}

// list reads a list whose items take this many bytes.
func list[T any](r *reader, size uint32, item func(*reader) T) []T {
	address, length := r.u32(), r.u32()
	items := make([]T, length)
	for index := range items {
		items[index] = item(&reader{address + uint32(index)*size})
	}
	return items
}

// option reads a value that may be missing, and takes this many bytes where it is there.
func option[T any](r *reader, align, size uint32, some func(*reader) T) *T {
	is := r.u8() == 1
	r.align(align)
	inside := *r
	r.at += size
	if !is {
		return nil
	}
	value := some(&inside)
	return &value
}

// A block is memory that a result is written to, at offsets of its start.
type block struct{ start unsafe.Pointer }

func newBlock(size uint32) block {
	return block{Allocate(size)}
}

func (b block) u8(offset uintptr, value uint8)   { *(*uint8)(unsafe.Add(b.start, offset)) = value }
func (b block) u32(offset uintptr, value uint32) { *(*uint32)(unsafe.Add(b.start, offset)) = value }
func (b block) u64(offset uintptr, value uint64) { *(*uint64)(unsafe.Add(b.start, offset)) = value }

// string writes a text. The contract has UTF-8 only.
func (b block) string(offset uintptr, value string) {
	value = strings.ToValidUTF8(value, "\uFFFD")
	b.u32(offset, uint32(uintptr(unsafe.Pointer(unsafe.StringData(value)))))
	b.u32(offset+4, uint32(len(value)))
}

// list makes place for a list, and writes where it is.
func (b block) list(offset uintptr, length int, size uint32) block {
	items := newBlock(uint32(length) * size)
	b.u32(offset, uint32(uintptr(items.start)))
	b.u32(offset+4, uint32(length))
	return items
}

func (b block) part(offset uintptr) block {
	return block{unsafe.Add(b.start, offset)}
}
