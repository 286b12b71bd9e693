//! Memory on a device, and copies from and to it.
//!
//! The host's memory stands for the first 16 MiB of an allocation. What is
//! written beyond is lost, and what is read from there is zero.

use std::ffi::{c_uchar, c_void};

use crate::call::{About, Call, call, put};
use crate::error::{Code, INVALID_VALUE};

/// So much of an allocation is real.
const REAL_BYTES: u64 = 16 << 20;

/// Where addresses begin, and what they are multiples of.
const FIRST_ADDRESS: u64 = 0x7f00_0000_0000;
const ALIGNMENT: u64 = 2 << 20;

/// Something allocated.
pub(crate) struct Allocation {
    pub(crate) bytes: u64,
    /// Whether it is of the pool.
    pub(crate) pooled: bool,
    real: Vec<u8>,
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
        let real = vec![0; usize::try_from(bytes.min(REAL_BYTES)).expect("it is 16 MiB at most")];
        allocations.insert(address, Allocation { bytes, pooled, real });
        Ok(address)
    }

    /// The real part of these bytes of the device.
    fn real(&mut self, address: u64, bytes: usize) -> Result<&mut [u8], Code> {
        let allocations = &mut self.context()?.allocations;
        let (begin, found) = allocations.range_mut(..=address).next_back().ok_or(INVALID_VALUE)?;
        let offset = address - begin;
        if u64::try_from(bytes).map_or(true, |bytes| bytes > found.bytes - offset.min(found.bytes)) {
            return Err(INVALID_VALUE);
        }
        let real = found.real.len();
        let from = usize::try_from(offset).expect("it is a 64-bit machine").min(real);
        Ok(&mut found.real[from..real.min(from + bytes)])
    }

    /// Copies to the device.
    ///
    /// # Safety
    ///
    /// There are so many bytes to copy.
    unsafe fn write(&mut self, device: u64, host: *const c_void, bytes: usize) -> Result<(), Code> {
        let real = self.real(device, bytes)?;
        if host.is_null() {
            return Err(INVALID_VALUE);
        }
        // SAFETY: the caller's promise; the real part is no longer.
        unsafe { real.as_mut_ptr().copy_from_nonoverlapping(host.cast(), real.len()) };
        Ok(())
    }

    /// Copies to the host.
    ///
    /// # Safety
    ///
    /// There is room for so many bytes.
    unsafe fn read(&mut self, host: *mut c_void, device: u64, bytes: usize) -> Result<(), Code> {
        let corrupt = self.corrupt;
        let real = self.real(device, bytes)?;
        if host.is_null() {
            return Err(INVALID_VALUE);
        }
        let host = host.cast::<u8>();
        // SAFETY: the caller's promise; the real part is no longer.
        unsafe {
            host.write_bytes(0, bytes);
            host.copy_from_nonoverlapping(real.as_ptr(), real.len());
            if corrupt && bytes > 0 {
                *host ^= 1;
            }
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
    call("cuMemsetD8_v2", About::Current, |call| call.real(device, bytes).map(|real| real.fill(value)))
}

#[unsafe(no_mangle)]
extern "C" fn cuMemsetD8Async(device: u64, value: c_uchar, bytes: usize, _stream: *mut c_void) -> Code {
    call("cuMemsetD8Async", About::Current, |call| call.real(device, bytes).map(|real| real.fill(value)))
}
