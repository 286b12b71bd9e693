//! Reading devices: what each answers, and what becomes of those that do not.

use std::time::Duration;

use reprieve::gpu::{Faults, Gpus, Sampled, Sampler, Unavailable};
use reprieve::reading::{ClockReason, ReadingError, Recovery};
use reprieve::samples::Samples;

use crate::machine::{Device, Fault, Instance, Machine, Process};
use crate::support::{Place, until};

const GIB: u64 = 1 << 30;

fn open(machine: &Machine) -> Gpus {
    Gpus::open(Some(&machine.nvml())).expect("the stand-in is there")
}

fn two() -> Machine {
    Machine::new([
        Device { pci_bus_id: "00000000:3B:00.0".into(), ..Device::new("GPU-0") },
        Device { pci_bus_id: "00000000:86:00.0".into(), ..Device::new("GPU-1") },
    ])
}

fn failing(function: &str, code: u32) -> Fault {
    Fault {
        function: function.into(),
        device: Some("GPU-1".into()),
        code: Some(code),
        from_call: 1,
        ..Fault::default()
    }
}

#[test]
fn a_reading_has_everything_that_the_device_offers() {
    let machine = two();
    machine.hold("GPU-0", std::process::id(), GIB);
    machine.device("GPU-0", |device| {
        device.foreign = vec![Process { pid: 4242, bytes: None }];
        device.clock_reasons = Some(0x44);
        device.fields.extend([(143, 2), (144, 1), (230, 4)]);
        device.uncorrected_errors = Some(3);
    });
    machine.device("GPU-1", |device| {
        device.fields.clear();
        device.temperature_celsius = None;
        device.energy_millijoules = None;
        device.clock_reasons = None;
        device.uncorrected_errors = None;
    });
    let gpus = open(&machine);
    let full = gpus.read("GPU-0").expect("it answers");
    assert_eq!(full.memory_total_bytes, 80 * GIB);
    assert_eq!(full.memory_used_bytes, (4 << 20) + GIB);
    assert_eq!(gpus.memory("GPU-0"), Ok(full.memory_used_bytes));
    let held: Vec<_> = full.processes.iter().map(|process| (process.pid, process.memory_bytes)).collect();
    let mut expected = [(4242, None), (std::process::id(), Some(GIB))];
    expected.sort_unstable();
    assert_eq!(held, expected);
    assert_eq!((full.temperature_celsius, full.slowdown_celsius), (Some(32), Some(87)));
    assert_eq!((full.power_milliwatts, full.sm_clock_mhz), (Some(70_000), Some(345)));
    assert_eq!(full.clock_reasons, Some(vec![ClockReason::SwPowerCap, ClockReason::HwThermalSlowdown]));
    assert_eq!(full.throttled(), Some(true));
    let rows = full.remapped_rows.expect("it tells them");
    assert_eq!((rows.uncorrectable, rows.pending, rows.failed), (2, true, false));
    assert_eq!((full.recovery, full.uncorrected_errors), (Some(Recovery::ResetDevice), Some(3)));

    let poor = gpus.read("GPU-1").expect("it answers");
    assert_eq!((poor.temperature_celsius, poor.energy_millijoules), (None, None));
    assert_eq!((poor.clock_reasons.clone(), poor.throttled()), (None, None));
    assert_eq!((poor.remapped_rows, poor.recovery, poor.uncorrected_errors), (None, None, None));
    assert_eq!(gpus.read("GPU-2"), Err(ReadingError::NoSuchDevice));
}

#[test]
fn every_error_comes_as_what_can_be_done_about_it() {
    let told = |code: u32, calls: Option<u64>| {
        let machine = two();
        let gpus = open(&machine);
        machine.fault(Fault { calls, ..failing("nvmlDeviceGetMemoryInfo_v2", code) });
        let sick = gpus.memory("GPU-1");
        assert!(gpus.memory("GPU-0").is_ok(), "code {code}");
        sick
    };
    assert_eq!(told(3, None), Err(ReadingError::NotSupported));
    assert!(matches!(told(15, None), Err(ReadingError::DeviceLost(_))));
    assert!(matches!(told(16, None), Err(ReadingError::DeviceLost(_))));
    assert!(matches!(told(18, None), Err(ReadingError::Unavailable(text)) if text.contains("hint: ")));
    assert!(matches!(told(19, None), Err(ReadingError::Transient(text)) if text.contains("4 times")));
    assert!(matches!(told(999, None), Err(ReadingError::Other(text)) if text.contains("3 times\nhint: ")));
    assert!(matches!(told(2, None), Err(ReadingError::Other(_))));
    assert!(told(19, Some(3)).is_ok(), "it passes while it is asked again");
    assert!(told(999, Some(2)).is_ok(), "it passes while it is asked again");
    assert!(told(1, Some(1)).is_ok(), "initialising anew mends it");
    assert!(matches!(told(1, None), Err(ReadingError::Unavailable(_))));
}

