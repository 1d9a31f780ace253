//! The reader against the outside: real captures, other libraries' readings of them, and damage.

mod captures;
mod hostile;
mod oracle;
mod sources;
mod support;
