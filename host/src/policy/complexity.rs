//! How much there is to compile, found out before anything is compiled.
//!
//! The compiler bounds neither its time nor its memory (wasmtime counts neither
//! as a vulnerability), and a small file can ask for much of both: 100,000 empty
//! functions take 0.9 MB, and 0.6 GiB while they are compiled. Does not look
//! into functions: what they take is in proportion to the file.

use thiserror::Error;
use wasmparser::{Parser, Payload};

/// The most functions of a component. The largest known guests, those that
/// carry CPython or Go's runtime, have some tens of thousands at most.
const FUNCTIONS: u64 = 100_000;

/// The most modules and components within one. Known guests have up to some tens.
const PARTS: u64 = 1_000;

/// A component is larger than is compiled.
#[derive(Debug, Error)]
#[error("it has `{found}` {what}, and at most `{most}` are compiled")]
pub(super) struct TooComplex {
    what: &'static str,
    found: u64,
    most: u64,
}

/// Counts what is to be compiled. What cannot be read, the compiler refuses
/// with better words.
pub(super) fn check(component: &[u8]) -> Result<(), TooComplex> {
    let (mut functions, mut parts) = (0, 0);
    for payload in Parser::new(0).parse_all(component) {
        match payload {
            Ok(Payload::FunctionSection(section)) => functions += u64::from(section.count()),
            Ok(Payload::ModuleSection { .. } | Payload::ComponentSection { .. }) => parts += 1,
            Ok(_) => {}
            Err(_) => break,
        }
        for (what, found, most) in [("functions", functions, FUNCTIONS), ("parts", parts, PARTS)] {
            if found > most {
                return Err(TooComplex { what, found, most });
            }
        }
    }
    Ok(())
}
