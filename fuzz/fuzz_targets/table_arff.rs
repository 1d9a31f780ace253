//! Passes the fuzzer's bytes to `flowgait_fuzz::table_arff`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| flowgait_fuzz::table_arff(bytes));
