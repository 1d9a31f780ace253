//! Secure aggregation: a server that learns the sum of its clients' vectors, and nothing else of them.

pub mod client;
pub mod server;

mod degree;
mod error;
mod graph;
mod mask;
mod message;
mod ring;
mod round;
mod seal;
mod secret;
mod share;
mod survivors;
mod wire;

pub use degree::{Degree, degree};
pub use ed25519_dalek::{SigningKey, VerifyingKey};
pub use error::Error;
pub use message::{
    Advert, Confirmation, Confirmations, Inbox, MaskedUpdate, Message, Neighbourhood, Reveal,
    Shares,
};
pub use ring::Ring;
pub use round::{ClientId, Round, RoundParams};
pub use survivors::Survivors;
