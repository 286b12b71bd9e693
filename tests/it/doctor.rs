//! What `gpu` and `doctor` tell of a machine, to people and to scripts.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::machine::{Device, Fault, Instance, Machine, Process};
use crate::support::Place;

const GIB: u64 = 1 << 30;

/// Two devices: one at work, and one that needs a reset.
fn worn() -> Machine {
    let busy = Device {
        foreign: vec![Process { pid: 4_000_000_000, bytes: Some(42 * GIB) }],
        temperature_celsius: Some(84),
        power_milliwatts: Some(645_400),
        utilization_percent: Some(98),
        sm_clock_mhz: Some(1455),
        clock_reasons: Some(0x44),
        ..Device::new("GPU-11111111-2222-3333-4444-555555555555")
    };
    let sick = Device::new("GPU-66666666-7777-8888-9999-aaaaaaaaaaaa");
    let machine = Machine::new([busy, sick]);
    machine.device("GPU-66666666-7777-8888-9999-aaaaaaaaaaaa", |device| {
        device.fields.extend([(144, 1), (230, 4)]);
        device.uncorrected_errors = Some(3);
    });
    machine
}

/// What a check found, by its name.
fn check<'a>(told: &'a Value, name: &str) -> &'a Value {
    let checks = told["checks"].as_array().expect("a list of checks");
    checks.iter().find(|check| check["check"] == name).unwrap_or_else(|| panic!("no `{name}` in {told:#}"))
}

#[test]
fn devices_are_told_as_a_table() {
    let machine = worn();
    let ran = Place::new().on(&machine).reprieve(&["gpu"]);
    // Whether there is a note on PID namespaces is this machine's business.
    let table = ran.stdout.split("\n\nin a PID").next().unwrap_or_default();
    assert_snapshot!(table, @r"
    driver 595.58.03, up to CUDA 13.4

    device        name                    memory used   heat  power  busy  clock                        health
    GPU-11111111  Stand-in 80GB  42.0 GiB of 80.0 GiB  84 °C  645 W  98 %  1455 MHz, power limit, heat  healthy
      4000000000  not visible here, 42.0 GiB
    GPU-66666666  Stand-in 80GB     4 MiB of 80.0 GiB  32 °C   70 W   0 %  345 MHz, idle                sick
      it needs a reset
      memory rows are replaced at its next reset
      3 uncorrected memory errors
    ");
    assert_eq!((ran.code, &*ran.stderr), (0, ""));
}

#[test]
fn devices_are_told_to_scripts_in_one_document() {
    let machine = worn();
    let told = Place::new().on(&machine).reprieve(&["gpu", "--json"]).json();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["version"], 1);
    assert_eq!(told[0]["versions"]["cuda"], "13.4");
    let [busy, sick] = &told[0]["devices"].as_array().expect("a list")[..] else { panic!("{told:#?}") };
    assert_eq!(busy["reading"]["memory_used_bytes"], 42 * GIB + (4 << 20));
    assert_eq!(busy["reading"]["clock_reasons"], json!(["sw-power-cap", "hw-thermal-slowdown"]));
    assert_eq!(busy["processes"][0]["pid"], 4_000_000_000_u64);
    assert_eq!(busy["processes"][0]["name"], Value::Null);
    assert_eq!((&busy["health"]["verdict"], &sick["health"]["verdict"]), (&json!("healthy"), &json!("sick")));
    assert_eq!(sick["reading"]["recovery"], "reset-device");
}

#[test]
fn a_process_on_a_device_is_told_by_name() {
    let machine = Machine::new([Device::new("GPU-0")]);
    machine.hold("GPU-0", std::process::id(), GIB);
    let told = Place::new().on(&machine).reprieve(&["gpu", "--json"]).json();
    let process = &told[0]["devices"][0]["processes"][0];
    let own = std::fs::read_to_string(format!("/proc/{}/comm", std::process::id())).expect("we run");
    assert_eq!(process["name"], own.trim_end());
    assert!(process["user"].is_string(), "{process}");
}

