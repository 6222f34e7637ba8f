//! The reading of From, in any mail and with any value.
#![no_main]

libfuzzer_sys::fuzz_target!(|mail: &[u8]| otab_fuzz::demand(otab_fuzz::sender::hold(mail)));
