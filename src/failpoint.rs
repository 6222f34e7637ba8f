//! Places where tests of debug builds make a run fail: `OTAB_FAIL_AT=place` panics there, and `OTAB_STALL_AT=place` goes
//! no further. In a release build there are none.

/// Such a place.
///
/// # Panics
///
/// Where a test asks for it.
pub fn at(place: &str) {
    #[cfg(debug_assertions)]
    {
        while std::env::var_os("OTAB_STALL_AT").is_some_and(|at| at == place) {
            std::thread::park();
        }
        assert!(!is_at(place), "told to fail at {place}");
    }
    let _ = place;
}

/// Whether a test of a debug build asks for a fault here (`OTAB_FAIL_AT=place`).
#[must_use]
pub fn is_at(place: &str) -> bool {
    cfg!(debug_assertions) && std::env::var_os("OTAB_FAIL_AT").is_some_and(|at| at == place)
}