#[test]
fn a_part_that_fails_for_good_spares_the_rest_of_the_reading() {
    let machine = two();
    machine.fault(failing("nvmlDeviceGetPowerUsage", 999));
    machine.fault(failing("nvmlDeviceGetComputeRunningProcesses_v3", 4));
    let reading = open(&machine).read("GPU-1").expect("memory is told");
    assert_eq!((reading.power_milliwatts, reading.temperature_celsius), (None, Some(32)));
    assert_eq!(reading.processes, []);
}

#[test]
fn a_silent_device_holds_up_no_other_and_is_not_asked_again_meanwhile() {
    let machine = two();
    let gpus = open(&machine);
    machine.fault(Fault {
        function: "nvmlDeviceGetMemoryInfo_v2".into(),
        device: Some("GPU-1".into()),
        hang_ms: u64::MAX,
        ..Fault::default()
    });
    let silent = {
        let gpus = gpus.clone();
        std::thread::spawn(move || gpus.memory("GPU-1"))
    };
    // All the while, the other one answers.
    let mut answers = 0;
    until("the silent device's error", || {
        assert!(gpus.memory("GPU-0").is_ok());
        answers += 1;
        silent.is_finished()
    });
    assert!(answers > 1);
    let silent = silent.join().expect("it does not panic");
    assert!(
        matches!(&silent, Err(ReadingError::Transient(text)) if text.contains("within 10 s")),
        "{silent:?}"
    );
    let again = gpus.memory("GPU-1");
    assert!(matches!(&again, Err(ReadingError::Transient(text)) if text.contains("earlier")), "{again:?}");
}

#[test]
fn a_lost_device_does_not_hide_the_others() {
    let machine = two();
    machine.fault(failing("*", 15));
    let gpus = open(&machine);
    let found: Vec<_> = gpus.devices().into_iter().map(|device| device.id).collect();
    assert_eq!(found, ["GPU-0"]);
    assert!(matches!(gpus.unread(), [(1, ReadingError::DeviceLost(_))]), "{:?}", gpus.unread());
    assert!(gpus.read("GPU-0").is_ok());
    assert!(matches!(gpus.read("GPU-1"), Err(ReadingError::DeviceLost(_))));
}

#[test]
fn an_instance_has_its_own_memory_and_its_devices_heat() {
    let instance = |number| Instance {
        uuid: format!("MIG-{number}"),
        gpu_instance: number,
        compute_instance: 0,
        memory_total_bytes: 10 * GIB,
        memory_used_bytes: 1 << 20,
    };
    let divided = Device {
        instances: vec![instance(1), instance(2)],
        ..Device::new("GPU-01234567-89ab-cdef-0123-456789abcdef")
    };
    let machine = Machine::new([divided, Device::new("GPU-1")]);
    machine.hold("MIG-2", std::process::id(), GIB);
    let gpus = open(&machine);
    let found: Vec<_> = gpus.devices().into_iter().map(|device| (device.id, device.name)).collect();
    let name = "NVIDIA Stand-in 80GB MIG of GPU-01234567";
    let expected = [("MIG-1", name), ("MIG-2", name), ("GPU-1", "NVIDIA Stand-in 80GB")];
    assert_eq!(found, expected.map(|(id, name)| (id.to_owned(), name.to_owned())));
    let reading = gpus.read("MIG-2").expect("it answers");
    assert_eq!((reading.memory_total_bytes, reading.memory_used_bytes), (10 * GIB, (1 << 20) + GIB));
    assert_eq!(reading.processes.len(), 1);
    assert_eq!((reading.temperature_celsius, reading.power_milliwatts), (Some(32), Some(70_000)));
    assert_eq!(gpus.read("MIG-1").expect("it answers").processes, []);
}

#[test]
fn a_library_that_was_named_and_is_not_there_is_no_machine_without_devices() {
    let place = Place::new();
    let opened = Gpus::open(Some(&place.path("libnvidia-ml.so.1")));
    assert!(matches!(opened, Err(Unavailable::Failed(_))), "{opened:?}");
    let machine = Machine::new([]);
    machine.fault(Fault { function: "nvmlInit_v2".into(), code: Some(9), ..Fault::default() });
    assert!(matches!(Gpus::open(Some(&machine.nvml())), Err(Unavailable::NoNvml(_))));
}

/// Samples both devices until this is so.
fn sampled(machine: &Machine, place: &Place, ours: u32, done: impl Fn(&[String]) -> bool) -> Samples {
    let devices = ["GPU-0", "GPU-1"].map(|uuid| Sampled { uuid: uuid.into(), baseline_bytes: Some(4 << 20) });
    let file = place.path("samples.csv");
    let every = Duration::from_millis(20);
    let sampler =
        Sampler::start(&open(machine), &devices, every, &file, move |pid| pid == ours).expect("it starts");
    until("the samples", || done(&place.lines("samples.csv")));
    sampler.stop()
}

