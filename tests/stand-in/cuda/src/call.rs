//! What is the same in every call: initialised or not, faults, and answers.
//!
//! Handles are numbers, so that a wrong one is only not found.

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::sync::{Mutex, MutexGuard, PoisonError};

use stand_in_machine::{Machine, Part};

use crate::context::{Context, current};
use crate::error::{Code, INVALID_CONTEXT, INVALID_DEVICE, INVALID_VALUE, NOT_INITIALIZED, SUCCESS, UNKNOWN};

/// CUDA in this process.
#[derive(Default)]
pub(crate) struct Cuda {
    /// What the process sees, in its order; none before it is initialised.
    pub(crate) visible: Option<Vec<String>>,
    /// The primary contexts that are there.
    pub(crate) contexts: BTreeMap<c_int, Context>,
}

/// What a call is about, for the faults.
#[derive(Clone, Copy)]
pub(crate) enum About {
    /// No device.
    Nothing,
    /// The device of this number.
    Device(c_int),
    /// The device of the thread's current context.
    Current,
}

static CUDA: Mutex<Cuda> = Mutex::new(Cuda { visible: None, contexts: BTreeMap::new() });

pub(crate) fn cuda() -> MutexGuard<'static, Cuda> {
    CUDA.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A call, and where it happens.
pub(crate) struct Call<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) cuda: &'a mut Cuda,
    /// Whether what it copies to the host is to differ.
    pub(crate) corrupt: bool,
    about: About,
}

impl Call<'_> {
    /// The number of the device that the call is about.
    pub(crate) fn ordinal(&self) -> Result<c_int, Code> {
        self.about.ordinal().ok_or(INVALID_CONTEXT)
    }

    /// The device that the call is about. One that the script no longer has is unknown.
    pub(crate) fn part(&self) -> Result<Part<'_>, Code> {
        let uuid = self.cuda.uuid(self.ordinal()?).ok_or(INVALID_DEVICE)?;
        self.machine.part(uuid).ok_or(UNKNOWN)
    }

    /// The context that the call is about.
    pub(crate) fn context(&mut self) -> Result<&mut Context, Code> {
        let ordinal = self.ordinal()?;
        self.cuda.contexts.get_mut(&ordinal).ok_or(INVALID_CONTEXT)
    }
}

impl Cuda {
    fn uuid(&self, ordinal: c_int) -> Option<&str> {
        self.visible.as_ref()?.get(usize::try_from(ordinal).ok()?).map(String::as_str)
    }
}

impl About {
    fn ordinal(self) -> Option<c_int> {
        match self {
            Self::Nothing => None,
            Self::Device(ordinal) => Some(ordinal),
            Self::Current => current(),
        }
    }
}

/// A call of an initialised CUDA.
pub(crate) fn call(function: &str, about: About, answer: impl FnOnce(&mut Call) -> Result<(), Code>) -> Code {
    let answered = || {
        let machine = Machine::here().ok_or(UNKNOWN)?;
        let uuid = {
            let cuda = cuda();
            cuda.visible.as_ref().ok_or(NOT_INITIALIZED)?;
            about.ordinal().and_then(|ordinal| cuda.uuid(ordinal).map(str::to_owned))
        };
        // A call may hang here; others go on.
        let met = machine.meet(function, uuid.and_then(|uuid| machine.part(&uuid)));
        failed(met.code)?;
        answer(&mut Call { machine: &machine, cuda: &mut cuda(), corrupt: met.corrupt, about })
    };
    answered().err().unwrap_or(SUCCESS)
}

/// Fails with what a fault returns.
pub(crate) fn failed(code: Option<Code>) -> Result<(), Code> {
    code.filter(|code| *code != SUCCESS).map_or(Ok(()), Err)
}

/// Answers through the caller's pointer.
///
/// # Safety
///
/// It is null, or may be written to.
pub(crate) unsafe fn put<T>(out: *mut T, value: T) -> Result<(), Code> {
    if out.is_null() {
        return Err(INVALID_VALUE);
    }
    // SAFETY: the caller's promise.
    unsafe { out.write(value) };
    Ok(())
}
