//! Passes the fuzzer's bytes to `flowgait_fuzz::packed_update`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| flowgait_fuzz::packed_update(bytes));
