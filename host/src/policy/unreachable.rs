//! What of WASI no guest can reach: files and sockets, of which there are none.
//!
//! No directory is open to a guest and no socket is made for it, so that what
//! can be done with them is never asked for. Name lookups fail.

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, LinkerInstance, ResourceType, Val};
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::{TcpSocket, UdpSocket};

use super::sandbox::Sandbox;

/// Without their version, which is 0.2 of any patch.
const INTERFACES: [&str; 4] =
    ["wasi:filesystem/types", "wasi:sockets/ip-name-lookup", "wasi:sockets/tcp", "wasi:sockets/udp"];

/// Of the resources that nothing else here is about.
struct Nothing;

/// Links these interfaces as far as the component imports them.
pub(super) fn link(linker: &mut Linker<Sandbox>, component: &Component) -> wasmtime::Result<()> {
    let engine = component.engine();
    for (name, import) in component.component_type().imports(engine) {
        let known = name.split('@').next().is_some_and(|interface| INTERFACES.contains(&interface));
        let ComponentItem::ComponentInstance(interface) = import.ty else { continue };
        if !known {
            continue;
        }
        let mut linked = linker.instance(name)?;
        for (name, export) in interface.exports(engine) {
            match export.ty {
                ComponentItem::ComponentFunc(_) => function(&mut linked, name)?,
                ComponentItem::Resource(_) => resource(&mut linked, name)?,
                _ => {}
            }
        }
    }
    Ok(())
}

fn function(linked: &mut LinkerInstance<'_, Sandbox>, name: &str) -> wasmtime::Result<()> {
    if name == "resolve-addresses" {
        return linked.func_new(name, |mut store, _, parameters, results| {
            // The network is lent for the call.
            for parameter in parameters {
                if let Val::Resource(network) = parameter {
                    network.resource_drop(&mut store)?;
                }
            }
            let failed = Val::Enum("permanent-resolver-failure".to_owned());
            results[0] = Val::Result(Err(Some(Box::new(failed))));
            Ok(())
        });
    }
    let name = name.to_owned();
    linked.func_new(&name.clone(), move |_, _, _, _| {
        Err(wasmtime::Error::msg(format!("`{name}`: there are no files and no sockets")))
    })
}

/// Those that are another interface's are that one's to link.
fn resource(linked: &mut LinkerInstance<'_, Sandbox>, name: &str) -> wasmtime::Result<()> {
    let kind = match name {
        "descriptor" => ResourceType::host::<Descriptor>(),
        "tcp-socket" => ResourceType::host::<TcpSocket>(),
        "udp-socket" => ResourceType::host::<UdpSocket>(),
        "directory-entry-stream"
        | "incoming-datagram-stream"
        | "outgoing-datagram-stream"
        | "resolve-address-stream" => ResourceType::host::<Nothing>(),
        _ => return Ok(()),
    };
    linked.resource(name, kind, |_, _| Ok(()))
}
