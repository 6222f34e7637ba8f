//! otab's checks for any bytes, taken from its tests: the targets here and `cargo test` run the very same.

#[path = "../tests/all/checks/mod.rs"]
mod checks;
#[path = "../tests/all/mixed.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
pub mod mixed;
#[path = "../tests/all/otobo.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod otobo;
#[path = "../tests/all/promises.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod promises;
#[path = "../tests/all/readers.rs"]
mod readers;

/// Ends the process where a check does not hold.
///
/// # Panics
///
/// That is how libFuzzer learns of it.
#[allow(clippy::panic, reason = "see above")]
pub fn demand(holds: Result<(), String>) {
    if let Err(broken) = holds {
        panic!("{broken}");
    }
}

pub use checks::{edits, header, sender};
