//! The meter against its laws, against the traps others fell into, and against a naive meter.

mod laws;
mod metadata;
mod naive;
mod oracle;
mod support;
mod traps;
