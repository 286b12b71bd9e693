//! Which devices a process may see, by `CUDA_VISIBLE_DEVICES`.
//!
//! The rules are those of "CUDA Environment Variables" in NVIDIA's CUDA
//! programming guide: a list of indices, or of UUIDs that may be cut short, in
//! the order that the process is to number them; it ends before the first that
//! is no device.

use stand_in_machine::{Device, Script};

/// The UUIDs of the devices, or of their first MIG instances: a process sees
/// no more of those.
pub(crate) fn visible(script: &Script, variable: Option<&str>) -> Vec<String> {
    let Some(list) = variable else {
        return script.devices.iter().map(seen).collect();
    };
    let mut uuids = Vec::new();
    for named in list.split(',').map(str::trim) {
        match find(script, named) {
            Some(uuid) if !uuids.contains(&uuid) => uuids.push(uuid),
            _ => break,
        }
    }
    uuids
}

fn seen(device: &Device) -> String {
    device.instances.first().map_or(&device.uuid, |instance| &instance.uuid).clone()
}

fn find(script: &Script, named: &str) -> Option<String> {
    let devices = &script.devices;
    if let Ok(index) = named.parse::<usize>() {
        return devices.get(index).map(seen);
    }
    if named.starts_with("MIG-") {
        let mut instances = devices.iter().flat_map(|device| &device.instances);
        return instances.find(|instance| instance.uuid == named).map(|instance| instance.uuid.clone());
    }
    let mut found =
        devices.iter().filter(|device| named.starts_with("GPU-") && device.uuid.starts_with(named));
    match (found.next(), found.next()) {
        (Some(device), None) => Some(seen(device)),
        // None, or not only one.
        _ => None,
    }
}
