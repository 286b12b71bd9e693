//! Proves a device usable: a context, memory, and what was written in it.
//!
//! Runs no kernel: cudarc would need a compiled one for each generation of
//! devices. Waits for nothing and has no limit of time: see who started it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::size::size;
use cudarc::driver::result::mem_get_info;
use cudarc::driver::{CudaContext, DriverError, sys};
use serde::{Deserialize, Serialize};

/// The devices' largest page (CUDA driver API, "Virtual Memory Management":
/// the granularity of allocations is 2 MiB), and how much at the beginning of
/// each is written and read back. Every byte would cost seconds for each 10 GiB
/// on the bus; a page that is not there, or is there twice, shows all the same.
const PAGE_BYTES: usize = 2 << 20;
const SAMPLE_BYTES: usize = 64 << 10;

/// What a probe came to, as its process prints it for the one that started it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probed {
    /// Whether the device is usable.
    pub ok: bool,
    /// Why not; empty where it is.
    pub message: String,
    /// What was allocated beside the context.
    pub allocated_bytes: u64,
    /// How long it took.
    #[serde(rename = "took_ms", with = "crate::millis")]
    pub took: Duration,
}

/// Why a device did not pass.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// There is no CUDA driver library here: nothing was probed.
    #[error("no CUDA: the loader finds no `libcuda.so`")]
    NoCuda,
    /// A function of the driver failed.
    #[error("{doing}: {error}")]
    Driver {
        /// What was being done.
        doing: &'static str,
        /// The driver's number and words.
        error: String,
    },
    /// There was not so much memory.
    #[error("{error}: {} asked for, {} of {} free", size(*asked_bytes), size(*free_bytes), size(*total_bytes))]
    OutOfMemory {
        /// The driver's number and words.
        error: String,
        /// What was to be allocated.
        asked_bytes: u64,
        /// What was free, without the context.
        free_bytes: u64,
        /// What the device has.
        total_bytes: u64,
    },
    /// The device gave back something else than it was given.
    #[error("memory is corrupt: at byte {at} `{written:#04x}` was written and `{read:#04x}` read back")]
    Corrupt {
        /// Where in the allocation.
        at: usize,
        /// What was written there.
        written: u8,
        /// What was read.
        read: u8,
    },
    /// cudarc panicked, as it does where the library lacks a function.
    #[error("the driver library cannot be used: {0}")]
    Panicked(String),
}

/// Probes the first device that `CUDA_VISIBLE_DEVICES` leaves to this process:
/// makes its primary context, allocates so many bytes, zeroes all of them,
/// writes a pattern on each page, reads it back, and frees everything. With 0
/// bytes it makes only the context.
///
/// Call it only in a process that may die of it: cudarc takes the driver's
/// answers for a closed set, and one that is not in it is undefined behaviour.
///
/// # Errors
///
/// Where the device did not pass, or there is no CUDA.
pub fn probe(bytes: u64) -> Result<(), ProbeError> {
    // cudarc panics where it is called without the library.
    #[expect(
        unsafe_code,
        reason = "loading a library runs its code; that of the driver is what is asked for"
    )]
    if !unsafe { sys::is_culib_present() } {
        return Err(ProbeError::NoCuda);
    }
    catch_unwind(AssertUnwindSafe(|| in_context(bytes))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("cudarc panicked");
        Err(ProbeError::Panicked(text.to_owned()))
    })
}

fn in_context(bytes: u64) -> Result<(), ProbeError> {
    let context = CudaContext::new(0).map_err(failed("making a context"))?;
    if bytes > 0 {
        in_memory(&context, bytes)?;
    }
    // What is freed goes back to the device only now.
    context.synchronize().map_err(failed("waiting for the device"))?;
    // What failed while things were dropped.
    context.check_err().map_err(failed("freeing"))
}

fn in_memory(context: &std::sync::Arc<CudaContext>, bytes: u64) -> Result<(), ProbeError> {
    let stream = context.default_stream();
    let length = usize::try_from(bytes).unwrap_or(usize::MAX);
    let mut memory = stream.alloc_zeros::<u8>(length).map_err(|error| {
        let (free, total) = mem_get_info().unwrap_or_default();
        match error.0 {
            sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY => ProbeError::OutOfMemory {
                error: words(error),
                asked_bytes: bytes,
                free_bytes: free as u64,
                total_bytes: total as u64,
            },
            _ => failed("allocating")(error),
        }
    })?;
    let samples = || (0..length).step_by(PAGE_BYTES).map(|at| at..length.min(at + SAMPLE_BYTES));
    for sample in samples() {
        let (pattern, mut place) = (pattern(sample.start, sample.len()), memory.slice_mut(sample));
        stream.memcpy_htod(&pattern, &mut place).map_err(failed("writing"))?;
    }
    stream.synchronize().map_err(failed("writing"))?;
    let mut read = vec![0; SAMPLE_BYTES];
    for sample in samples() {
        let read = &mut read[..sample.len()];
        stream.memcpy_dtoh(&memory.slice(sample.clone()), read).map_err(failed("reading back"))?;
        stream.synchronize().map_err(failed("reading back"))?;
        let pattern = pattern(sample.start, sample.len());
        if let Some(offset) = pattern.iter().zip(&*read).position(|(written, read)| written != read) {
            let (written, read) = (pattern[offset], read[offset]);
            return Err(ProbeError::Corrupt { at: sample.start + offset, written, read });
        }
    }
    Ok(())
}

/// Bytes that are different on every page, so that none is taken for another:
/// the steps of SplitMix64 (Steele, Lea, Flood, 2014) from the place on.
fn pattern(at: usize, length: usize) -> Vec<u8> {
    let mut state = at as u64;
    let words = std::iter::repeat_with(|| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).to_le_bytes()
    });
    words.flatten().take(length).collect()
}

fn failed(doing: &'static str) -> impl Fn(DriverError) -> ProbeError {
    move |error| ProbeError::Driver { doing, error: words(error) }
}

/// The driver's own name and words for an error, with its number.
fn words(error: DriverError) -> String {
    let number = error.0 as u32;
    let text = |text: Result<&std::ffi::CStr, DriverError>| Some(text.ok()?.to_string_lossy().into_owned());
    match (text(error.error_name()), text(error.error_string())) {
        (Some(name), Some(words)) => format!("{name} ({number}), {words}"),
        _ => format!("error {number} of CUDA"),
    }
}
