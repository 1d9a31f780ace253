//! One function for each reader of outside bytes: the bodies of the fuzz targets, plain Rust, so that stable can replay them.
//!
//! A body takes any bytes, must return, and asserts the laws that hold for all input. The programs in `fuzz_targets/`
//! only pass the fuzzer's bytes on.

mod artifact;
mod capture;
mod federate;
mod filter;
mod handshake;
mod meter;
mod names;
mod pieces;
pub mod seeds;
mod table;

pub use artifact::artifact;
pub use capture::capture_reader;
pub use federate::{packed_update, run_kept, secagg_message};
pub use filter::filter;
pub use handshake::{client_hello, quic};
pub use meter::meter;
pub use names::dns_answers;
pub use table::{labels, table_arff, table_csv, table_jsonl, table_parquet};

/// A target: its name, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// Every target; `fuzz_targets/NAME.rs` and `corpus/NAME/` belong to each.
pub const TARGETS: [Target; 15] = [
    ("capture_reader", capture_reader),
    ("filter", filter),
    ("client_hello", client_hello),
    ("quic", quic),
    ("dns_answers", dns_answers),
    ("meter", meter),
    ("table_csv", table_csv),
    ("table_jsonl", table_jsonl),
    ("table_arff", table_arff),
    ("table_parquet", table_parquet),
    ("labels", labels),
    ("artifact", artifact),
    ("secagg_message", secagg_message),
    ("packed_update", packed_update),
    ("run_kept", run_kept),
];
