//! The otab binary: arguments in, exit status out. All else is in the library.

use std::process::ExitCode;

#[cfg(target_env = "musl")]
#[global_allocator]
static MEMORY: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    otab::cli::run()
}
