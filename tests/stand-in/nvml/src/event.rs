//! Events: Xids, and nothing else.
//!
//! A set gets what happens after a device was registered in it, each Xid once.

use std::collections::BTreeMap;
use std::ffi::{c_uint, c_ulonglong, c_void};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use stand_in_machine::Machine;

use crate::call::{Code, Handle, INVALID_ARGUMENT, SUCCESS, TIMEOUT, UNKNOWN, call, handle, on_device, put};

/// `nvmlEventTypeXidCriticalError`.
const XID: c_ulonglong = 8;

/// How soon an Xid is seen, at the latest.
const GRAIN: Duration = Duration::from_millis(10);

/// `nvmlEventData_t`.
#[repr(C)]
struct EventData {
    device: Handle,
    kind: c_ulonglong,
    data: c_ulonglong,
    gpu_instance: c_uint,
    compute_instance: c_uint,
}

/// `nvmlEventSet_t`: the set's place among all, from 1.
type Set = *mut c_void;

/// By UUID, how many of the device's Xids are past.
type Registered = BTreeMap<String, usize>;

/// The sets ever made; those that were freed are gone.
static SETS: Mutex<Vec<Option<Registered>>> = Mutex::new(Vec::new());

fn with_set<T>(set: Set, with: impl FnOnce(&mut Registered) -> T) -> Result<T, Code> {
    let mut sets = SETS.lock().unwrap_or_else(PoisonError::into_inner);
    let registered = set.addr().checked_sub(1).and_then(|place| sets.get_mut(place)?.as_mut());
    registered.map(with).ok_or(INVALID_ARGUMENT)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlEventSetCreate(set: *mut Set) -> Code {
    call("nvmlEventSetCreate", |_| {
        let mut sets = SETS.lock().unwrap_or_else(PoisonError::into_inner);
        sets.push(Some(Registered::new()));
        // SAFETY: NVML's contract.
        unsafe { put(set, std::ptr::without_provenance_mut(sets.len())) }
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlEventSetFree(set: Set) -> Code {
    let mut sets = SETS.lock().unwrap_or_else(PoisonError::into_inner);
    match set.addr().checked_sub(1).and_then(|place| sets.get_mut(place)?.take()) {
        Some(_) => SUCCESS,
        None => INVALID_ARGUMENT,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetSupportedEventTypes(device: Handle, types: *mut c_ulonglong) -> Code {
    // SAFETY: NVML's contract.
    on_device("nvmlDeviceGetSupportedEventTypes", device, |_, _| unsafe { put(types, XID) })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceRegisterEvents(device: Handle, types: c_ulonglong, set: Set) -> Code {
    on_device("nvmlDeviceRegisterEvents", device, |machine, part| {
        let uuid = part.device.uuid.clone();
        let past = machine.xids(&uuid).len();
        with_set(set, |registered| {
            if types & XID != 0 {
                registered.insert(uuid, past);
            }
        })
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlEventSetWait_v2(set: Set, data: *mut EventData, timeout_ms: c_uint) -> Code {
    let began = Instant::now();
    let timeout = Duration::from_millis(timeout_ms.into());
    call("nvmlEventSetWait_v2", |machine| {
        loop {
            if let Some((uuid, xid)) = with_set(set, |registered| next(machine, registered))? {
                let (gpu_instance, compute_instance) = (u32::MAX, u32::MAX);
                let event =
                    EventData { device: handle(&uuid), kind: XID, data: xid, gpu_instance, compute_instance };
                // SAFETY: NVML's contract.
                return unsafe { put(data, event) };
            }
            let left = timeout.checked_sub(began.elapsed()).ok_or(TIMEOUT)?;
            sleep(left.min(GRAIN));
            Machine::here().ok_or(UNKNOWN)?;
        }
    })
}

/// The next Xid that the set was not given.
fn next(machine: &Machine, registered: &mut Registered) -> Option<(String, u64)> {
    registered.iter_mut().find_map(|(uuid, past)| {
        let xid = *machine.xids(uuid).get(*past)?;
        *past += 1;
        Some((uuid.clone(), xid))
    })
}