fn rows(lines: &[String], uuid: &str) -> usize {
    lines.iter().filter(|line| line.split(',').nth(1) == Some(uuid)).count()
}

#[test]
fn what_devices_did_is_sampled_and_summed_up() {
    let machine = two();
    let place = Place::new();
    let ours = std::process::id();
    machine.hold("GPU-0", ours, GIB);
    machine.device("GPU-0", |device| {
        device.foreign = vec![Process { pid: 4242, bytes: Some(GIB) }];
        device.clock_reasons = Some(0x40);
    });
    let samples = sampled(&machine, &place, ours, |lines| {
        let busy = lines.iter().any(|line| line.contains(",91,"));
        if rows(lines, "GPU-0") > 2 && !busy {
            machine.device("GPU-0", |device| device.temperature_celsius = Some(91));
        }
        busy && rows(lines, "GPU-1") > 2
    });
    let [busy, idle] = &samples.devices[..] else { panic!("{samples:?}") };
    assert_eq!(samples.file_cut, None);
    assert_eq!(busy.memory_peak_bytes, Some((4 << 20) + 2 * GIB));
    assert_eq!(busy.memory_residual_bytes, Some(2 * GIB));
    assert_eq!(busy.foreign_processes, [4242]);
    assert!(busy.throttled_for.is_some_and(|throttled| !throttled.is_zero()));
    assert!(busy.energy_millijoules.is_some_and(|energy| energy > 0));
    let heat = busy.temperature_celsius.expect("it is told");
    assert_eq!((heat.min, heat.max), (32, 91));
    assert_eq!(busy.gaps, []);
    assert_eq!(idle.throttled_for, Some(Duration::ZERO));
    assert_eq!((idle.memory_residual_bytes, &idle.foreign_processes[..]), (Some(0), &[][..]));
    let lines = place.lines("samples.csv");
    assert_eq!(rows(&lines, "GPU-0") as u64, busy.taken);
    let columns = lines[0].split(',').count();
    assert!(lines.iter().all(|line| line.split(',').count() == columns), "{lines:#?}");
}

#[test]
fn a_sampler_stops_though_a_device_is_silent_and_says_what_is_missing() {
    let machine = two();
    let place = Place::new();
    machine.fault(Fault {
        function: "nvmlDeviceGetMemoryInfo_v2".into(),
        device: Some("GPU-1".into()),
        hang_ms: u64::MAX,
        from_call: 2,
        ..Fault::default()
    });
    let samples = sampled(&machine, &place, 0, |lines| rows(lines, "GPU-1") > 1);
    let [fine, silent] = &samples.devices[..] else { panic!("{samples:?}") };
    assert!(fine.taken > 2 && fine.gaps.is_empty(), "{fine:?}");
    assert_eq!(silent.taken, 1);
    assert!(silent.gaps.iter().any(|gap| gap.reason.starts_with("no answer")), "{silent:?}");
}

#[test]
fn a_fault_is_told_once_whoever_reports_it() {
    let machine = two();
    let place = Place::new();
    let log = |line: &str| {
        let before = std::fs::read_to_string(place.path("kmsg")).unwrap_or_default();
        place.write("kmsg", format!("{before}3,1,2,-;NVRM: {line}\n"));
    };
    machine.xid("GPU-0", 13);
    log("Xid (PCI:0000:3b:00): 13, before anyone watched");
    let faults = Faults::watch_with(&open(&machine), &place.path("kmsg"));
    assert_eq!(faults.seen(), []);
    machine.xid("GPU-1", 31);
    log("Xid (PCI:0000:86:00): 31, pid=1, name=python, Ch 00000010");
    log("GPU 0000:3b:00.0: GPU has fallen off the bus.");
    log("Xid (PCI:0000:99:00): 48, of nobody here");
    until("both faults", || faults.seen().len() >= 2);
    let mut told: Vec<_> = faults
        .stop(std::time::Duration::from_millis(250))
        .into_iter()
        .map(|fault| (fault.uuid, fault.xid))
        .collect();
    told.sort();
    assert_eq!(told, [("GPU-0".to_owned(), 79), ("GPU-1".to_owned(), 31)]);
}

#[test]
fn what_happened_just_before_the_stop_is_still_told() {
    let machine = two();
    let place = Place::new();
    let faults = Faults::watch_with(&open(&machine), &place.path("no-kmsg"));
    machine.xid("GPU-1", 31);
    machine.xid("GPU-1", 43);
    let told: Vec<_> = faults
        .stop(std::time::Duration::from_millis(250))
        .into_iter()
        .map(|fault| (fault.uuid, fault.xid))
        .collect();
    assert_eq!(told, [("GPU-1".to_owned(), 31), ("GPU-1".to_owned(), 43)]);
}