#[test]
fn devices_that_fail_are_told_beside_those_that_work() {
    let instance = Instance {
        uuid: "MIG-1".into(),
        gpu_instance: 1,
        compute_instance: 0,
        memory_total_bytes: 10 * GIB,
        memory_used_bytes: 0,
    };
    let divided = Device { instances: vec![instance], ..Device::new("GPU-2") };
    let machine = Machine::new([Device::new("GPU-0"), Device::new("GPU-1"), divided, Device::new("GPU-3")]);
    let failing = |device: &str, function: &str, code| Fault {
        function: function.into(),
        device: Some(device.into()),
        code: Some(code),
        ..Fault::default()
    };
    machine.fault(failing("GPU-0", "*", 15));
    machine.fault(failing("GPU-1", "nvmlDeviceGetMemoryInfo_v2", 3));
    let place = Place::new().on(&machine);
    let told = place.reprieve(&["gpu", "--json"]).json();
    assert_eq!(told[0]["unread"][0]["index"], 0);
    assert!(told[0]["unread"][0]["error"]["device-lost"].is_string());
    let devices = told[0]["devices"].as_array().expect("a list");
    let uuids: Vec<_> = devices.iter().map(|device| device["uuid"].as_str().expect("a text")).collect();
    assert_eq!(uuids, ["GPU-1", "MIG-1", "GPU-3"]);
    assert_eq!(devices[0]["error"], "not-supported");
    assert_eq!(devices[1]["reading"]["memory_total_bytes"], 10 * GIB);

    let told = place.reprieve(&["doctor", "--json"]);
    assert_eq!(told.code, 1);
    let told = &told.json()[0];
    assert_eq!(check(told, "device 0")["verdict"], "fault");
    let old = check(told, "GPU-1");
    assert_eq!(old["verdict"], "fault");
    assert!(old["hint"].as_str().is_some_and(|hint| hint.contains("driver 510")), "{old}");
    assert_eq!(check(told, "GPU-3")["verdict"], "ok");
}

#[test]
fn a_machine_without_devices_is_a_normal_machine() {
    let machine = Machine::new([]);
    machine.fault(Fault { function: "nvmlInit_v2".into(), code: Some(9), ..Fault::default() });
    let place = Place::new().on(&machine);
    assert_snapshot!(place.reprieve(&["gpu"]), @r"
    exit code 0
    --- stdout
    no devices: no NVML: NVIDIA driver is not loaded
    hint: studies run without; `reprieve doctor` says more
    ");
    let told = place.reprieve(&["gpu", "--json"]);
    assert_eq!(told.code, 0);
    assert_eq!(told.json()[0]["devices"], json!([]));
    assert!(told.json()[0]["unavailable"].is_string());
    let told = place.reprieve(&["doctor", "--json"]);
    assert_eq!(told.code, 0, "{told}");
    assert_eq!(check(&told.json()[0], "NVML")["verdict"], "gap");
}

#[test]
fn a_driver_that_fails_is_an_error_with_its_way_out() {
    let machine = Machine::new([]);
    machine.fault(Fault { function: "nvmlInit_v2".into(), code: Some(18), ..Fault::default() });
    let place = Place::new().on(&machine);
    assert_snapshot!(place.reprieve(&["gpu"]), @r"
    exit code 1
    --- stderr
    error: NVML: RM detects a driver/library version mismatch
    hint: the driver was updated under a running kernel module: load it anew, or restart the machine
    ");
    let told = place.reprieve(&["doctor"]);
    assert!(told.stdout.starts_with("fault  NVML "), "{told}");
    assert!(told.stdout.contains("hint: the driver was updated under"), "{told}");
    let told = place.reprieve(&["doctor", "--json"]);
    assert_eq!(told.code, 1);
    let nvml = check(&told.json()[0], "NVML").clone();
    assert_eq!(nvml["verdict"], "fault");
    assert!(nvml["hint"].as_str().is_some_and(|hint| hint.contains("restart the machine")), "{nvml}");
}

#[test]
fn a_doctor_that_finds_all_well_says_where_it_looked() {
    let machine = Machine::new([Device::new("GPU-0")]);
    let place = Place::new().on(&machine);
    let ran = place.reprieve(&["doctor", "--json"]);
    assert_eq!(ran.code, 0, "{ran}");
    let told = &ran.json()[0];
    for name in ["NVML", "CUDA", "GPU-0", "orphans", "process handles", "disk"] {
        assert_eq!(check(told, name)["verdict"], "ok", "{name}: {ran}");
    }
    assert!(check(told, "NVML")["finding"].as_str().is_some_and(|text| text.contains("595.58.03")));
    let left: Vec<_> = std::fs::read_dir(place.path("")).expect("it is there").flatten().collect();
    assert_eq!(left.len(), 2, "the two files of output, and none of the doctor's: {left:?}");
}

#[test]
fn a_directory_that_cannot_be_written_is_a_fault() {
    let ran = Place::new().reprieve(&["doctor", "nowhere", "--json"]);
    assert_eq!(ran.code, 1);
    assert_eq!(check(&ran.json()[0], "disk")["verdict"], "fault");
}

#[test]
fn a_watch_goes_on_with_new_readings() {
    let machine = Machine::new([Device::new("GPU-0")]);
    let place = Place::new().on(&machine);
    let host = place.start(&["gpu", "--watch", "1"]);
    host.says("32 °C");
    machine.device("GPU-0", |device| device.temperature_celsius = Some(61));
    host.says("61 °C");
    host.kill();
}
