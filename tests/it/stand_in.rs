//! The stand-ins answer the real nvml-wrapper and the real cudarc as a driver does.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::bitmasks::event::EventTypes;
use nvml_wrapper::enum_wrappers::device::{Clock, EccCounter, MemoryError};
use nvml_wrapper::enum_wrappers::device::{TemperatureSensor, TemperatureThreshold};
use nvml_wrapper::enums::device::{SampleValue, UsedGpuMemory};
use nvml_wrapper::enums::event::XidError;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::structs::device::FieldId;
use nvml_wrapper::{EventSet, Nvml};

use crate::machine::{Device, Fault, Instance, Machine, Process, ProcessList};
use crate::support::{Place, until};

const GIB: u64 = 1 << 30;

fn nvml(machine: &Machine) -> Nvml {
    Nvml::builder().lib_path(machine.nvml().as_os_str()).init().expect("the stand-in is there")
}

pub(crate) fn used(nvml: &Nvml, uuid: &str) -> u64 {
    let device = nvml.device_by_uuid(uuid).expect("the device is there");
    device.memory_info().expect("it tells its memory").used
}

/// A script on the machine. It ends when its standard input does.
fn script(machine: &Machine, shell: &str) -> Child {
    Command::new("/bin/sh")
        .args(["-c", shell])
        .envs(machine.env())
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell starts")
}

#[test]
fn devices_are_found_by_index_and_uuid_and_tell_their_memory() {
    let small = Device { memory_total_bytes: 24 * GIB, ..Device::new("GPU-1") };
    let machine = Machine::new([Device::new("GPU-0"), small]);
    let nvml = nvml(&machine);
    assert_eq!(nvml.device_count().ok(), Some(2));
    let device = nvml.device_by_index(1).expect("there are two");
    assert_eq!(device.uuid().ok().as_deref(), Some("GPU-1"));
    let memory = device.memory_info().expect("it tells its memory");
    assert_eq!(memory.total, 24 * GIB);
    assert_eq!(memory.used, 4 << 20, "its baseline");
    assert_eq!(memory.used + memory.free + memory.reserved, memory.total);
    assert!(nvml.device_by_uuid("GPU-2").is_err());
}

