//! Passes the fuzzer's bytes to `flowgait_fuzz::run_kept`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| flowgait_fuzz::run_kept(bytes));
