//! Memory for an instance that lives for one call.
//!
//! The host drops the instance, and all of its memory, after each call. So
//! nothing is worth freeing: an allocation is an addition, and what a general
//! allocator spends on lists of free blocks is saved, in time and in code.
//!
//! The price: memory that a policy frees in the middle of a call does not come
//! back within that call. A policy that allocates a lot turns the crate's
//! feature `bump-allocator` off.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::{Cell, UnsafeCell};

/// Enough for the questions of most studies, so that memory need not grow. It
/// costs nothing until it is touched: it is zero in the module, and the
/// operating system gives pages on first use.
const ARENA_BYTES: usize = 128 * 1024;
const PAGE_BYTES: usize = 64 * 1024;

#[global_allocator]
static BUMP: Bump = Bump { arena: UnsafeCell::new([0; ARENA_BYTES]), next: Cell::new(0), end: Cell::new(0) };

struct Bump {
    arena: UnsafeCell<[u8; ARENA_BYTES]>,
    /// Address of the first free byte; 0 before the first allocation.
    next: Cell<usize>,
    /// Address after the last free byte.
    end: Cell<usize>,
}

// SAFETY: a component without shared memory has one thread.
unsafe impl Sync for Bump {}

impl Bump {
    /// Makes room for this many bytes after `next`, or says that there is none.
    #[cold]
    fn grow(&self, bytes: usize) -> Option<()> {
        if self.next.get() == 0 {
            self.next.set(self.arena.get().addr());
            self.end.set(self.arena.get().addr() + ARENA_BYTES);
            return Some(());
        }
        let pages = bytes.div_ceil(PAGE_BYTES);
        let grown = core::arch::wasm32::memory_grow(0, pages);
        if grown == usize::MAX {
            return None;
        }
        let start = grown * PAGE_BYTES;
        // Somebody else may have grown the memory meanwhile: then what is left
        // of the old region is given up.
        if start != self.end.get() {
            self.next.set(start);
        }
        self.end.set(start + pages * PAGE_BYTES);
        Some(())
    }
}

// SAFETY: each address is handed out at most once, aligned, and inside the
// arena or memory that was grown for it.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        loop {
            let start = (self.next.get() + layout.align() - 1) & !(layout.align() - 1);
            if let Some(after) = start.checked_add(layout.size())
                && after <= self.end.get()
            {
                self.next.set(after);
                return core::ptr::with_exposed_provenance_mut(start);
            }
            let Some(bytes) = layout.size().checked_add(layout.align()) else { return core::ptr::null_mut() };
            if self.grow(bytes).is_none() {
                return core::ptr::null_mut();
            }
        }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as for `alloc`. Memory is zero until it is handed out, and
        // no byte is handed out twice.
        unsafe { self.alloc(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let start = old.addr();
        // What was handed out last grows in place: most growing strings do.
        if start + layout.size() == self.next.get()
            && let Some(after) = start.checked_add(new_size)
            && new_size >= layout.size()
            && after <= self.end.get()
        {
            self.next.set(after);
            return old;
        }
        if new_size <= layout.size() {
            return old;
        }
        // SAFETY: the caller promises that the new size is valid for the
        // alignment, and that `old` holds `layout.size()` bytes, fewer than the new.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(new_size, layout.align()));
            if !new.is_null() {
                core::ptr::copy_nonoverlapping(old, new, layout.size());
            }
            new
        }
    }
}
