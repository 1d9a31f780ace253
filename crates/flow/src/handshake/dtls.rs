//! A ClientHello in DTLS records over UDP: found, put together again from its fragments.
//!
//! # Reference
//! RFC 6347, sections 4.1 and 4.2.2 (DTLS 1.2); RFC 9147 keeps both forms for the ClientHello.

use super::cursor::Cursor;
use super::stream::Stream;
use super::{Carrier, HELLO_OCTETS_MAX, Handshake, hello};

/// Content type of handshake records.
const HANDSHAKE: u8 = 22;

/// What CAPWAP puts before DTLS on its control channel (RFC 5415, section 4.2): type 1, three reserved octets.
const CAPWAP_PREAMBLE: [u8; 4] = [1, 0, 0, 0];

/// Records looked at in a datagram.
const RECORDS_MAX: usize = 16;

/// The records in `payload`, when it starts like one with a piece of a ClientHello.
#[inline]
pub(super) fn begins(payload: &[u8]) -> Option<&[u8]> {
    let records = match payload.first()? {
        &HANDSHAKE => payload,
        1 => payload.strip_prefix(&CAPWAP_PREAMBLE)?,
        _ => return None,
    };
    pieces(records).next().map(|_| records)
}

/// A piece of a ClientHello.
struct Piece<'a> {
    /// Number of the message; a second ClientHello, with the server's cookie, has another.
    message: u16,
    /// Octets of the message's body.
    octets: usize,
    at: usize,
    fragment: &'a [u8],
}

/// The pieces of ClientHellos in the records of a datagram.
fn pieces(datagram: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    let mut datagram = Cursor(datagram);
    let mut record = Cursor(&[]);
    let mut records = 0;
    std::iter::from_fn(move || {
        loop {
            if let Some(piece) = piece(&mut record) {
                return Some(piece);
            }
            records += 1;
            if records > RECORDS_MAX {
                return None;
            }
            record = Cursor(handshake_record(&mut datagram)?);
        }
    })
}

/// The content of the next record; `None` when it is no handshake in the clear.
fn handshake_record<'a>(datagram: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let kind = datagram.u8()?;
    let version = datagram.u16()?;
    let epoch = datagram.u16()?;
    datagram.take(6)?; // Sequence number.
    let octets = usize::from(datagram.u16()?);
    // 0x0100 is the version of OpenSSL before it knew DTLS 1.0 well; Cisco AnyConnect still sends it.
    let plain = kind == HANDSHAKE && matches!(version, 0xfefc..=0xfeff | 0x0100) && epoch == 0;
    // A datagram that was captured in part still shows its first octets.
    plain.then(|| datagram.take(octets.min(datagram.0.len())))?
}

/// The next handshake message of a record, when it is (a piece of) a ClientHello.
fn piece<'a>(record: &mut Cursor<'a>) -> Option<Piece<'a>> {
    let kind = record.u8()?;
    let octets = record.u24()? as usize;
    let message = record.u16()?;
    let at = record.u24()? as usize;
    let fragment_octets = record.u24()? as usize;
    let fits =
        kind == hello::CLIENT_HELLO && octets <= HELLO_OCTETS_MAX && at + fragment_octets <= octets;
    let fragment = record.take(fragment_octets.min(record.0.len()))?;
    fits.then_some(Piece { message, octets, at, fragment })
}

/// The ClientHello whose pieces came so far.
#[derive(Debug)]
pub(super) struct Assembly {
    message: u16,
    octets: usize,
    stream: Stream,
}

/// Takes a datagram that [`begins`] like a ClientHello; answers with it when it is whole.
pub(super) fn push(assembly: &mut Option<Box<Assembly>>, records: &[u8]) -> Option<Handshake> {
    for piece in pieces(records) {
        if piece.fragment.len() == piece.octets {
            if let Some(handshake) = hello::read(piece.fragment, Carrier::Dtls) {
                return Some(handshake);
            }
            continue;
        }
        let same = |held: &Assembly| (held.message, held.octets) == (piece.message, piece.octets);
        let held = match assembly {
            Some(held) if same(held) => held,
            _ => assembly.insert(Box::new(Assembly {
                message: piece.message,
                octets: piece.octets,
                stream: Stream::default(),
            })),
        };
        held.stream.put(piece.at, piece.fragment);
        if let Some(body) = held.stream.whole().get(..held.octets) {
            let handshake = hello::read(body, Carrier::Dtls);
            // One that is whole and makes no sense is not looked at again, so that the work stays linear.
            *assembly = None;
            if handshake.is_some() {
                return handshake;
            }
        }
    }
    None
}

impl Assembly {
    /// Octets held on the heap beside the assembly itself.
    pub(super) fn octets_held(&self) -> usize {
        self.stream.octets_held()
    }
}
