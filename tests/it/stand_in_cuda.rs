//! The stand-in of CUDA answers the real cudarc as a driver does, and what a
//! process allocates, NVML's stand-in sees.
//!
//! cudarc finds its library by name, and only when the process starts can it be
//! told where. So each test starts itself again, as a process on the machine.

use std::process::Command;

use cudarc::driver::result::device::get_default_mem_pool;
use cudarc::driver::result::{mem_get_info, mem_pool};
use cudarc::driver::sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT;
use cudarc::driver::sys::cudaError_enum;
use cudarc::driver::{CudaContext, DriverError};
use nvml_wrapper::Nvml;

use crate::machine::{Device, Fault, Machine};
use crate::stand_in::used;

const GIB: u64 = 1 << 30;
const BASELINE: u64 = 4 << 20;
const CONTEXT: u64 = 500 << 20;

/// Has the test of this path run `body` in a process on the machine.
pub(crate) fn in_process_on(machine: &Machine, visible: &str, test: &str, body: fn()) {
    if std::env::var_os("STAND_IN_MACHINE").is_some() {
        return body();
    }
    let ran = Command::new(std::env::current_exe().expect("we run"))
        .args(["--exact", test])
        .envs(machine.env())
        .env("CUDA_VISIBLE_DEVICES", visible)
        .output()
        .expect("the tests start");
    let stdout = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && stdout.contains("1 passed"), "{}: {stdout}", ran.status);
}

fn on(machine: Machine, visible: &str, test: &str, body: fn()) {
    in_process_on(&machine, visible, &format!("stand_in_cuda::{test}"), body);
}

/// NVML, in a process on the machine.
fn nvml() -> Nvml {
    Nvml::init().expect("the stand-in is on the path")
}

fn code<T>(result: Result<T, DriverError>) -> Option<u32> {
    result.err().map(|error| error.0 as u32)
}

#[test]
fn what_is_written_is_read_back_and_what_is_allocated_nvml_sees() {
    let machine = Machine::new([Device::new("GPU-0")]);
    on(machine, "0", "what_is_written_is_read_back_and_what_is_allocated_nvml_sees", || {
        let nvml = nvml();
        assert_eq!(used(&nvml, "GPU-0"), BASELINE);
        let context = CudaContext::new(0).expect("there is a device");
        assert_eq!(used(&nvml, "GPU-0"), BASELINE + CONTEXT);

        let stream = context.default_stream();
        let pattern: Vec<u8> = (0..1 << 20).map(|byte: u32| byte.to_le_bytes()[1]).collect();
        let written = stream.clone_htod(&pattern).expect("there is room");
        assert_eq!(used(&nvml, "GPU-0"), BASELINE + CONTEXT + (1 << 20));
        assert_eq!(stream.clone_dtoh(&written).expect("it reads"), pattern);
        let device = nvml.device_by_index(0).expect("it is there");
        let pids: Vec<u32> =
            device.running_compute_processes().expect("it lists them").iter().map(|on| on.pid).collect();
        assert_eq!(pids, [std::process::id()]);

        // The pool keeps what was freed until the process waits for its work.
        drop(written);
        assert_eq!(used(&nvml, "GPU-0"), BASELINE + CONTEXT + (1 << 20));
        context.synchronize().expect("it waits");
        assert_eq!(used(&nvml, "GPU-0"), BASELINE + CONTEXT);

        drop(stream);
        drop(context);
        assert_eq!(used(&nvml, "GPU-0"), BASELINE);
    });
}

#[test]
fn a_pool_gives_back_what_it_keeps_when_it_is_trimmed() {
    let machine = Machine::new([Device::new("GPU-0")]);
    on(machine, "0", "a_pool_gives_back_what_it_keeps_when_it_is_trimmed", || {
        let context = CudaContext::new(0).expect("there is a device");
        drop(context.default_stream().alloc_zeros::<u8>(1 << 30).expect("there is room"));
        #[expect(unsafe_code, reason = "the device is one, says its context")]
        let pool = unsafe { get_default_mem_pool(context.cu_device()) }.expect("it has pools");
        let reserved = || {
            let mut bytes = 0_u64;
            let into = (&raw mut bytes).cast();
            #[expect(unsafe_code, reason = "this attribute is of 64 bits, says CUDA's reference")]
            unsafe { mem_pool::get_attribute(pool, CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT, into) }
                .expect("it tells");
            bytes
        };
        assert_eq!(reserved(), GIB);
        #[expect(unsafe_code, reason = "the pool is the device's own, and there as long as it")]
        unsafe { mem_pool::trim_to(pool, 0) }.expect("it trims");
        assert_eq!(reserved(), 0);
        assert_eq!(used(&nvml(), "GPU-0"), BASELINE + CONTEXT);
    });
}

