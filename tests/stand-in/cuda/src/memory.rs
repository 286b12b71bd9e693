//! Memory on a device, and copies from and to it.
//!
//! The host's memory stands for the pages that were written to, so that an
//! allocation may be larger than the machine that the tests run on.

use std::collections::BTreeMap;
use std::ffi::{c_uchar, c_void};
use std::ops::Range;

use crate::call::{About, Call, call, put};
use crate::error::{Code, INVALID_VALUE};

const PAGE_BYTES: usize = 64 << 10;

/// Where addresses begin, and what they are multiples of.
const FIRST_ADDRESS: u64 = 0x7f00_0000_0000;
const ALIGNMENT: u64 = 2 << 20;

/// Something allocated.
pub(crate) struct Allocation {
    pub(crate) bytes: u64,
    /// Whether it is of the pool.
    pub(crate) pooled: bool,
    /// What stands on the pages that are not here.
    fill: u8,
    pages: BTreeMap<u64, Vec<u8>>,
}

/// A piece of some bytes that lies on one page.
struct Piece {
    page: u64,
    on_page: Range<usize>,
    of_bytes: Range<usize>,
}

/// The pieces of so many bytes from this place on.
fn pieces(offset: u64, bytes: usize) -> impl Iterator<Item = Piece> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let (at, page_bytes) = (offset + done as u64, PAGE_BYTES as u64);
        let begin = usize::try_from(at % page_bytes).expect("it is within a page");
        let length = (PAGE_BYTES - begin).min(bytes - done);
        let of_bytes = done..done + length;
        done += length;
        (length > 0).then(|| Piece { page: at / page_bytes, on_page: begin..begin + length, of_bytes })
    })
}

impl Allocation {
    fn page(&mut self, page: u64) -> &mut Vec<u8> {
        let fill = self.fill;
        self.pages.entry(page).or_insert_with(|| vec![fill; PAGE_BYTES])
    }
}

