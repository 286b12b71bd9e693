//! Contexts: a device's primary one, and the thread's current one.
//!
//! A context's handle is the number of its device, from 1.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::{c_int, c_uint, c_void};

use crate::call::{About, Call, call, put};
use crate::error::{Code, INVALID_CONTEXT, OUT_OF_MEMORY};
use crate::memory::Allocation;

/// `CUcontext` of CUDA's header.
type Handle = *mut c_void;

thread_local! {
    static CURRENT: Cell<usize> = const { Cell::new(0) };
}

/// A primary context, and what it holds.
#[derive(Default)]
pub(crate) struct Context {
    retained: u32,
    /// By their address.
    pub(crate) allocations: BTreeMap<u64, Allocation>,
    /// What the pool keeps of what was freed, in bytes.
    pub(crate) cached_bytes: u64,
    /// Whether a kernel faulted in it: its work never ends well again.
    pub(crate) faulted: bool,
}

impl Context {
    fn held_bytes(&self) -> u64 {
        self.allocations.values().map(|allocation| allocation.bytes).sum::<u64>() + self.cached_bytes
    }
}

/// The device of the thread's current context.
pub(crate) fn current() -> Option<c_int> {
    CURRENT.get().checked_sub(1).map(|ordinal| c_int::try_from(ordinal).expect("it came from one"))
}

impl Call<'_> {
    /// Writes down what the process holds of the call's device, and may so
    /// much more be had.
    pub(crate) fn hold(&self, more_bytes: u64) -> Result<(), Code> {
        let part = self.part()?;
        let context = self.cuda.contexts.get(&self.ordinal()?);
        let held = context.map_or(0, |context| part.device.context_bytes + context.held_bytes());
        let fits = self.machine.hold(part, held.saturating_add(more_bytes));
        if fits { Ok(()) } else { Err(OUT_OF_MEMORY) }
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuDevicePrimaryCtxRetain(context: *mut Handle, device: c_int) -> Code {
    call("cuDevicePrimaryCtxRetain", About::Device(device), |call| {
        if call.context().is_err() {
            call.hold(call.part()?.device.context_bytes)?;
        }
        call.cuda.contexts.entry(device).or_default().retained += 1;
        let handle = usize::try_from(device).expect("it is a device") + 1;
        // SAFETY: CUDA's contract.
        unsafe { put(context, std::ptr::without_provenance_mut(handle)) }
    })
}

#[unsafe(no_mangle)]
extern "C" fn cuDevicePrimaryCtxRelease_v2(device: c_int) -> Code {
    call("cuDevicePrimaryCtxRelease_v2", About::Device(device), |call| {
        let context = call.context()?;
        context.retained -= 1;
        if context.retained == 0 {
            call.cuda.contexts.remove(&device);
        }
        call.hold(0)
    })
}

#[unsafe(no_mangle)]
extern "C" fn cuDevicePrimaryCtxReset_v2(device: c_int) -> Code {
    call("cuDevicePrimaryCtxReset_v2", About::Device(device), |call| {
        call.cuda.contexts.remove(&device);
        call.hold(0)
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuDevicePrimaryCtxGetState(
    device: c_int,
    flags: *mut c_uint,
    active: *mut c_int,
) -> Code {
    call("cuDevicePrimaryCtxGetState", About::Device(device), |call| {
        call.part()?;
        let there = c_int::from(call.context().is_ok());
        // SAFETY: CUDA's contract.
        unsafe { put(flags, 0).and_then(|()| put(active, there)) }
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuCtxGetCurrent(context: *mut Handle) -> Code {
    call("cuCtxGetCurrent", About::Current, |_| {
        // SAFETY: CUDA's contract.
        unsafe { put(context, std::ptr::without_provenance_mut(CURRENT.get())) }
    })
}

#[unsafe(no_mangle)]
extern "C" fn cuCtxSetCurrent(context: Handle) -> Code {
    call("cuCtxSetCurrent", About::Current, |call| {
        let ordinal = context.addr().checked_sub(1).map(|ordinal| c_int::try_from(ordinal).unwrap_or(-1));
        if ordinal.is_some_and(|ordinal| !call.cuda.contexts.contains_key(&ordinal)) {
            return Err(INVALID_CONTEXT);
        }
        CURRENT.set(context.addr());
        Ok(())
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuCtxGetDevice(device: *mut c_int) -> Code {
    call("cuCtxGetDevice", About::Current, |call| {
        // SAFETY: CUDA's contract.
        unsafe { put(device, call.ordinal()?) }
    })
}

#[unsafe(no_mangle)]
extern "C" fn cuCtxSynchronize() -> Code {
    call("cuCtxSynchronize", About::Current, |call| call.settle())
}

/// There is no cache.
#[unsafe(no_mangle)]
extern "C" fn cuCtxResetPersistingL2Cache() -> Code {
    call("cuCtxResetPersistingL2Cache", About::Current, |call| call.context().map(|_| ()))
}
