//! Passes the fuzzer's bytes to `flowgait_fuzz::table_parquet`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    // The Parquet library panics on some damaged pages, which our reader catches. The fuzzer's own hook would end the
    // process before that; a panic that nobody catches still does. `cargo xtask test` then tells its message.
    init: std::panic::set_hook(Box::new(|_| {})),
    |bytes: &[u8]| flowgait_fuzz::table_parquet(bytes)
);
