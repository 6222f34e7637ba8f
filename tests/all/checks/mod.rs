//! What holds for any bytes: the checks of the fuzz targets (see `fuzz/README.md`), which `crate::fuzz`
//! runs over all that fuzzing has found worth keeping.

pub mod edits;
pub mod header;
pub mod sender;

/// A thing that has to be so; the error says which one is not.
fn claim(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("not so: {}", what())) }
}

/// Bytes as text that shows them all.
fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