impl Call<'_> {
    /// Allocates, and answers with the address.
    pub(crate) fn allocate(&mut self, bytes: usize, pooled: bool) -> Result<u64, Code> {
        let bytes = u64::try_from(bytes).expect("it is a 64-bit machine");
        if bytes == 0 {
            return Err(INVALID_VALUE);
        }
        self.context()?;
        self.hold(bytes)?;
        let allocations = &mut self.context()?.allocations;
        let end = allocations.last_key_value().map_or(FIRST_ADDRESS, |(address, last)| address + last.bytes);
        let address = end.next_multiple_of(ALIGNMENT);
        let new = Allocation { bytes, pooled, fill: 0, pages: BTreeMap::new() };
        allocations.insert(address, new);
        Ok(address)
    }

    /// The allocation that these bytes of the device are of, and where in it they begin.
    fn find(&mut self, address: u64, bytes: usize) -> Result<(&mut Allocation, u64), Code> {
        let allocations = &mut self.context()?.allocations;
        let (begin, found) = allocations.range_mut(..=address).next_back().ok_or(INVALID_VALUE)?;
        let offset = address - begin;
        if bytes as u64 > found.bytes.saturating_sub(offset) {
            return Err(INVALID_VALUE);
        }
        Ok((found, offset))
    }

    fn fill(&mut self, device: u64, value: u8, bytes: usize) -> Result<(), Code> {
        let (allocation, offset) = self.find(device, bytes)?;
        if bytes as u64 == allocation.bytes {
            allocation.pages.clear();
            allocation.fill = value;
        }
        for piece in pieces(offset, bytes) {
            if allocation.pages.contains_key(&piece.page) || allocation.fill != value {
                allocation.page(piece.page)[piece.on_page].fill(value);
            }
        }
        Ok(())
    }

    /// Copies to the device.
    ///
    /// # Safety
    ///
    /// There are so many bytes to copy.
    unsafe fn write(&mut self, device: u64, host: *const c_void, bytes: usize) -> Result<(), Code> {
        let (allocation, offset) = self.find(device, bytes)?;
        if host.is_null() {
            return Err(INVALID_VALUE);
        }
        // SAFETY: the caller's promise.
        let host = unsafe { std::slice::from_raw_parts(host.cast::<u8>(), bytes) };
        for piece in pieces(offset, bytes) {
            allocation.page(piece.page)[piece.on_page].copy_from_slice(&host[piece.of_bytes]);
        }
        Ok(())
    }

    /// Copies to the host.
    ///
    /// # Safety
    ///
    /// There is room for so many bytes.
    unsafe fn read(&mut self, host: *mut c_void, device: u64, bytes: usize) -> Result<(), Code> {
        let corrupt = self.corrupt;
        let (allocation, offset) = self.find(device, bytes)?;
        if host.is_null() {
            return Err(INVALID_VALUE);
        }
        // It may be uninitialised, and then no slice of it can be made.
        // SAFETY: the caller's promise.
        unsafe { host.cast::<u8>().write_bytes(allocation.fill, bytes) };
        // SAFETY: the caller's promise; it is initialised now.
        let host = unsafe { std::slice::from_raw_parts_mut(host.cast::<u8>(), bytes) };
        for piece in pieces(offset, bytes) {
            if let Some(page) = allocation.pages.get(&piece.page) {
                host[piece.of_bytes].copy_from_slice(&page[piece.on_page]);
            }
        }
        if let Some(first) = host.first_mut().filter(|_| corrupt) {
            *first ^= 1;
        }
        Ok(())
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuMemGetInfo_v2(free: *mut usize, total: *mut usize) -> Code {
    call("cuMemGetInfo_v2", About::Current, |call| {
        call.context()?;
        let part = call.part()?;
        let [left, all] = [call.machine.free_bytes(part), part.total_bytes()]
            .map(|bytes| usize::try_from(bytes).expect("it is a 64-bit machine"));
        // SAFETY: CUDA's contract.
        unsafe { put(free, left).and_then(|()| put(total, all)) }
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuMemAlloc_v2(address: *mut u64, bytes: usize) -> Code {
    call("cuMemAlloc_v2", About::Current, |call| {
        // SAFETY: CUDA's contract.
        unsafe { put(address, call.allocate(bytes, false)?) }
    })
}

#[unsafe(no_mangle)]
extern "C" fn cuMemFree_v2(address: u64) -> Code {
    call("cuMemFree_v2", About::Current, |call| {
        call.context()?.allocations.remove(&address).ok_or(INVALID_VALUE)?;
        call.hold(0)
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuMemcpyHtoD_v2(device: u64, host: *const c_void, bytes: usize) -> Code {
    // SAFETY: CUDA's contract.
    call("cuMemcpyHtoD_v2", About::Current, |call| unsafe { call.write(device, host, bytes) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuMemcpyHtoDAsync_v2(
    device: u64,
    host: *const c_void,
    bytes: usize,
    _stream: *mut c_void,
) -> Code {
    // SAFETY: CUDA's contract.
    call("cuMemcpyHtoDAsync_v2", About::Current, |call| unsafe { call.write(device, host, bytes) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuMemcpyDtoH_v2(host: *mut c_void, device: u64, bytes: usize) -> Code {
    // SAFETY: CUDA's contract.
    call("cuMemcpyDtoH_v2", About::Current, |call| unsafe { call.read(host, device, bytes) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuMemcpyDtoHAsync_v2(
    host: *mut c_void,
    device: u64,
    bytes: usize,
    _stream: *mut c_void,
) -> Code {
    // SAFETY: CUDA's contract.
    call("cuMemcpyDtoHAsync_v2", About::Current, |call| unsafe { call.read(host, device, bytes) })
}

#[unsafe(no_mangle)]
extern "C" fn cuMemsetD8_v2(device: u64, value: c_uchar, bytes: usize) -> Code {
    call("cuMemsetD8_v2", About::Current, |call| call.fill(device, value, bytes))
}

#[unsafe(no_mangle)]
extern "C" fn cuMemsetD8Async(device: u64, value: c_uchar, bytes: usize, _stream: *mut c_void) -> Code {
    call("cuMemsetD8Async", About::Current, |call| call.fill(device, value, bytes))
}
