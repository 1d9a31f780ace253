//! The server name in Google's QUIC of before TLS (versions Q024 to Q050): tags of a `CHLO` message.
//!
//! # Reference
//! draft-tsvwg-quic-protocol-00 (Hamilton et al., 2015) and Google's *QUIC Crypto* (Langley, Chang, 2013): tag, number of entries, then
//! pairs of tag and end offset, then the values; integers little end first.

use super::{Carrier, Handshake, hello};

const CHLO: &[u8; 4] = b"CHLO";
const SNI: &[u8; 4] = b"SNI\0";

/// Entries looked at; Chrome sends about thirty.
const ENTRIES_MAX: usize = 128;

/// Octets of a packet in which the message may start: header, hash and frame header come before it.
const START_OCTETS_MAX: usize = 96;

/// The version that the payload of a datagram shows, when it is one that carries the handshake in the clear.
#[inline]
pub(super) fn begins(payload: &[u8]) -> Option<u32> {
    // Up to Q043 the flags say "version" (1) and "eight octets of connection identifier" (8); then it is the long header of QUIC's drafts.
    let at = match payload.first()? {
        first if first & 0x89 == 0x09 => 9,
        first if first & 0xc0 == 0xc0 => 1,
        _ => return None,
    };
    match payload.get(at..at + 4)? {
        &[b'Q', b'0', tens @ b'2'..=b'4', ones @ b'0'..=b'9'] => {
            Some(u32::from_be_bytes([b'Q', b'0', tens, ones]))
        }
        _ => None,
    }
}

/// Looks for the message in a payload that [`begins`] so.
pub(super) fn find(payload: &[u8], version: u32) -> Option<Handshake> {
    let start = &payload[..payload.len().min(START_OCTETS_MAX)];
    let at = start.windows(CHLO.len()).position(|octets| octets == CHLO)?;
    read(&payload[at..], version)
}

/// Reads a message; `None` when no server name is in the part that is there.
pub(super) fn read(message: &[u8], version: u32) -> Option<Handshake> {
    let rest = message.strip_prefix(CHLO)?;
    let (entries, rest) = rest.split_first_chunk::<4>()?;
    let entries = usize::from(u16::from_le_bytes([entries[0], entries[1]]));
    if entries > ENTRIES_MAX {
        return None;
    }
    let (index, values) = rest.split_at_checked(8 * entries)?;
    let mut start = 0;
    for entry in index.chunks_exact(8) {
        let end = u32::from_le_bytes([entry[4], entry[5], entry[6], entry[7]]) as usize;
        if entry[..4] == SNI[..] {
            let name = values.get(start..end).filter(|name| !name.is_empty())?;
            return Some(Handshake {
                carrier: Carrier::Quic,
                sni: Some(hello::text(name).to_ascii_lowercase().into_boxed_str()),
                quic_version: version,
                ..Handshake::default()
            });
        }
        start = end;
    }
    None
}