#[test]
fn memory_is_held_while_a_process_lives_and_comes_back_some_time_after() {
    let machine = Machine::new([Device { release_ms: u64::MAX, ..Device::new("GPU-0") }]);
    let nvml = nvml(&machine);
    let mut holder =
        script(&machine, r#"echo 70000000000 > "$STAND_IN_MACHINE/holders/GPU-0/$$"; read -r _"#);
    until("the script's memory", || used(&nvml, "GPU-0") == (4 << 20) + 70_000_000_000);
    let device = nvml.device_by_index(0).expect("it is there");
    let processes = device.running_compute_processes().expect("it lists them");
    assert_eq!(processes.len(), 1);
    assert_eq!(processes[0].pid, holder.id());
    assert_eq!(processes[0].used_gpu_memory, UsedGpuMemory::Used(70_000_000_000));

    holder.kill().expect("it is our child");
    // A zombie holds nothing, but its memory is still on the way.
    until("the script's end", || device.running_compute_processes_count().ok() == Some(0));
    assert_eq!(used(&nvml, "GPU-0"), (4 << 20) + 70_000_000_000);
    machine.device("GPU-0", |device| device.release_ms = 50);
    until("its memory", || used(&nvml, "GPU-0") == 4 << 20);
    holder.wait().expect("it is our child");
}

#[test]
fn processes_are_listed_as_from_another_pid_namespace() {
    let foreign = vec![Process { pid: 4242, bytes: None }];
    let machine = Machine::new([Device { foreign, ..Device::new("GPU-0") }]);
    machine.hold("GPU-0", std::process::id(), GIB);
    let nvml = nvml(&machine);
    let listed = |list| {
        machine.device("GPU-0", |device| device.process_list = list);
        let processes = nvml.device_by_index(0).expect("it is there").running_compute_processes();
        processes.expect("it lists them").iter().map(|process| process.pid).collect::<Vec<_>>()
    };
    assert_eq!(listed(ProcessList::Real), [4242, std::process::id()]);
    assert_eq!(listed(ProcessList::Hidden), [4242]);
    assert_eq!(listed(ProcessList::Shifted(1_000_000)), [4242, std::process::id() + 1_000_000]);
}

#[test]
fn sensors_say_what_the_script_says_and_what_it_leaves_out_is_not_supported() {
    let machine = Machine::new([Device::new("GPU-0")]);
    machine.device("GPU-0", |device| {
        device.temperature_celsius = Some(91);
        device.clock_reasons = Some(0x40);
        device.uncorrected_errors = Some(2);
        device.fields.insert(230, 1);
        device.fields.remove(&82);
    });
    let nvml = nvml(&machine);
    let device = nvml.device_by_index(0).expect("it is there");
    assert_eq!(device.temperature(TemperatureSensor::Gpu).ok(), Some(91));
    assert_eq!(device.temperature_threshold(TemperatureThreshold::Slowdown).ok(), Some(87));
    assert_eq!(device.power_usage().ok(), Some(70_000));
    assert_eq!(device.clock_info(Clock::SM).ok(), Some(345));
    assert_eq!(device.current_throttle_reasons().ok(), Some(ThrottleReasons::HW_THERMAL_SLOWDOWN));
    assert_eq!(device.utilization_rates().map(|rates| rates.gpu).ok(), Some(0));
    let uncorrected = device.total_ecc_errors(MemoryError::Uncorrected, EccCounter::Volatile);
    assert_eq!(uncorrected.ok(), Some(2));
    let energy = device.total_energy_consumption().expect("it counts");
    until("the energy counter", || device.total_energy_consumption().expect("it counts") > energy);

    let fields = device.field_values_for(&[FieldId(230), FieldId(82)]).expect("it has fields");
    let values: Vec<_> = fields.into_iter().map(|field| field.and_then(|field| field.value)).collect();
    assert!(matches!(values[..], [Ok(SampleValue::U32(1)), Err(NvmlError::NotSupported)]), "{values:?}");

    machine.device("GPU-0", |device| device.temperature_celsius = None);
    assert!(matches!(device.temperature(TemperatureSensor::Gpu), Err(NvmlError::NotSupported)));
}

#[test]
fn a_fault_begins_at_its_call_and_passes() {
    let machine = Machine::new([Device::new("GPU-0"), Device::new("GPU-1")]);
    machine.fault(Fault {
        function: "nvmlDeviceGetMemoryInfo_v2".into(),
        device: Some("GPU-1".into()),
        from_call: 2,
        calls: Some(1),
        code: Some(15),
        ..Fault::default()
    });
    let nvml = nvml(&machine);
    let memory =
        |index| nvml.device_by_index(index).expect("it is there").memory_info().map(|info| info.used);
    let answers = [memory(0), memory(1), memory(0), memory(1), memory(1)];
    assert!(matches!(answers, [Ok(_), Ok(_), Ok(_), Err(NvmlError::GpuLost), Ok(_)]), "{answers:?}");
}

#[test]
fn a_fault_that_waits_for_a_file_lasts_as_long_as_the_file() {
    let machine = Machine::new([Device::new("GPU-0")]);
    machine.fault(Fault {
        function: "*".into(),
        device: Some("GPU-0".into()),
        when_file: Some("lost".into()),
        code: Some(15),
        ..Fault::default()
    });
    let nvml = nvml(&machine);
    let name = || nvml.device_by_uuid("GPU-0").and_then(|device| device.name());
    assert!(name().is_ok());
    std::fs::write(machine.path("lost"), "").expect("a file");
    assert!(matches!(name(), Err(NvmlError::GpuLost)));
    std::fs::remove_file(machine.path("lost")).expect("it is there");
    assert!(name().is_ok());
}

#[test]
fn a_call_that_hangs_answers_when_it_is_over() {
    let machine = Machine::new([Device::new("GPU-0")]);
    machine.fault(Fault { function: "nvmlDeviceGetPowerUsage".into(), hang_ms: 60, ..Fault::default() });
    let nvml = nvml(&machine);
    let device = nvml.device_by_index(0).expect("it is there");
    let asked = Instant::now();
    assert_eq!(device.power_usage().ok(), Some(70_000));
    assert!(asked.elapsed() >= Duration::from_millis(60));
}

#[test]
fn a_driver_that_does_not_fit_its_library_fails_to_initialise() {
    let machine = Machine::new([]);
    let init = || Nvml::builder().lib_path(machine.nvml().as_os_str()).init();
    machine.fault(Fault {
        function: "nvmlInit_v2".into(),
        code: Some(18),
        calls: Some(1),
        ..Fault::default()
    });
    assert!(matches!(init(), Err(NvmlError::LibRmVersionMismatch)));
    // What a library counts outlives its being closed.
    assert!(init().is_ok());
}

#[test]
fn an_xid_is_delivered_once_to_who_has_registered_before() {
    let machine = Machine::new([Device::new("GPU-0"), Device::new("GPU-1")]);
    machine.xid("GPU-1", 31);
    let nvml = nvml(&machine);
    let mut set = nvml.create_event_set().expect("a set");
    for index in 0..2 {
        let device = nvml.device_by_index(index).expect("it is there");
        set = device.register_events(EventTypes::CRITICAL_XID_ERROR, set).expect("it has Xids");
    }
    let wait = |set: &EventSet| {
        let event = set.wait(50)?;
        Ok::<_, NvmlError>((event.device.uuid()?, event.event_data))
    };
    assert!(matches!(wait(&set), Err(NvmlError::Timeout)));
    let mut holder = script(&machine, r#"sleep 0.01; echo 79 >> "$STAND_IN_MACHINE/xids/GPU-1""#);
    let mut event = None;
    until("the Xid", || {
        event = wait(&set).ok();
        event.is_some()
    });
    assert_eq!(event, Some(("GPU-1".into(), Some(XidError::Value(79)))));
    assert!(matches!(wait(&set), Err(NvmlError::Timeout)));
    holder.wait().expect("it is our child");
}

#[test]
fn an_instance_has_memory_and_processes_of_its_own() {
    let instance = |number| Instance {
        uuid: format!("MIG-{number}"),
        gpu_instance: number,
        compute_instance: 0,
        memory_total_bytes: 10 * GIB,
        memory_used_bytes: 1 << 20,
    };
    let instances = vec![instance(1), instance(2)];
    let machine = Machine::new([Device { instances, ..Device::new("GPU-0") }]);
    machine.hold("MIG-2", std::process::id(), GIB);
    let nvml = nvml(&machine);
    assert_eq!([used(&nvml, "MIG-1"), used(&nvml, "MIG-2")], [1 << 20, (1 << 20) + GIB]);
    let device = nvml.device_by_index(0).expect("it is there");
    let second = device.mig_device_by_index(1).expect("it has two");
    assert_eq!(second.uuid().ok().as_deref(), Some("MIG-2"));
    assert!(matches!(device.mig_device_by_index(2), Err(NvmlError::NotFound)));
    let listed = device.running_compute_processes().expect("it lists them");
    assert_eq!(listed[0].gpu_instance_id, Some(2));
    assert_eq!(second.mig_parent_device().and_then(|device| device.uuid()).ok().as_deref(), Some("GPU-0"));
    assert!(matches!(second.temperature(TemperatureSensor::Gpu), Err(NvmlError::NotSupported)));
}

#[test]
fn an_experiments_process_holds_memory_as_a_script_on_the_machine_does() {
    let machine = Machine::new([Device::new("GPU-0")]);
    let place = Place::of(
        r#"
        name = "s"
        [[experiments]]
        name = "e"
        [experiments.measure]
        shell = '''
        echo 1000000000 > "$STAND_IN_MACHINE/holders/GPU-0/$$"
        touch up
        while ! [ -e seen ]; do sleep 0.02; done
        '''
        "#,
    )
    .on(&machine);
    let nvml = nvml(&machine);
    let host = place.start_run();
    place.wait_for("up");
    assert_eq!(used(&nvml, "GPU-0"), (4 << 20) + 1_000_000_000);
    place.write("seen", "");
    assert_eq!(host.wait().code, 0);
    assert_eq!(used(&nvml, "GPU-0"), 4 << 20);
}

#[test]
fn a_fault_that_all_processes_count_happens_once() {
    let machine = Machine::new([Device::new("GPU-0")]);
    machine.fault(Fault {
        function: "nvmlInit_v2".into(),
        calls: Some(1),
        across_processes: true,
        code: Some(9),
        ..Fault::default()
    });
    let init = |machine: &Machine| Nvml::builder().lib_path(machine.nvml().as_os_str()).init();
    assert!(matches!(init(&machine), Err(NvmlError::DriverNotLoaded)));
    // The next process's library has counted nothing yet.
    let mut next = machine.nvml();
    next.set_file_name("next.so");
    std::fs::copy(machine.nvml(), &next).expect("it can be copied");
    assert!(Nvml::builder().lib_path(next.as_os_str()).init().is_ok());
}
