//! Guests for these tests: core modules as text, made components of the contract.
//!
//! A guest in `guests/` says only what is special about it; what else a policy
//! must export is added here.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, SourceMap};

/// A small part of what some guests import beside the contract.
const OTHERS: &str = r"
package test:guest;

world guest {
    include reprieve:policy/retry-only@0.1.0;
    import reprieve:policy/gpu-cleanup@0.1.0;
    import wasi:io/poll@0.2.6;
    import wasi:io/streams@0.2.6;
    import wasi:cli/stderr@0.2.6;
    import wasi:cli/exit@0.2.6;
    import wasi:clocks/monotonic-clock@0.2.6;
    import wasi:clocks/wall-clock@0.2.6;
    import wasi:random/random@0.2.6;
    import wasi:filesystem/preopens@0.2.6;
    import wasi:sockets/udp-create-socket@0.2.6;
    import wasi:http/outgoing-handler@0.2.0;
    import acme:metrics/push@1.0.0;
}

world planner {
    include reprieve:policy/cleanup-only@0.1.0;
}

package wasi:io@0.2.6 {
    interface error { resource error; }
    interface poll { resource pollable { block: func(); } }
    interface streams {
        use error.{error};
        variant stream-error { last-operation-failed(error), closed }
        resource output-stream {
            blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
        }
    }
}

package wasi:cli@0.2.6 {
    interface stderr {
        use wasi:io/streams@0.2.6.{output-stream};
        get-stderr: func() -> output-stream;
    }
    interface exit { exit: func(status: result); }
}

package wasi:clocks@0.2.6 {
    interface monotonic-clock {
        use wasi:io/poll@0.2.6.{pollable};
        subscribe-duration: func(when: u64) -> pollable;
    }
    interface wall-clock {
        record datetime { seconds: u64, nanoseconds: u32 }
        now: func() -> datetime;
    }
}

package wasi:random@0.2.6 {
    interface random { get-random-u64: func() -> u64; }
}

package wasi:filesystem@0.2.6 {
    interface types { resource descriptor; }
    interface preopens {
        use types.{descriptor};
        get-directories: func() -> list<tuple<descriptor, string>>;
    }
}

package wasi:sockets@0.2.6 {
    interface network {
        enum error-code {
            unknown, access-denied, not-supported, invalid-argument, out-of-memory, timeout,
            concurrency-conflict, not-in-progress, would-block, invalid-state, new-socket-limit,
            address-not-bindable, address-in-use, remote-unreachable, connection-refused,
            connection-reset, connection-aborted, datagram-too-large, name-unresolvable,
            temporary-resolver-failure, permanent-resolver-failure,
        }
        enum ip-address-family { ipv4, ipv6 }
    }
    interface udp { resource udp-socket; }
    interface udp-create-socket {
        use network.{error-code, ip-address-family};
        use udp.{udp-socket};
        create-udp-socket: func(address-family: ip-address-family) -> result<udp-socket, error-code>;
    }
}

package wasi:http@0.2.0 {
    interface outgoing-handler { handle: func(); }
}

package acme:metrics@1.0.0 {
    interface push { push: func(); }
}
";

/// What a guest exports where it does not do so itself, by the export's name.
///
/// Texts lie below 1,024, results from 1,024, and what is passed in from 4,096.
const DEFAULTS: [(&str, &str); 4] = [
    (
        "memory",
        r#"(memory $memory (export "memory") 8)
           (data (i32.const 0) "guest")
           (data (i32.const 16) "1.2.3")
           (data (i32.const 32) "A guest of the tests.")"#,
    ),
    (
        "cabi_realloc",
        r#"(global $top (mut i32) (i32.const 4096))
           (func $allocate (export "cabi_realloc") (param $old i32) (param i32 i32) (param $size i32) (result i32)
             (global.set $top (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
             (global.get $top)
             (global.set $top (i32.add (global.get $top) (local.get $size))))"#,
    ),
    (
        "reprieve:policy/guest@0.1.0#describe",
        r#"(func (export "reprieve:policy/guest@0.1.0#describe") (result i32)
             (i32.store (i32.const 1024) (i32.const 0)) (i32.store (i32.const 1028) (i32.const 5))
             (i32.store (i32.const 1032) (i32.const 16)) (i32.store (i32.const 1036) (i32.const 5))
             (i32.store (i32.const 1040) (i32.const 32)) (i32.store (i32.const 1044) (i32.const 21))
             (i32.const 1024))"#,
    ),
    (
        "reprieve:policy/guest@0.1.0#configure",
        r#"(func (export "reprieve:policy/guest@0.1.0#configure") (param i32 i32) (result i32)
             (i32.store (i32.const 1100) (i32.const 0))
             (i32.const 1100))"#,
    ),
];

