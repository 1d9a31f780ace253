//! One function for each reader of outside bytes: the bodies of the fuzz targets, plain Rust, so that stable can replay them.
//!
//! A body takes any bytes, must return, and asserts the laws that hold for all input. The programs in `fuzz_targets/`
//! only pass the fuzzer's bytes on.

mod capture;
mod handshake;
mod pieces;
pub mod seeds;

pub use capture::capture_reader;
pub use handshake::{client_hello, quic};

/// A target: its name, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// Every target; `fuzz_targets/NAME.rs` and `corpus/NAME/` belong to each.
pub const TARGETS: [Target; 3] =
    [("capture_reader", capture_reader), ("client_hello", client_hello), ("quic", quic)];
