//! Flow records or anybody's table in, a named and versioned data set out.
//!
//! *Takes* [`flowgait_flow::FlowRecord`]s or a table in a file.
//! *Gives* a [`Dataset`]: columns of numbers under a [`Schema`], with labels and groups beside them.
//! *Never* gives a model addresses, ports, server names or times unless a person names them.
//! *Start at* [`schema`] and [`extract`].

pub mod dataset;
mod error;
pub mod extract;
pub mod layout;
pub mod schema;
pub mod session;
pub mod split;
pub mod table;

pub use dataset::{Codes, Dataset};
pub use error::{Counted, Error};
pub use schema::{Feature, Schema};
