//! One function a reader of outside bytes: the bodies of the fuzz targets, plain Rust, so that stable can replay them.

/// A target: its name, and its body, which takes any bytes and must return.
pub type Target = (&'static str, fn(&[u8]));

/// Every target; `fuzz_targets/NAME.rs` and `corpus/NAME/` belong to each.
pub const TARGETS: [Target; 0] = [];
