//! The codes that calls return, and what CUDA says of them.
//!
//! A fault may return any other; CUDA has no words for those.

use std::ffi::{CStr, c_char};

use crate::call::put;

/// `CUresult` of CUDA's header.
pub(crate) type Code = u32;

pub(crate) const SUCCESS: Code = 0;
pub(crate) const INVALID_VALUE: Code = 1;
pub(crate) const OUT_OF_MEMORY: Code = 2;
pub(crate) const NOT_INITIALIZED: Code = 3;
pub(crate) const NO_DEVICE: Code = 100;
pub(crate) const INVALID_DEVICE: Code = 101;
pub(crate) const INVALID_CONTEXT: Code = 201;
pub(crate) const ILLEGAL_ADDRESS: Code = 700;
pub(crate) const UNKNOWN: Code = 999;

/// What CUDA calls them and says of them, from its header.
const WORDS: [(Code, &CStr, &CStr); 14] = [
    (SUCCESS, c"CUDA_SUCCESS", c"no error"),
    (INVALID_VALUE, c"CUDA_ERROR_INVALID_VALUE", c"invalid argument"),
    (OUT_OF_MEMORY, c"CUDA_ERROR_OUT_OF_MEMORY", c"out of memory"),
    (NOT_INITIALIZED, c"CUDA_ERROR_NOT_INITIALIZED", c"initialization error"),
    (46, c"CUDA_ERROR_DEVICE_UNAVAILABLE", c"CUDA-capable device(s) is/are busy or unavailable"),
    (NO_DEVICE, c"CUDA_ERROR_NO_DEVICE", c"no CUDA-capable device is detected"),
    (INVALID_DEVICE, c"CUDA_ERROR_INVALID_DEVICE", c"invalid device ordinal"),
    (INVALID_CONTEXT, c"CUDA_ERROR_INVALID_CONTEXT", c"invalid device context"),
    (214, c"CUDA_ERROR_ECC_UNCORRECTABLE", c"uncorrectable ECC error encountered"),
    (ILLEGAL_ADDRESS, c"CUDA_ERROR_ILLEGAL_ADDRESS", c"an illegal memory access was encountered"),
    (719, c"CUDA_ERROR_LAUNCH_FAILED", c"unspecified launch failure"),
    (802, c"CUDA_ERROR_SYSTEM_NOT_READY", c"system not yet initialized"),
    (
        803,
        c"CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
        c"system has unsupported display driver / cuda driver combination",
    ),
    (UNKNOWN, c"CUDA_ERROR_UNKNOWN", c"unknown error"),
];

/// Answers with words, or with null where there are none.
///
/// # Safety
///
/// The pointer is null, or may be written to.
unsafe fn put_words(
    of: Code,
    out: *mut *const c_char,
    words: fn(&(Code, &'static CStr, &'static CStr)) -> &'static CStr,
) -> Code {
    let known = WORDS.iter().find(|entry| entry.0 == of).map(words);
    // SAFETY: the caller's promise.
    let answered = unsafe { put(out, known.map_or(std::ptr::null(), CStr::as_ptr)) };
    if known.is_some() && answered.is_ok() { SUCCESS } else { INVALID_VALUE }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuGetErrorName(error: Code, name: *mut *const c_char) -> Code {
    // SAFETY: CUDA's contract.
    unsafe { put_words(error, name, |entry| entry.1) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuGetErrorString(error: Code, string: *mut *const c_char) -> Code {
    // SAFETY: CUDA's contract.
    unsafe { put_words(error, string, |entry| entry.2) }
}