#[test]
fn more_than_is_free_is_out_of_memory_without_pools_too() {
    let device = Device { memory_pools: false, memory_reserved_bytes: 0, ..Device::new("GPU-0") };
    let machine = Machine::new([Device { memory_total_bytes: 2 * GIB, ..device }]);
    machine.hold("GPU-0", std::process::id(), GIB);
    on(machine, "0", "more_than_is_free_is_out_of_memory_without_pools_too", || {
        let context = CudaContext::new(0).expect("there is a device");
        let (free, total) = mem_get_info().expect("it tells");
        assert_eq!((free as u64, total as u64), (GIB - BASELINE - CONTEXT, 2 * GIB));
        let stream = context.default_stream();
        assert_eq!(code(stream.alloc_zeros::<u8>(free + 1)), Some(2));
        let all = stream.alloc_zeros::<u8>(free).expect("there is room");
        assert_eq!(mem_get_info().expect("it tells").0, 0);
        drop(all);
        assert_eq!(mem_get_info().expect("it tells").0, free);
    });
}

#[test]
fn devices_are_those_of_the_environment_in_its_order() {
    let uuid = |number| format!("GPU-{number}0000000-1111-2222-3333-444444444444");
    let machine = Machine::new([1, 2, 3].map(|number| Device::new(&uuid(number))));
    let visible = format!("GPU-3,{},GPU-9,0", uuid(1));
    on(machine, &visible, "devices_are_those_of_the_environment_in_its_order", || {
        assert_eq!(CudaContext::device_count(), Ok(2), "the list ends at what is no device");
        let second = CudaContext::new(1).expect("there are two");
        let uuid = second.uuid().expect("it has one").bytes.map(i8::cast_unsigned);
        assert_eq!(uuid[..6], [0x10, 0, 0, 0, 0x11, 0x11]);
        assert_eq!(used(&nvml(), "GPU-10000000-1111-2222-3333-444444444444"), BASELINE + CONTEXT);
        assert_eq!(used(&nvml(), "GPU-30000000-1111-2222-3333-444444444444"), BASELINE);
    });
}

#[test]
fn a_process_that_may_see_no_device_finds_none() {
    let machine = Machine::new([Device::new("GPU-0")]);
    on(machine, "", "a_process_that_may_see_no_device_finds_none", || {
        assert_eq!(CudaContext::device_count(), Err(DriverError(cudaError_enum::CUDA_ERROR_NO_DEVICE)));
    });
}

#[test]
fn a_fault_spoils_one_copy_or_fails_one_call() {
    let machine = Machine::new([Device::new("GPU-0")]);
    let copy = Fault { function: "cuMemcpyDtoHAsync_v2".into(), corrupt: true, ..Fault::default() };
    machine.fault(Fault { from_call: 2, calls: Some(1), ..copy });
    let fails = Fault { function: "cuCtxSynchronize".into(), code: Some(719), ..Fault::default() };
    machine.fault(Fault { calls: Some(1), ..fails });
    on(machine, "0", "a_fault_spoils_one_copy_or_fails_one_call", || {
        let context = CudaContext::new(0).expect("there is a device");
        let stream = context.default_stream();
        let written = stream.clone_htod(&[7_u8; 64]).expect("there is room");
        let reads = [0; 3].map(|_| stream.clone_dtoh(&written).expect("it reads") == [7_u8; 64]);
        assert_eq!(reads, [true, false, true]);
        assert_eq!(code(context.synchronize()), Some(719));
        assert_eq!(code(context.synchronize()), None);
    });
}
