//! The otab binary: arguments in, exit status out. All else is in the library.

use std::process::ExitCode;

// For C, by its name alone.
#[cfg(target_env = "musl")]
use mimalloc as _;

#[cfg(target_env = "musl")]
#[global_allocator]
static MEMORY: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    otab::command::run()
}
