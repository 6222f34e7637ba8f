//! Header blocks that any bytes choose, in which all that readers disagree about is mixed, through the whole decision.
#![no_main]

libfuzzer_sys::fuzz_target!(|choices: &[u8]| otab_fuzz::demand(otab_fuzz::mixed::hold(choices)));
