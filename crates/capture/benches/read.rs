//! Packets a second through the reader.
fn main() {}
