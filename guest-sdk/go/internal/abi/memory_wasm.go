package abi

import (
	"strings"
	"unsafe"
)

// Allocate is memory at an address that is a multiple of 8. It stays: the
// collector does not run. Inlined, a small one could lie on a stack.
//
//go:noinline
func Allocate(size uint32) unsafe.Pointer {
	return unsafe.Pointer(unsafe.SliceData(make([]uint64, size/8+1)))
}

// Reader goes through a record's fields in their order.
type Reader struct{ at uint32 }

// NewReader starts at an address.
func NewReader(start unsafe.Pointer) *Reader {
	return &Reader{uint32(uintptr(start))}
}

// Align passes over padding.
func (r *Reader) Align(to uint32) {
	r.at = (r.at + to - 1) &^ (to - 1)
}

func take[T any](r *Reader) T {
	size := uint32(unsafe.Sizeof(*new(T)))
	r.Align(size)
	value := *(*T)(unsafe.Add(nil, r.at))
	r.at += size
	return value
}

// U8 reads a byte, or which case a variant is of.
func (r *Reader) U8() uint8 { return take[uint8](r) }

// U32 reads a u32.
func (r *Reader) U32() uint32 { return take[uint32](r) }

// U64 reads a u64.
func (r *Reader) U64() uint64 { return take[uint64](r) }

// Bool reads a bool.
func (r *Reader) Bool() bool { return r.U8() == 1 }

// Text reads a string.
func (r *Reader) Text() string {
	address, length := r.U32(), r.U32()
	return unsafe.String((*byte)(unsafe.Add(nil, address)), length)
}

// list reads a list whose items take this many bytes.
func list[T any](r *Reader, size uint32, item func(*Reader) T) []T {
	address, length := r.U32(), r.U32()
	items := make([]T, length)
	for index := range items {
		items[index] = item(&Reader{address + uint32(index)*size})
	}
	return items
}

// Option reads a value that may be missing, and takes this many bytes where it is there.
func Option[T any](r *Reader, align, size uint32, some func(*Reader) T) *T {
	r.Align(align)
	is := r.U8() == 1
	r.Align(align)
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

// string writes a copy of a text, whose own bytes may lie on a stack. The
// contract has UTF-8 only.
func (b block) string(offset uintptr, value string) {
	value = strings.ToValidUTF8(value, "\uFFFD")
	text := newBlock(uint32(len(value)))
	copy(unsafe.Slice((*byte)(text.start), len(value)), value)
	b.u32(offset, uint32(uintptr(text.start)))
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
