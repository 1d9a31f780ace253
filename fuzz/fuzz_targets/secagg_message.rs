//! Passes the fuzzer's bytes to `flowgait_fuzz::secagg_message`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| flowgait_fuzz::secagg_message(bytes));
