//! CUDA as Reprieve uses it: probes of devices, and a process's own contexts.

use std::fs;
use std::panic::catch_unwind;

use cudarc::driver::CudaContext;
use cudarc::driver::result::ctx::get_current;
use reprieve::clean::{Devices, OpenError};
use reprieve::cleanup::{CleanupAction, Consequence, Step, StepOutcome, StepReport};
use reprieve::event::{AttemptEnded, Event};
use reprieve::gpu::Gpus;
use rustix::process::{Pid, Signal, kill_process};

use crate::guest;
use crate::machine::{Device, Fault, Machine};
use crate::stand_in_cuda::in_process_on;
use crate::support::{Place, Ran, until};

const GIB: u64 = 1 << 30;
const BASELINE: u64 = 4 << 20;
const CONTEXT: u64 = 500 << 20;
const FIRST: &str = "GPU-10000000-1111-2222-3333-444444444444";
const SECOND: &str = "GPU-20000000-1111-2222-3333-444444444444";

fn one() -> Machine {
    Machine::new([Device::new("GPU-0")])
}

fn fault(function: &str) -> Fault {
    Fault { function: function.into(), ..Fault::default() }
}

/// What `reprieve probe` says on a machine.
fn probed(machine: &Machine, bytes: u64) -> (Ran, String) {
    let ran = Place::new().on(machine).reprieve(&["probe", &bytes.to_string()]);
    let told = ran.json().pop().map(|line| line["message"].as_str().expect("it has one").to_owned());
    (ran, told.unwrap_or_default())
}

/// A study of one experiment, whose policy plans a probe before it and after it.
fn study(place: Place, devices: u32, bytes: u64, timeout_ms: u64, consequence: Consequence) -> Place {
    let consequence = if consequence == Consequence::CarryOn { "0" } else { "1" };
    let text = include_str!("../policy/guests/prober.wat")
        .replace("const CONSEQUENCE", &format!("const {consequence}"))
        .replace("const BYTES", &format!("const {bytes}"))
        .replace("const TIMEOUT_MS", &format!("const {timeout_ms}"));
    place.write("prober.wasm", guest::component(&text, "planner"));
    place.write(
        "study.toml",
        format!(
            "name = \"s\"\npolicy = {{ settings = {{ max_retries = 0 }} }}\n\
             cleanup = {{ policy = {{ use = \"./prober.wasm\" }} }}\n\
             [[experiments]]\nname = \"e\"\ndevices = {devices}\nmeasure = [\"true\"]\n"
        ),
    );
    place
}

/// The probes before and after the first attempt.
fn probes(place: &Place) -> Vec<StepReport> {
    let ended = |event| if let Event::AttemptEnded(ended) = event { Some(ended) } else { None };
    let ended: Vec<AttemptEnded> =
        place.events().into_iter().filter_map(|stamped| ended(stamped.event)).collect();
    let cleanup = ended[0].cleanup.clone().expect("its supervisor cleaned up");
    cleanup.steps.into_iter().filter(|report| report.step.action.name() == "probe").collect()
}

#[test]
fn a_healthy_device_passes_at_any_size() {
    let machine = one();
    for bytes in [0, 1, (2 << 20) + 7, 256 << 20] {
        let (ran, _) = probed(&machine, bytes);
        assert_eq!(ran.code, 0, "{ran}");
        let line = &ran.json()[0];
        assert_eq!((line["ok"].as_bool(), line["allocated_bytes"].as_u64()), (Some(true), Some(bytes)));
    }
}

#[test]
fn a_device_that_gives_back_something_else_does_not_pass() {
    let machine = one();
    // The third page's.
    machine.fault(Fault { corrupt: true, from_call: 3, ..fault("cuMemcpyDtoHAsync_v2") });
    let (ran, told) = probed(&machine, 16 << 20);
    assert_eq!(ran.code, 3, "{ran}");
    assert!(told.starts_with("memory is corrupt: at byte 4194304 "), "{told}");
}

#[test]
fn more_than_is_free_does_not_pass_and_the_sizes_are_told() {
    for memory_pools in [true, false] {
        let machine = Machine::new([Device { memory_pools, ..Device::new("GPU-0") }]);
        machine.hold("GPU-0", std::process::id(), 60 * GIB);
        let (ran, told) = probed(&machine, 40 * GIB);
        assert_eq!(ran.code, 3, "{ran}");
        assert_eq!(
            told,
            "CUDA_ERROR_OUT_OF_MEMORY (2), out of memory: 40.0 GiB asked for, 18.9 GiB of 80.0 GiB free"
        );
    }
}

