//! Examining, settling, editing and straining any bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|mail: &[u8]| otab_fuzz::demand(otab_fuzz::edits::hold(mail)));
