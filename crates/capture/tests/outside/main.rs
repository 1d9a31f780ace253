//! The reader against the outside: real captures, other libraries' readings of them, and damage.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "clippy knows only functions marked as tests; here their helpers are tests, too"
)]

mod captures;
mod hostile;
mod oracle;
mod sources;
mod support;
