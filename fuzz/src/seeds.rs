//! Made bytes to start from: small, valid, and one of each kind. `cargo run --example make_seeds` writes them to `corpus/`.

mod capture;
mod federate;
mod hello;
mod model;
mod packets;
pub mod quic;
mod table;

/// A seed: its target, its name, its bytes.
pub type Seed = (&'static str, &'static str, Vec<u8>);

/// Every seed.
#[must_use]
pub fn all() -> Vec<Seed> {
    [
        capture::seeds(),
        hello::seeds(),
        quic::seeds(),
        packets::seeds(),
        table::seeds(),
        model::seeds(),
        federate::seeds(),
    ]
    .concat()
}