#[test]
fn an_error_of_the_driver_is_told_in_its_words() {
    let machine = one();
    machine.fault(Fault { code: Some(214), calls: Some(1), ..fault("cuMemcpyHtoDAsync_v2") });
    let (ran, told) = probed(&machine, 1 << 20);
    assert_eq!(ran.code, 3, "{ran}");
    assert_eq!(told, "writing: CUDA_ERROR_ECC_UNCORRECTABLE (214), uncorrectable ECC error encountered");
}

#[test]
fn each_leased_device_is_probed_and_its_memory_is_back_before_the_next_experiment() {
    let machine = Machine::new([Device::new("GPU-0"), Device::new("GPU-1")]);
    let place = study(Place::new().on(&machine), 2, 1 << 20, 60_000, Consequence::QuarantineDevice);
    let ran = place.run();
    assert_eq!(ran.code, 0, "{ran}");
    let probes = probes(&place);
    assert_eq!(probes.len(), 2, "before and after");
    for report in probes {
        assert_eq!(report.outcome, StepOutcome::Done("1 MiB on each device".into()));
    }
    assert!(!ran.stdout.contains("quarantined"), "{ran}");
}

#[test]
fn a_probe_that_hangs_is_ended_and_the_other_device_passes() {
    let machine = Machine::new([Device::new("GPU-0"), Device::new("GPU-1")]);
    let hang = Fault { hang_ms: u64::MAX, device: Some("GPU-1".into()), ..fault("cuDevicePrimaryCtxRetain") };
    machine.fault(Fault { calls: Some(1), across_processes: true, ..hang });
    let place = study(Place::new().on(&machine), 2, 0, 5_000, Consequence::CarryOn);
    let ran = place.run();
    assert_eq!(ran.code, 0, "{ran}");
    let [hung, passed] = &probes(&place)[..] else { panic!("{ran}") };
    let why = "GPU-1: the probe took longer than 5s and was ended";
    assert_eq!((&hung.outcome, &hung.failed_on[..]), (&StepOutcome::Failed(why.into()), &[1][..]));
    assert_eq!(passed.outcome, StepOutcome::Done("a context on each device".into()));
    // A probe is no leftover of the experiment's.
    assert_eq!(place.attempts()[0].facts, []);
}

#[test]
fn a_probe_whose_memory_comes_back_late_spoils_no_device() {
    let machine = Machine::new([Device { release_ms: 400, ..Device::new("GPU-0") }]);
    // The one after the attempt: it is killed, with its context.
    let hang = Fault { hang_ms: u64::MAX, from_call: 2, ..fault("cuCtxSynchronize") };
    machine.fault(Fault { across_processes: true, ..hang });
    let place = study(Place::new().on(&machine), 1, 0, 5_000, Consequence::CarryOn);
    let ran = place.run();
    assert_eq!(ran.code, 0, "{ran}");
    assert!(matches!(&probes(&place)[1].outcome, StepOutcome::Failed(_)), "{ran}");
    assert!(!ran.stdout.contains("quarantined"), "{ran}");
}

/// The process that was started with these arguments.
fn process_with(arguments: &[&str]) -> Option<Pid> {
    let pids = fs::read_dir("/proc").expect("Linux has it").filter_map(|entry| {
        let path = entry.ok()?.path();
        let line = fs::read_to_string(path.join("cmdline")).ok()?;
        let given: Vec<&str> = line.trim_end_matches('\0').split('\0').skip(1).collect();
        (given == arguments).then(|| path.file_name()?.to_str()?.parse().ok()).flatten()
    });
    pids.filter_map(Pid::from_raw).next()
}

#[test]
fn a_driver_that_ends_its_process_costs_the_probe_and_nothing_else() {
    let machine = one();
    let hang = Fault { hang_ms: u64::MAX, calls: Some(1), across_processes: true, ..fault("cuInit") };
    machine.fault(hang);
    let bytes = (64 << 20) + u64::from(std::process::id());
    let place = study(Place::new().on(&machine), 1, bytes, 60_000, Consequence::CarryOn);
    let host = place.start_run();
    let mut probe = None;
    // The stand-in counts the call before it hangs in it.
    until("the call", || {
        fs::read_to_string(machine.path("ledger.json")).is_ok_and(|text| text.contains("cuInit"))
    });
    until("the probe", || {
        probe = process_with(&["probe", &bytes.to_string()]);
        probe.is_some()
    });
    // As an assertion of the driver's does.
    kill_process(probe.expect("it is there"), Signal::ABORT).expect("it hangs");
    let ran = host.wait();
    assert_eq!(ran.code, 0, "{ran}");
    let [ended, passed] = &probes(&place)[..] else { panic!("{ran}") };
    let why = "GPU-0: CUDA ended the probe with signal 6";
    assert_eq!((&ended.outcome, &ended.failed_on[..]), (&StepOutcome::Failed(why.into()), &[0][..]));
    assert!(matches!(passed.outcome, StepOutcome::Done(_)), "{passed:?}");
}

