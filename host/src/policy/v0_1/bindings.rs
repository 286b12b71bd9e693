//! The contract as Rust types, generated from `wit/`. They end in this room.
//!
//! No code of ours: see `convert` for the way from and to the vocabulary.

wasmtime::component::bindgen!({
    path: "../wit",
    world: "policy",
    ownership: Borrowing { duplicate_if_necessary: true },
});
