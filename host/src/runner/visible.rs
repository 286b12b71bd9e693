//! Which devices the host's own `CUDA_VISIBLE_DEVICES` leaves to a study.
//!
//! Pure: it reads neither the environment nor the machine.

use crate::event::Device;

/// `CUDA_VISIBLE_DEVICES` names what is not one device of this machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`CUDA_VISIBLE_DEVICES` names `{name}`, which is {} devices\nhint: there are {there}",
    if *ambiguous { "short for several" } else { "none of NVML's" }
)]
pub struct VisibleError {
    name: String,
    ambiguous: bool,
    there: String,
}

/// Those of NVML's devices that the variable names, in its order, each once.
///
/// It is read as CUDA reads it (CUDA C++ Programming Guide, "CUDA Environment
/// Variables"): numbers, UUIDs and beginnings of UUIDs; empty is none, and `-1`
/// ends the list. Two things differ. Numbers count in NVML's order, which is
/// that of the PCI bus, as CUDA counts under `CUDA_DEVICE_ORDER=PCI_BUS_ID`:
/// its default puts the fastest first, and only CUDA knows which that is. And
/// an unknown name is an error, where CUDA hides all that follows.
///
/// # Errors
///
/// Where a name is not that of one device.
pub fn visible(devices: &[Device], variable: &str) -> Result<Vec<Device>, VisibleError> {
    let mut chosen: Vec<Device> = Vec::new();
    for name in names(variable) {
        let meant: Vec<&Device> = match name.parse::<usize>() {
            Ok(number) => devices.get(number).into_iter().collect(),
            Err(_) => devices.iter().filter(|device| device.id.starts_with(name)).collect(),
        };
        let [device] = meant[..] else {
            let listed =
                devices.iter().enumerate().map(|(number, device)| format!("{number} ({})", device.id));
            return Err(VisibleError {
                name: name.to_owned(),
                ambiguous: !meant.is_empty(),
                there: listed.collect::<Vec<_>>().join(", "),
            });
        };
        if !chosen.contains(device) {
            chosen.push(device.clone());
        }
    }
    Ok(chosen)
}

/// The devices behind this many declared slots: those that the variable names
/// where it names enough of them, and otherwise mere slots.
pub fn slots(count: u32, variable: Option<&str>) -> Vec<Device> {
    let named: Vec<&str> = variable.map(names).into_iter().flatten().collect();
    if named.len() >= count as usize {
        let device = |name: &&str| Device { id: (*name).to_owned(), name: "device".to_owned() };
        return named.iter().take(count as usize).map(device).collect();
    }
    (0..count).map(Device::slot).collect()
}

/// What the variable names, up to the end of its list. Slurm writes
/// `NoDevFiles` for a job without devices (its gres/gpu plugin).
fn names(variable: &str) -> impl Iterator<Item = &str> {
    let names = variable.split(',').map(str::trim);
    names.take_while(|name| !matches!(*name, "" | "-1" | "NoDevFiles"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn devices() -> Vec<Device> {
        let device = |id: &str| Device { id: id.to_owned(), name: "NVIDIA H200".to_owned() };
        ["GPU-8932f937-d72c", "GPU-8932aaaa-0000", "GPU-46ea3812-5a7d"].map(device).to_vec()
    }

    fn chosen(variable: &str) -> Vec<String> {
        let chosen = visible(&devices(), variable).expect("these are devices");
        chosen.into_iter().map(|device| device.id).collect()
    }

    #[test]
    fn numbers_uuids_and_their_beginnings_name_devices_in_the_order_given() {
        assert_eq!(chosen("2,0"), ["GPU-46ea3812-5a7d", "GPU-8932f937-d72c"]);
        assert_eq!(chosen(" GPU-46ea3812-5a7d , 1 "), ["GPU-46ea3812-5a7d", "GPU-8932aaaa-0000"]);
        assert_eq!(chosen("GPU-46,GPU-8932f"), ["GPU-46ea3812-5a7d", "GPU-8932f937-d72c"]);
    }

    #[test]
    fn a_device_that_is_named_twice_is_there_once() {
        assert_eq!(chosen("1,GPU-8932a,1"), ["GPU-8932aaaa-0000"]);
    }

    #[test]
    fn no_devices_can_be_asked_for_and_a_list_can_be_ended() {
        for none in ["", " ", "-1", "-1,0", "NoDevFiles"] {
            assert!(chosen(none).is_empty(), "{none:?}");
        }
        assert_eq!(chosen("0,-1,1"), ["GPU-8932f937-d72c"]);
        assert_eq!(chosen("0,"), ["GPU-8932f937-d72c"]);
    }

    #[test]
    fn what_names_no_device_or_several_is_an_error_with_the_way_out() {
        let error = |variable| visible(&devices(), variable).expect_err("these are no devices").to_string();
        let hint = "\nhint: there are 0 (GPU-8932f937-d72c), 1 (GPU-8932aaaa-0000), 2 (GPU-46ea3812-5a7d)";
        let none = "`CUDA_VISIBLE_DEVICES` names `3`, which is none of NVML's devices".to_owned();
        assert_eq!(error("0,3"), none + hint);
        let several =
            "`CUDA_VISIBLE_DEVICES` names `GPU-8932`, which is short for several devices".to_owned();
        assert_eq!(error("GPU-8932"), several + hint);
        assert!(error("MIG-46ea3812").contains("names `MIG-46ea3812`"));
    }

    #[test]
    fn slots_are_the_devices_named_where_there_are_enough_of_them() {
        let ids = |count, variable| {
            let devices = slots(count, variable);
            devices
                .iter()
                .map(|device| format!("{} {}", device.name, device.id))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(ids(2, None), "slot 0 slot 1");
        assert_eq!(ids(2, Some("2,3")), "device 2 device 3");
        assert_eq!(ids(1, Some("2,3")), "device 2");
        assert_eq!(ids(2, Some("3")), "slot 0 slot 1");
        assert_eq!(ids(1, Some("")), "slot 0");
    }
}
