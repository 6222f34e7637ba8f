//! The header reader on any bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|mail: &[u8]| otab_fuzz::demand(otab_fuzz::header::hold(mail)));
