//! The stand-ins answer the real nvml-wrapper and the real cudarc as a driver does.

use std::process::{Child, Command, Stdio};

use nvml_wrapper::Nvml;
use nvml_wrapper::enums::device::UsedGpuMemory;

use crate::machine::{Device, Machine, Process, ProcessList};
use crate::support::until;

const GIB: u64 = 1 << 30;

fn nvml(machine: &Machine) -> Nvml {
    Nvml::builder().lib_path(machine.nvml().as_os_str()).init().expect("the stand-in is there")
}

fn used(nvml: &Nvml, uuid: &str) -> u64 {
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