#[test]
fn an_error_that_no_header_knows_costs_the_probe_and_nothing_else() {
    let machine = one();
    machine.fault(Fault { code: Some(917), ..fault("cuCtxSynchronize") });
    let place = study(Place::new().on(&machine), 1, 1 << 20, 60_000, Consequence::CarryOn);
    let ran = place.run();
    assert_eq!(ran.code, 0, "{ran}");
    for report in probes(&place) {
        assert!(
            matches!(&report.outcome, StepOutcome::Failed(why) if why.starts_with("GPU-0: ")),
            "{report:?}"
        );
        assert_eq!(report.failed_on, [0]);
    }
}

#[test]
fn a_device_that_does_not_pass_gets_no_experiment_where_the_plan_says_so() {
    let machine = one();
    machine.fault(Fault { corrupt: true, ..fault("cuMemcpyDtoHAsync_v2") });
    let place = study(Place::new().on(&machine), 1, 1 << 20, 60_000, Consequence::QuarantineDevice);
    let ran = place.run();
    assert!(ran.stdout.contains("quarantined GPU-0: probe failed: GPU-0: memory is corrupt"), "{ran}");
    assert!(matches!(&place.attempts()[0].ending, reprieve::attempt::Ending::NotStarted(_)), "{ran}");
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that cannot be run says so")]
fn without_cuda_a_probe_is_skipped_and_says_so() {
    #[expect(unsafe_code, reason = "it looks for the driver, whose loading is what it asks about")]
    if unsafe { cudarc::driver::sys::is_culib_present() } {
        println!("SKIPPED: this machine has a CUDA driver");
        return;
    }
    let machine = one();
    for name in ["lib/libcuda.so", "lib/libcuda.so.1"] {
        fs::remove_file(machine.path(name)).expect("it is there");
    }
    let (ran, told) = probed(&machine, 0);
    assert_eq!((ran.code, &*told), (69, "no CUDA: the loader finds no `libcuda.so`"), "{ran}");
    let place = study(Place::new().on(&machine), 1, 1 << 20, 60_000, Consequence::QuarantineDevice);
    let ran = place.run();
    assert_eq!(ran.code, 0, "{ran}");
    for report in probes(&place) {
        assert_eq!(report.outcome, StepOutcome::Skipped(told.clone()));
    }
}

#[test]
fn a_library_that_is_named_is_the_one_that_is_used() {
    let machine = one();
    fs::create_dir(machine.path("other")).expect("it is new");
    fs::rename(machine.path("lib/libcuda.so.1"), machine.path("other/libcuda.so.1")).expect("it is there");
    fs::remove_file(machine.path("lib/libcuda.so")).expect("it is there");
    let outcome = |name: &str| {
        let named = machine.path(name);
        let place =
            Place::new().on(&machine).env("REPRIEVE_CUDA_LIBRARY", named.to_str().expect("a path of ours"));
        let place = study(place, 1, 1 << 20, 60_000, Consequence::CarryOn);
        place.run();
        probes(&place)[0].outcome.clone()
    };
    assert!(matches!(outcome("other/libcuda.so.1"), StepOutcome::Done(_)));
    assert!(matches!(outcome("none/libcuda.so.1"), StepOutcome::Failed(why) if why.contains("is no file")));
}

/// Two devices, both visible to the process.
fn on_two(test: &str, faults: &[Fault], body: fn()) {
    let machine = Machine::new([Device::new(FIRST), Device::new(SECOND)]);
    for fault in faults {
        machine.fault(fault.clone());
    }
    in_process_on(&machine, "0,1", &format!("cuda::{test}"), body);
}

/// Carries out one step, and says what it brought.
fn does(devices: &Devices, action: CleanupAction) -> StepReport {
    let step = Step { action, if_it_fails: Consequence::CarryOn };
    devices.clean(vec![step]).steps.pop().expect("it had one step")
}

fn used() -> [u64; 2] {
    let gpus = Gpus::open(None).expect("the stand-in is on the path");
    [FIRST, SECOND].map(|uuid| gpus.memory(uuid).expect("it answers"))
}

const OWN_STEPS: [CleanupAction; 3] =
    [CleanupAction::Synchronize, CleanupAction::ReleaseCachedMemory, CleanupAction::ResetContexts];

#[test]
fn a_process_without_a_context_gets_none_by_cleaning_up() {
    on_two("a_process_without_a_context_gets_none_by_cleaning_up", &[], || {
        let devices = Devices::open(&[]).expect("NVML is there");
        let nothing = StepOutcome::Skipped("this process holds no CUDA context".into());
        let all_skip = || OWN_STEPS.into_iter().all(|action| does(&devices, action).outcome == nothing);
        assert!(all_skip());
        let maps = fs::read_to_string("/proc/self/maps").expect("Linux has it");
        assert!(!maps.contains("libcuda"), "the library is not even loaded");
        CudaContext::device_count().expect("now it is, and initialised");
        assert!(all_skip());
        drop(CudaContext::new(0).expect("there is a device"));
        assert!(all_skip());
        assert_eq!(used(), [BASELINE; 2]);
    });
}

#[test]
fn cached_memory_is_given_back_on_the_devices_that_were_opened_and_on_no_other() {
    on_two("cached_memory_is_given_back_on_the_devices_that_were_opened_and_on_no_other", &[], || {
        let contexts = [0, 1].map(|ordinal| CudaContext::new(ordinal).expect("there is a device"));
        let devices = Devices::open(&[SECOND]).expect("NVML is there");
        for context in &contexts {
            drop(context.default_stream().alloc_zeros::<u8>(1 << 30).expect("there is room"));
        }
        assert_eq!(used(), [BASELINE + CONTEXT + GIB; 2]);
        let current = get_current();
        let report = does(&devices, CleanupAction::ReleaseCachedMemory);
        assert_eq!((report.outcome, report.released_bytes), (StepOutcome::Done(String::new()), GIB));
        assert_eq!(used(), [BASELINE + CONTEXT + GIB, BASELINE + CONTEXT]);
        let all = Devices::open(&[]).expect("NVML is there");
        assert_eq!(does(&all, CleanupAction::Synchronize).outcome, StepOutcome::Done(String::new()));
        assert_eq!(used(), [BASELINE + CONTEXT; 2], "a pool gives back what it keeps once its work is done");
        assert_eq!(get_current(), current, "the thread's context is the one it was");
        does(&devices, CleanupAction::ResetContexts);
        assert_eq!(used(), [BASELINE + CONTEXT, BASELINE]);
    });
}

#[test]
fn a_guard_cleans_up_after_a_panic_and_hides_neither_it_nor_an_error_of_its_own() {
    let unknown = Fault { code: Some(917), device: Some(SECOND.into()), ..fault("cuMemPoolTrimTo") };
    let test = "a_guard_cleans_up_after_a_panic_and_hides_neither_it_nor_an_error_of_its_own";
    on_two(test, &[unknown, fault("cuCtxSynchronize")], || {
        let contexts = [0, 1].map(|ordinal| CudaContext::new(ordinal).expect("there is a device"));
        let devices = Devices::open(&[]).expect("NVML is there");
        let work = catch_unwind(|| {
            let _guard = devices.guard();
            drop(contexts[0].default_stream().alloc_zeros::<u8>(1 << 30).expect("there is room"));
            panic!("the first failure");
        });
        let panic = work.expect_err("it panicked");
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"the first failure"));
        assert_eq!(used(), [BASELINE + CONTEXT; 2]);
        let report = does(&devices, CleanupAction::ReleaseCachedMemory);
        let why = format!("{}: `cuMemPoolTrimTo` returned error 917 of CUDA", &SECOND[4..]);
        assert_eq!((report.outcome, report.failed_on), (StepOutcome::Failed(why), vec![1]));
    });
}

#[test]
fn memory_that_a_program_still_uses_is_told_with_the_device_that_it_is_on() {
    on_two("memory_that_a_program_still_uses_is_told_with_the_device_that_it_is_on", &[], || {
        let devices = Devices::open(&[]).expect("NVML is there");
        let context = CudaContext::new(1).expect("there is a device");
        let _kept = context.default_stream().alloc_zeros::<u8>(1 << 30).expect("there is room");
        let report = devices.clean_now().steps.pop().expect("it waits for memory last");
        let StepOutcome::Failed(why) = report.outcome else { panic!("{report:?}") };
        assert!(why.starts_with(SECOND) && why.contains("above its baseline"), "{why}");
        assert_eq!(report.failed_on, [1]);
        let unknown = Devices::open(&["GPU-9"]);
        assert!(matches!(unknown, Err(OpenError::NoSuchDevice { .. })), "{unknown:?}");
    });
}
