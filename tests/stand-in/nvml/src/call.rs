//! What is the same in every call: initialised or not, faults, handles, and answers.
//!
//! A handle is a number, so that a wrong one is only not found.

use std::ffi::{c_char, c_uint, c_void};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use stand_in_machine::{Machine, Part};

/// `nvmlReturn_t` of NVML's header.
pub(crate) type Code = c_uint;

pub(crate) const SUCCESS: Code = 0;
pub(crate) const UNINITIALIZED: Code = 1;
pub(crate) const INVALID_ARGUMENT: Code = 2;
pub(crate) const NOT_SUPPORTED: Code = 3;
pub(crate) const NOT_FOUND: Code = 6;
pub(crate) const INSUFFICIENT_SIZE: Code = 7;
pub(crate) const TIMEOUT: Code = 10;
pub(crate) const GPU_IS_LOST: Code = 15;
pub(crate) const ARGUMENT_VERSION_MISMATCH: Code = 25;
pub(crate) const UNKNOWN: Code = 999;

/// `nvmlDevice_t` of NVML's header.
pub(crate) type Handle = *mut c_void;

/// How often NVML was initialised and not shut down.
pub(crate) static INITIALIZED: AtomicU32 = AtomicU32::new(0);

/// The UUIDs that were given a handle; the handle is the place among them, from 1.
static HANDLES: Mutex<Vec<String>> = Mutex::new(Vec::new());

pub(crate) fn handle(uuid: &str) -> Handle {
    let mut uuids = HANDLES.lock().unwrap_or_else(PoisonError::into_inner);
    let place = uuids.iter().position(|given| given == uuid).unwrap_or_else(|| {
        uuids.push(uuid.to_owned());
        uuids.len() - 1
    });
    std::ptr::without_provenance_mut(place + 1)
}

pub(crate) fn uuid(handle: Handle) -> Result<String, Code> {
    let uuids = HANDLES.lock().unwrap_or_else(PoisonError::into_inner);
    handle.addr().checked_sub(1).and_then(|place| uuids.get(place).cloned()).ok_or(INVALID_ARGUMENT)
}

/// A call that is about no device.
pub(crate) fn call(function: &str, answer: impl FnOnce(&Machine) -> Result<(), Code>) -> Code {
    code(initialized().and_then(|machine| {
        meet(&machine, function, None)?;
        answer(&machine)
    }))
}

/// A call on a device or an instance. One that the script no longer has is lost.
pub(crate) fn on_device(
    function: &str,
    device: Handle,
    answer: impl FnOnce(&Machine, Part<'_>) -> Result<(), Code>,
) -> Code {
    code(initialized().and_then(|machine| {
        let part = machine.part(&uuid(device)?).ok_or(GPU_IS_LOST)?;
        meet(&machine, function, Some(part))?;
        answer(&machine, part)
    }))
}

/// The machine, where NVML is initialised.
pub(crate) fn initialized() -> Result<Machine, Code> {
    if INITIALIZED.load(Ordering::Relaxed) == 0 {
        return Err(UNINITIALIZED);
    }
    Machine::here().ok_or(UNKNOWN)
}

/// Counts a call, and fails where a fault says so.
pub(crate) fn meet(machine: &Machine, function: &str, on: Option<Part<'_>>) -> Result<(), Code> {
    machine.meet(function, on).code.map_or(Ok(()), |code| if code == SUCCESS { Ok(()) } else { Err(code) })
}

pub(crate) fn code(result: Result<(), Code>) -> Code {
    result.err().unwrap_or(SUCCESS)
}

/// Answers through the caller's pointer.
///
/// # Safety
///
/// It is null, or may be written to.
pub(crate) unsafe fn put<T>(out: *mut T, value: T) -> Result<(), Code> {
    if out.is_null() {
        return Err(INVALID_ARGUMENT);
    }
    // SAFETY: the caller's promise.
    unsafe { out.write(value) };
    Ok(())
}

/// Answers with a text, closed by a zero.
///
/// # Safety
///
/// The buffer is null, or so long.
pub(crate) unsafe fn put_text(out: *mut c_char, length: c_uint, text: &str) -> Result<(), Code> {
    if out.is_null() {
        return Err(INVALID_ARGUMENT);
    }
    if text.len() >= length as usize {
        return Err(INSUFFICIENT_SIZE);
    }
    // SAFETY: the caller's promise, and it is long enough.
    unsafe {
        out.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), text.len());
        out.add(text.len()).write(0);
    }
    Ok(())
}

/// The text in a field of a struct, closed by a zero.
pub(crate) fn text<const N: usize>(text: &str) -> [c_char; N] {
    let mut field = [0; N];
    for (place, byte) in field[..N - 1].iter_mut().zip(text.bytes()) {
        *place = byte.cast_signed();
    }
    field
}
