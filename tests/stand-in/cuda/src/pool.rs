//! Memory from a device's default pool.
//!
//! As with a new pool, what is freed goes back to the device when the process
//! next waits for its work, or trims the pool. A pool's handle is the number of
//! its device, from 1.

use std::ffi::{c_int, c_void};

use crate::call::{About, Call, call, put};
use crate::error::{Code, ILLEGAL_ADDRESS, INVALID_VALUE};

/// `CUmemoryPool` of CUDA's header.
type Handle = *mut c_void;

impl Call<'_> {
    /// Work is done: the pool keeps nothing. Where a kernel faulted, that is told.
    pub(crate) fn settle(&mut self) -> Result<(), Code> {
        if self.context()?.faulted {
            return Err(ILLEGAL_ADDRESS);
        }
        self.keep(0)
    }

    /// The pool keeps so many bytes at most.
    fn keep(&mut self, bytes: u64) -> Result<(), Code> {
        let context = self.context()?;
        context.cached_bytes = context.cached_bytes.min(bytes);
        self.hold(0)
    }
}

fn about(pool: Handle) -> About {
    About::Device(c_int::try_from(pool.addr()).map_or(-1, |number| number - 1))
}

/// Answers with the device's pool.
///
/// # Safety
///
/// The pointer is null, or may be written to.
unsafe fn put_pool(function: &str, pool: *mut Handle, device: c_int) -> Code {
    call(function, About::Device(device), |call| {
        call.part()?;
        let handle = usize::try_from(device).expect("it is a device") + 1;
        // SAFETY: the caller's promise.
        unsafe { put(pool, std::ptr::without_provenance_mut(handle)) }
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuDeviceGetDefaultMemPool(pool: *mut Handle, device: c_int) -> Code {
    // SAFETY: CUDA's contract.
    unsafe { put_pool("cuDeviceGetDefaultMemPool", pool, device) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuDeviceGetMemPool(pool: *mut Handle, device: c_int) -> Code {
    // SAFETY: CUDA's contract.
    unsafe { put_pool("cuDeviceGetMemPool", pool, device) }
}

#[unsafe(no_mangle)]
extern "C" fn cuMemPoolTrimTo(pool: Handle, keep_bytes: usize) -> Code {
    call("cuMemPoolTrimTo", about(pool), |call| {
        call.part()?;
        // Where no context is, the pool has nothing.
        if call.context().is_err() {
            return Ok(());
        }
        call.keep(u64::try_from(keep_bytes).expect("it is a 64-bit machine"))
    })
}

/// Of the attributes only those that tell what is reserved, and what of it is used.
#[unsafe(no_mangle)]
unsafe extern "C" fn cuMemPoolGetAttribute(pool: Handle, attribute: c_int, value: *mut c_void) -> Code {
    call("cuMemPoolGetAttribute", about(pool), |call| {
        call.part()?;
        let (used, cached) = call.context().map_or((0, 0), |context| {
            let pooled = context.allocations.values().filter(|allocation| allocation.pooled);
            (pooled.map(|allocation| allocation.bytes).sum::<u64>(), context.cached_bytes)
        });
        let answer = match attribute {
            // RESERVED_MEM_CURRENT and USED_MEM_CURRENT
            5 => used + cached,
            7 => used,
            _ => return Err(INVALID_VALUE),
        };
        // SAFETY: CUDA's contract: these attributes are of 64 bits.
        unsafe { put(value.cast::<u64>(), answer) }
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuMemAllocAsync(address: *mut u64, bytes: usize, _stream: *mut c_void) -> Code {
    call("cuMemAllocAsync", About::Current, |call| {
        // SAFETY: CUDA's contract.
        unsafe { put(address, call.allocate(bytes, true)?) }
    })
}

#[unsafe(no_mangle)]
extern "C" fn cuMemFreeAsync(address: u64, _stream: *mut c_void) -> Code {
    call("cuMemFreeAsync", About::Current, |call| {
        let context = call.context()?;
        let freed = context.allocations.remove(&address).ok_or(INVALID_VALUE)?;
        if freed.pooled {
            context.cached_bytes += freed.bytes;
        }
        call.hold(0)
    })
}

/// Graphs hold nothing.
#[unsafe(no_mangle)]
extern "C" fn cuDeviceGraphMemTrim(device: c_int) -> Code {
    call("cuDeviceGraphMemTrim", About::Device(device), |call| call.part().map(|_| ()))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuDeviceGetGraphMemAttribute(
    device: c_int,
    _attribute: c_int,
    value: *mut c_void,
) -> Code {
    call("cuDeviceGetGraphMemAttribute", About::Device(device), |call| {
        call.part()?;
        // SAFETY: CUDA's contract: these attributes are of 64 bits.
        unsafe { put(value.cast::<u64>(), 0) }
    })
}
