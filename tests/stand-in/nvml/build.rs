//! Tells the linker what a driver library needs, and nothing else.

fn main() {
    // It stays in memory once loaded, as the real one does: calls are counted
    // on when a process closes and opens it again.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo:rerun-if-changed=build.rs");
}
