//! The README shows the example that is compiled and tested. In a packaged
//! crate, which has no README above it, there is nothing to compare.

use std::path::Path;

#[test]
fn the_readme_shows_the_example_word_for_word() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let Ok(readme) = std::fs::read_to_string(readme) else {
        println!("SKIPPED: there is no README above the crate");
        return;
    };
    let example = include_str!("../examples/two_strikes.rs");
    assert!(readme.contains(&format!("```rust\n{example}```\n")));
}
