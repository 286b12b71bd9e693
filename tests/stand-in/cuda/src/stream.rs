//! Streams and events: all work is done when it is given, so they are only numbers.

use std::ffi::{c_uint, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::call::{About, call, put};
use crate::error::Code;

/// `CUstream` and `CUevent` of CUDA's header.
type Handle = *mut c_void;

/// Answers with a new handle.
///
/// # Safety
///
/// The pointer is null, or may be written to.
unsafe fn put_new(function: &str, out: *mut Handle) -> Code {
    // The first numbers mean CUDA's own streams.
    static NEXT: AtomicUsize = AtomicUsize::new(16);
    call(function, About::Current, |call| {
        call.context()?;
        // SAFETY: the caller's promise.
        unsafe { put(out, std::ptr::without_provenance_mut(NEXT.fetch_add(1, Ordering::Relaxed))) }
    })
}

fn nothing(function: &str) -> Code {
    call(function, About::Current, |call| call.context().map(|_| ()))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuStreamCreate(stream: *mut Handle, _flags: c_uint) -> Code {
    // SAFETY: CUDA's contract.
    unsafe { put_new("cuStreamCreate", stream) }
}

#[unsafe(no_mangle)]
extern "C" fn cuStreamDestroy_v2(_stream: Handle) -> Code {
    nothing("cuStreamDestroy_v2")
}

#[unsafe(no_mangle)]
extern "C" fn cuStreamSynchronize(_stream: Handle) -> Code {
    call("cuStreamSynchronize", About::Current, |call| call.settle())
}

#[unsafe(no_mangle)]
extern "C" fn cuStreamWaitEvent(_stream: Handle, _event: Handle, _flags: c_uint) -> Code {
    nothing("cuStreamWaitEvent")
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuEventCreate(event: *mut Handle, _flags: c_uint) -> Code {
    // SAFETY: CUDA's contract.
    unsafe { put_new("cuEventCreate", event) }
}

#[unsafe(no_mangle)]
extern "C" fn cuEventDestroy_v2(_event: Handle) -> Code {
    nothing("cuEventDestroy_v2")
}

#[unsafe(no_mangle)]
extern "C" fn cuEventRecord(_event: Handle, _stream: Handle) -> Code {
    nothing("cuEventRecord")
}

#[unsafe(no_mangle)]
extern "C" fn cuEventSynchronize(_event: Handle) -> Code {
    call("cuEventSynchronize", About::Current, |call| call.settle())
}

#[unsafe(no_mangle)]
extern "C" fn cuEventQuery(_event: Handle) -> Code {
    nothing("cuEventQuery")
}
