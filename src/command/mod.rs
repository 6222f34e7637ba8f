//! (room `command`)
use std::process::ExitCode;

/// Runs otab.
#[must_use]
pub fn run() -> ExitCode {
    ExitCode::from(75)
}
