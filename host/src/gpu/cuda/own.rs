//! Cleans up in the CUDA contexts that this process has itself.
//!
//! Loads no library, initialises nothing and makes no context: where there is
//! none, there is nothing to clean up. What other processes hold it cannot
//! reach (CUDA driver API, "Stream Ordered Memory Allocator", "Primary Context
//! Management").

use std::ffi::{c_int, c_uint, c_void};
use std::ptr::null_mut;

use libloading::os::unix::{Library, RTLD_LAZY};

/// Opens a library only where it is loaded already (dlopen(3)).
const RTLD_NOLOAD: c_int = nix::libc::RTLD_NOLOAD;

/// What the library may have been loaded as. The driver calls itself the first.
const NAMES: [&str; 2] = ["libcuda.so.1", "libcuda.so"];

/// `CUresult` of cuda.h, as a number: a driver newer than any header may return any.
type Code = u32;
const SUCCESS: Code = 0;
/// `CUDA_ERROR_NOT_SUPPORTED`: a device without memory pools.
const NOT_SUPPORTED: Code = 801;

/// `CUdevice`, `CUcontext` and `CUmemoryPool` of cuda.h.
type Device = c_int;
type Context = *mut c_void;
type Pool = *mut c_void;

/// What can be done in contexts of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnWork {
    /// Waits for the work queued in them.
    Synchronize,
    /// Gives back what the driver's memory pools and its graphs keep of what was freed.
    ReleaseCachedMemory,
    /// Destroys them, and all that they hold; what still refers to them is dangling.
    ResetContexts,
}

/// How it went on one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnDevice {
    /// The device's UUID without what stands before its digits: NVML writes
    /// `GPU-` or `MIG-` before it.
    pub uuid: String,
    /// What the driver answered, where it refused.
    pub result: Result<(), String>,
}

/// Does this in the primary context of every device on which this process has
/// one; returns those devices. None where CUDA is not loaded, not initialised,
/// or has no context.
///
/// A context that another thread destroys at the same moment may be made anew
/// for the length of this call: CUDA has no way to take hold only of one that
/// is there.
pub fn in_own_contexts(work: OwnWork, wanted: impl Fn(&str) -> bool) -> Vec<OnDevice> {
    let Some(driver) = Driver::loaded() else { return Vec::new() };
    let devices = driver.devices().into_iter();
    let wanted = devices.filter(|(device, uuid)| wanted(uuid) && driver.has_context(*device));
    wanted.map(|(device, uuid)| OnDevice { uuid, result: driver.work(work, device) }).collect()
}

/// The driver library, loaded by whoever uses CUDA in this process.
struct Driver(Library);

/// Calls a function of cuda.h by its name, with its parameters' types.
macro_rules! call {
    ($driver:expr, $name:ident($($value:expr => $type:ty),*)) => {
        $driver.function::<unsafe extern "C" fn($($type),*) -> Code>(stringify!($name)).and_then(|function| {
            #[expect(unsafe_code, reason = "a C function; its parameters are those of cuda.h")]
            // SAFETY: pointers among the values point to variables of the caller.
            let code = unsafe { function($($value),*) };
            if code == SUCCESS { Ok(()) } else { Err(Refused::Code(stringify!($name), code)) }
        })
    };
}

