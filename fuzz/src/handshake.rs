//! ClientHellos in TCP segments, DTLS and QUIC datagrams.

use flowgait_capture::Protocol;
use flowgait_flow::handshake::{Carrier, HELLO_OCTETS_MAX, Handshake, Look, Segment, Watch};

use crate::pieces::Pieces;
use crate::seeds::quic::seal;

/// Far more than one ClientHello and its bookkeeping; a watch that holds more has no limit.
const HELD_OCTETS_MAX: usize = 4 * HELLO_OCTETS_MAX;

/// Segments of a TCP (first octet even) or UDP flow: each a flags octet (bit 0 backward, bit 1 cut short), a sequence
/// number relative to the segment before (two octets), a length (two octets), and that many octets.
pub fn client_hello(bytes: &[u8]) {
    let mut pieces = Pieces(bytes);
    let protocol = if pieces.u8() % 2 == 0 { Protocol::TCP } else { Protocol::UDP };
    let mut watch = Watch::new(protocol);
    let mut sequence = 0_u32;
    while !pieces.is_empty() {
        let flags = pieces.u8();
        #[expect(clippy::cast_possible_wrap, reason = "half of the offsets go back")]
        let offset = pieces.u16() as i16;
        let octets = usize::from(pieces.u16());
        let payload = pieces.take(octets);
        sequence = sequence.wrapping_add_signed(i32::from(offset));
        let cut = u16::from(flags & 2 != 0) * 100;
        let payload_octets = u16::try_from(payload.len()).unwrap_or(u16::MAX).saturating_add(cut);
        let segment =
            Segment { forward: flags & 1 == 0, tcp_sequence: sequence, payload_octets, payload };
        sequence = sequence.wrapping_add(u32::from(payload_octets));
        if is_over(&mut watch, &segment) {
            return;
        }
    }
}

/// QUIC datagrams of one client. First octet 0: datagrams as they are (length of two octets, octets). Otherwise it picks a version, and
/// each piece is a packet's frames, sealed with the keys that everyone on the path can derive, so that the fuzzer gets past them.
pub fn quic(bytes: &[u8]) {
    let mut pieces = Pieces(bytes);
    let mode = pieces.u8();
    let mut watch = Watch::new(Protocol::UDP);
    let mut number = 0;
    while !pieces.is_empty() {
        let octets = usize::from(pieces.u16());
        let piece = pieces.take(octets);
        let datagram = match mode {
            0 => piece.to_vec(),
            version => seal(version, number, piece),
        };
        number += 1;
        let payload_octets = u16::try_from(datagram.len()).unwrap_or(u16::MAX);
        let segment =
            Segment { forward: true, tcp_sequence: 0, payload_octets, payload: &datagram };
        if is_over(&mut watch, &segment) {
            return;
        }
    }
}

/// Shows the watch a segment; whether it needs no more.
fn is_over(watch: &mut Watch, segment: &Segment<'_>) -> bool {
    let look = watch.push(segment);
    assert!(watch.octets_held() <= HELD_OCTETS_MAX, "{} octets are held", watch.octets_held());
    match look {
        Look::More => false,
        Look::Stop => true,
        Look::Done(handshake) => {
            check(&handshake);
            true
        }
    }
}

fn check(handshake: &Handshake) {
    let ja4 = handshake.ja4.as_bytes();
    if !ja4.is_empty() {
        assert_eq!(ja4.len(), 36, "{}", handshake.ja4);
        assert_eq!((ja4[10], ja4[23]), (b'_', b'_'), "{}", handshake.ja4);
        let carrier = match handshake.carrier {
            Carrier::Tls => b't',
            Carrier::Dtls => b'd',
            Carrier::Quic => b'q',
        };
        assert_eq!(ja4[0], carrier, "{}", handshake.ja4);
    }
    if let Some(name) = &handshake.sni {
        assert!(!name.is_empty() && name.len() <= usize::from(u16::MAX));
        assert!(!name.chars().any(|c| c.is_ascii_uppercase()), "names are lower case: {name}");
    }
}
