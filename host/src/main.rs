//! The `reprieve` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    reprieve::cli::main()
}