/// The text of a guest in `guests/`.
pub(crate) fn text(name: &str) -> String {
    let path = format!("{}/../tests/policy/guests/{name}.wat", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A guest in `guests/` as a component.
pub(crate) fn guest(name: &str) -> Vec<u8> {
    component(&text(name), "guest")
}

/// The core module as text, whole.
pub(crate) fn core(text: &str) -> Vec<u8> {
    let mut module = text.trim_end().strip_suffix(')').expect("a module").to_owned();
    for (export, definition) in DEFAULTS {
        if !text.contains(&format!("(export \"{export}\"")) {
            module.push_str(definition);
        }
    }
    module.push(')');
    wat::parse_str(&module).unwrap_or_else(|error| panic!("{error}"))
}

/// A component of the contract, for a world of [`OTHERS`].
pub(crate) fn component(text: &str, world: &str) -> Vec<u8> {
    component_in(StringEncoding::UTF8, text, world)
}

/// A component whose strings are encoded like this.
pub(crate) fn component_in(encoding: StringEncoding, text: &str, world: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    resolve.push_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit")).expect("the contract parses");
    let package = resolve.push_str("guest.wit", OTHERS).expect("the tests' worlds parse");
    encode(core(text), &resolve, package, world, encoding)
}

/// A guest that describes its settings like this.
pub(crate) fn described(schema: &str) -> Vec<u8> {
    let bytes: String = schema.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    let text = format!(
        "(module (data (i32.const 8192) \"{bytes}\")
           (func (export \"reprieve:policy/guest@0.1.0#describe\") (result i32)
             (i32.store (i32.const 1028) (i32.const 5))
             (i32.store (i32.const 1032) (i32.const 16)) (i32.store (i32.const 1036) (i32.const 5))
             (i32.store8 (i32.const 1048) (i32.const 1))
             (i32.store (i32.const 1052) (i32.const 8192))
             (i32.store (i32.const 1056) (i32.const {}))
             (i32.const 1024))
           (func (export \"reprieve:policy/retry-policy@0.1.0#decide\") (param i32) (result i32)
             (i32.const 1200)))",
        schema.len()
    );
    component(&text, "guest")
}

/// A component of a contract in which this text is that.
pub(crate) fn of_another_contract(text: &str, changes: &[(&str, &str)]) -> Vec<u8> {
    let mut sources = SourceMap::default();
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit")).expect("the contract");
    for path in files.map(|entry| entry.expect("an entry").path()) {
        let mut wit = std::fs::read_to_string(&path).expect("it is text");
        for (from, to) in changes {
            wit = wit.replace(from, to);
        }
        sources.push_str(&path.display().to_string(), &wit);
    }
    let Ok(contract) = sources.parse() else { panic!("the changed contract parses") };
    let mut resolve = Resolve::default();
    let package = resolve.push_group(contract).expect("the changed contract is one");
    encode(core(text), &resolve, package, "retry-only", StringEncoding::UTF8)
}

/// A component for a world of other people's WIT.
pub(crate) fn foreign(text: &str, wit: &str, world: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("foreign.wit", wit).expect("the test's WIT parses");
    let core = wat::parse_str(text).expect("the test's module parses");
    encode(core, &resolve, package, world, StringEncoding::UTF8)
}

fn encode(
    mut core: Vec<u8>,
    resolve: &Resolve,
    package: wit_parser::PackageId,
    world: &str,
    encoding: StringEncoding,
) -> Vec<u8> {
    let world = resolve.select_world(&[package], Some(world)).expect("the world exists");
    embed_component_metadata(&mut core, resolve, world, encoding).expect("the world encodes");
    ComponentEncoder::default()
        .module(&core)
        .and_then(|mut encoder| encoder.encode())
        .unwrap_or_else(|error| panic!("{error:#}"))
}