/// Why a call brought nothing.
enum Refused {
    Missing(&'static str),
    Code(&'static str, Code),
}

impl Refused {
    fn told(self) -> String {
        match self {
            Self::Missing(name) => format!("the driver library has no `{name}`"),
            Self::Code(name, code) => format!("`{name}` returned error {code} of CUDA"),
        }
    }

    /// The device has no pools: there is nothing in them.
    fn or_unsupported(self) -> Result<(), Self> {
        match self {
            Self::Code(_, NOT_SUPPORTED) => Ok(()),
            other => Err(other),
        }
    }
}

impl Driver {
    fn loaded() -> Option<Self> {
        NAMES.into_iter().find_map(|name| {
            #[expect(unsafe_code, reason = "a library that is loaded already runs no code when it is opened")]
            // SAFETY: with this flag, none is loaded.
            let library = unsafe { Library::open(Some(name), RTLD_NOLOAD | RTLD_LAZY) };
            library.ok().map(Self)
        })
    }

    fn function<F: Copy>(&self, name: &'static str) -> Result<F, Refused> {
        #[expect(unsafe_code, reason = "a library does not tell its functions' types; cuda.h does")]
        // SAFETY: it is called only while `self` keeps the library.
        let found = unsafe { self.0.get::<F>(name) };
        found.map(|function| *function).map_err(|_| Refused::Missing(name))
    }

    /// The devices that this process sees; none before it has initialised CUDA.
    fn devices(&self) -> Vec<(Device, String)> {
        let mut count: c_int = 0;
        if call!(self, cuDeviceGetCount(&raw mut count => *mut c_int)).is_err() {
            return Vec::new();
        }
        (0..count).filter_map(|ordinal| self.device(ordinal).ok()).collect()
    }

    fn device(&self, ordinal: c_int) -> Result<(Device, String), Refused> {
        let mut device: Device = 0;
        let mut uuid = [0_u8; 16];
        call!(self, cuDeviceGet(&raw mut device => *mut Device, ordinal => c_int))?;
        // The second version tells MIG instances apart; it is there since CUDA 11.4.
        call!(self, cuDeviceGetUuid_v2(&raw mut uuid => *mut [u8; 16], device => Device))
            .or_else(|_| call!(self, cuDeviceGetUuid(&raw mut uuid => *mut [u8; 16], device => Device)))?;
        Ok((device, written(uuid)))
    }

    fn has_context(&self, device: Device) -> bool {
        let (mut flags, mut active): (c_uint, c_int) = (0, 0);
        let asked = call!(
            self,
            cuDevicePrimaryCtxGetState(
                device => Device, &raw mut flags => *mut c_uint, &raw mut active => *mut c_int
            )
        );
        asked.is_ok() && active != 0
    }

    fn work(&self, work: OwnWork, device: Device) -> Result<(), String> {
        let done = match work {
            OwnWork::Synchronize => self.synchronize(device),
            OwnWork::ReleaseCachedMemory => self.release(device),
            OwnWork::ResetContexts => call!(self, cuDevicePrimaryCtxReset_v2(device => Device)),
        };
        done.map_err(Refused::told)
    }

    fn synchronize(&self, device: Device) -> Result<(), Refused> {
        let (mut context, mut before): (Context, Context) = (null_mut(), null_mut());
        call!(self, cuCtxGetCurrent(&raw mut before => *mut Context))?;
        call!(self, cuDevicePrimaryCtxRetain(&raw mut context => *mut Context, device => Device))?;
        let done = call!(self, cuCtxSetCurrent(context => Context)).and_then(|()| {
            let done = call!(self, cuCtxSynchronize());
            call!(self, cuCtxSetCurrent(before => Context)).and(done)
        });
        call!(self, cuDevicePrimaryCtxRelease_v2(device => Device)).and(done)
    }

    fn release(&self, device: Device) -> Result<(), Refused> {
        let (mut standard, mut current): (Pool, Pool) = (null_mut(), null_mut());
        call!(self, cuDeviceGetDefaultMemPool(&raw mut standard => *mut Pool, device => Device))
            .and_then(|()| call!(self, cuMemPoolTrimTo(standard => Pool, 0 => usize)))
            .or_else(Refused::or_unsupported)?;
        // A program may have put a pool of its own in the default one's place.
        call!(self, cuDeviceGetMemPool(&raw mut current => *mut Pool, device => Device))
            .and_then(|()| match current == standard {
                true => Ok(()),
                false => call!(self, cuMemPoolTrimTo(current => Pool, 0 => usize)),
            })
            .or_else(Refused::or_unsupported)?;
        call!(self, cuDeviceGraphMemTrim(device => Device)).or_else(Refused::or_unsupported)
    }
}

/// A UUID's digits as NVML writes them.
fn written(uuid: [u8; 16]) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    [&uuid[..4], &uuid[4..6], &uuid[6..8], &uuid[8..10], &uuid[10..]].map(hex).join("-")
}
