//! A ClientHello in QUIC Initial packets: their protection taken off, CRYPTO frames put in order over several datagrams.
//!
//! The keys of Initial packets follow from the version and the Destination Connection ID that the packet shows, so that anyone on the path
//! can read them (RFC 9001, section 5.2).
//!
//! # Speed
//! Keys cost 3 to 5 µs and a packet about 1 µs, so the keys are kept while a ClientHello is put together.

use ring::aead::quic::{self, HeaderProtectionKey};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};

use super::cursor::Cursor;
use super::stream::Stream;
use super::{Carrier, Handshake, google, hello};

/// Most octets of a connection identifier (RFC 9000, section 17.2).
const CONNECTION_ID_OCTETS_MAX: usize = 20;

/// Packets looked at in a datagram; a client coalesces an Initial, a 0-RTT and a Handshake packet.
const PACKETS_MAX: usize = 4;

/// Frames looked at in a packet, a run of PADDING being one; Chrome makes about forty.
const FRAMES_MAX: usize = 512;

/// Packets that could not be opened, after which a flow is left alone.
pub(super) const FAILURES_MAX: u8 = 8;

/// How a version of QUIC makes and marks its Initial packets.
#[derive(Clone, Copy)]
struct Version {
    salt: &'static [u8; 20],
    labels: &'static Labels,
    /// The type bits of an Initial packet.
    initial: u8,
    /// The type of CRYPTO frames.
    crypto: u8,
    /// Whether the handshake is Google's own and not TLS.
    google: bool,
}

/// Labels of HKDF-Expand-Label, each in its `HkdfLabel` (RFC 8446, section 7.1): length, label, empty context.
struct Labels {
    key: &'static [u8],
    iv: &'static [u8],
    hp: &'static [u8],
}

const CLIENT_IN: &[u8] = b"\x00\x20\x0ftls13 client in\x00";

static LABELS_V1: Labels = Labels {
    key: b"\x00\x10\x0etls13 quic key\x00",
    iv: b"\x00\x0c\x0dtls13 quic iv\x00",
    hp: b"\x00\x10\x0dtls13 quic hp\x00",
};

static LABELS_V2: Labels = Labels {
    key: b"\x00\x10\x10tls13 quicv2 key\x00",
    iv: b"\x00\x0c\x0ftls13 quicv2 iv\x00",
    hp: b"\x00\x10\x0ftls13 quicv2 hp\x00",
};

/// draft-ietf-quic-tls-21, section 5.2, to draft 22.
const SALT_DRAFT_21: &[u8; 20] =
    b"\x7f\xbc\xdb\x0e\x7c\x66\xbb\xe9\x19\x3a\x96\xcd\x21\x51\x9e\xbd\x7a\x02\x64\x4a";
/// draft-ietf-quic-tls-23, section 5.2, to draft 28.
const SALT_DRAFT_23: &[u8; 20] =
    b"\xc3\xee\xf7\x12\xc7\x2e\xbb\x5a\x11\xa7\xd2\x43\x2b\xb4\x63\x65\xbe\xf9\xf5\x02";
/// draft-ietf-quic-tls-29, section 5.2, to draft 32.
const SALT_DRAFT_29: &[u8; 20] =
    b"\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99";
/// RFC 9001, section 5.2, and drafts 33 and 34.
const SALT_V1: &[u8; 20] =
    b"\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a";
/// RFC 9369, section 3.3.1.
const SALT_V2: &[u8; 20] =
    b"\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9";
/// Google's versions, from Chromium's `quic/core/crypto/crypto_utils.cc`.
const SALT_Q050: &[u8; 20] =
    b"\x50\x45\x74\xef\xd0\x66\xfe\x2f\x9d\x94\x5c\xfc\xdb\xd3\xa7\xf0\xd3\xb5\x6b\x45";
const SALT_T050: &[u8; 20] =
    b"\x7f\xf5\x79\xe5\xac\xd0\x72\x91\x55\x80\x30\x4c\x43\xa2\x36\x7c\x60\x48\x83\x10";
const SALT_T051: &[u8; 20] =
    b"\x7a\x4e\xde\xf4\xe7\xcc\xee\x5f\xa4\x50\x6c\x19\x12\x4f\xc8\xcc\xda\x6e\x03\x3d";

impl Version {
    fn of(number: u32) -> Option<Self> {
        let v1 = |salt| Self { salt, labels: &LABELS_V1, initial: 0, crypto: 6, google: false };
        Some(match number {
            // Sent so that the server names its versions (RFC 9000, section 15); what the client speaks is not told.
            _ if number & 0x0f0f_0f0f == 0x0a0a_0a0a => v1(SALT_V1),
            0x0000_0001 => v1(SALT_V1),
            0x6b33_43cf => Self { labels: &LABELS_V2, initial: 1, ..v1(SALT_V2) },
            0xff00_0015..=0xff00_0016 => v1(SALT_DRAFT_21),
            0xff00_0017..=0xff00_001c => v1(SALT_DRAFT_23),
            0xff00_001d..=0xff00_0020 => v1(SALT_DRAFT_29),
            0xff00_0021..=0xff00_0022 => v1(SALT_V1),
            // Facebook's mvfst: `quic/QuicConstants.h` says which draft each of its versions is.
            0xface_b001 => v1(SALT_DRAFT_21),
            0xface_b002..=0xface_b00f => v1(SALT_DRAFT_23),
            0x5130_3530 => Self { crypto: 8, google: true, ..v1(SALT_Q050) },
            0x5430_3530 => Self { crypto: 8, ..v1(SALT_T050) },
            0x5430_3531 => Self { crypto: 8, ..v1(SALT_T051) },
            _ => return None,
        })
    }

    /// The other form that Initial packets of this version are seen in.
    fn other(self, number: u32) -> Option<Self> {
        let reserved = number & 0x0f0f_0f0f == 0x0a0a_0a0a && self.salt == SALT_V1;
        reserved.then_some(Self { salt: SALT_DRAFT_29, ..self })
    }
}

/// Whether `payload` starts with a long header of a version that is known here.
#[inline]
pub(super) fn begins(payload: &[u8]) -> bool {
    payload.first().is_some_and(|&first| first >= 0x80)
        && payload.get(1..5).is_some_and(|number| {
            Version::of(u32::from_be_bytes([number[0], number[1], number[2], number[3]])).is_some()
        })
}

/// A packet with a long header, still protected (RFC 9000, section 17.2).
struct Packet<'a> {
    number: u32,
    version: Version,
    /// Whether it is an Initial packet.
    initial: bool,
    destination: &'a [u8],
    /// From the first octet to the end of the payload.
    octets: &'a [u8],
    /// Where the packet number starts.
    number_at: usize,
}

/// The next packet of a datagram; `None` where no more follows that could be told apart.
fn packet<'a>(datagram: &mut Cursor<'a>) -> Option<Packet<'a>> {
    let start = datagram.0;
    let first = datagram.u8().filter(|&first| first >= 0x80)?;
    let number = datagram.u32()?;
    let version = Version::of(number)?;
    let destination = datagram.vector8().filter(|id| id.len() <= CONNECTION_ID_OCTETS_MAX)?;
    datagram.vector8().filter(|id| id.len() <= CONNECTION_ID_OCTETS_MAX)?;
    let kind = (first >> 4 & 3).wrapping_sub(version.initial) & 3;
    match kind {
        0 => {
            let token_octets = usize::try_from(datagram.varint()?).ok()?;
            datagram.take(token_octets)?;
        }
        3 => return None, // Retry.
        _ => {}
    }
    let octets = usize::try_from(datagram.varint()?).ok()?;
    let number_at = start.len() - datagram.0.len();
    datagram.take(octets)?;
    let octets = &start[..start.len() - datagram.0.len()];
    Some(Packet { number, version, initial: kind == 0, destination, octets, number_at })
}

/// Keys of the Initial packets that a client sends.
struct Keys {
    packet: LessSafeKey,
    iv: [u8; NONCE_LEN],
    header: HeaderProtectionKey,
}

/// Length of an initialisation vector, for `ring`.
struct IvOctets;

impl KeyType for IvOctets {
    fn len(&self) -> usize {
        NONCE_LEN
    }
}

impl Keys {
    /// RFC 9001, section 5.2.
    fn new(version: &Version, destination: &[u8]) -> Option<Self> {
        let initial_secret = Salt::new(HKDF_SHA256, version.salt).extract(destination);
        let client = Prk::from(initial_secret.expand(&[CLIENT_IN], HKDF_SHA256).ok()?);
        let mut iv = [0; NONCE_LEN];
        client.expand(&[version.labels.iv], IvOctets).ok()?.fill(&mut iv).ok()?;
        let packet = [version.labels.key];
        let packet = UnboundKey::from(client.expand(&packet, &AES_128_GCM).ok()?);
        let header = [version.labels.hp];
        let header = HeaderProtectionKey::from(client.expand(&header, &quic::AES_128).ok()?);
        Some(Self { packet: LessSafeKey::new(packet), iv, header })
    }

    /// Takes off header and packet protection; leaves the frames in `scratch`.
    fn open(&self, packet: &Packet<'_>, scratch: &mut Vec<u8>) -> Option<()> {
        let sample_at = packet.number_at + 4;
        let sample = packet.octets.get(sample_at..sample_at + self.header.algorithm().sample_len());
        let mask = self.header.new_mask(sample?).ok()?;
        scratch.clear();
        scratch.extend_from_slice(packet.octets);
        scratch[0] ^= mask[0] & 0x0f;
        let number_octets = usize::from(scratch[0] & 3) + 1;
        let payload_at = packet.number_at + number_octets;
        let (header, payload) = scratch.split_at_mut(payload_at);
        // The number is sent in part (RFC 9000, appendix A.3); a client's first flight has small ones, so that the part is all.
        let mut nonce = self.iv;
        for ((octet, mask), nonce) in header[packet.number_at..]
            .iter_mut()
            .zip(&mask[1..])
            .zip(&mut nonce[NONCE_LEN - number_octets..])
        {
            *octet ^= mask;
            *nonce ^= *octet;
        }
        let nonce = Nonce::assume_unique_for_key(nonce);
        let octets = self.packet.open_in_place(nonce, Aad::from(header), payload).ok()?.len();
        scratch.truncate(payload_at + octets);
        scratch.drain(..payload_at);
        Some(())
    }
}

/// The keys that open a packet, whose frames are left in `scratch`.
fn keys_for(packet: &Packet<'_>, scratch: &mut Vec<u8>) -> Option<Keys> {
    let mut version = Some(packet.version);
    while let Some(tried) = version {
        let keys = Keys::new(&tried, packet.destination)?;
        if keys.open(packet, scratch).is_some() {
            return Some(keys);
        }
        version = tried.other(packet.number);
    }
    None
}

/// What of a ClientHello came so far, in Initial packets of one set of keys.
pub(super) struct Assembly {
    keys: Keys,
    number: u32,
    destination: Vec<u8>,
    stream: Stream,
}

impl std::fmt::Debug for Assembly {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assembly").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Assembly {
    /// Octets held on the heap beside the assembly itself.
    pub(super) fn octets_held(&self) -> usize {
        self.destination.capacity() + self.stream.octets_held()
    }
}

/// Takes a datagram that [`begins`] like QUIC; answers with the ClientHello when it is whole.
///
/// `failures` counts the packets that could not be opened: those of the server, mostly.
pub(super) fn push(
    assembly: &mut Option<Box<Assembly>>,
    failures: &mut u8,
    datagram: &[u8],
) -> Option<Handshake> {
    let mut scratch = Vec::new();
    let mut datagram = Cursor(datagram);
    for _ in 0..PACKETS_MAX {
        let packet = packet(&mut datagram)?;
        if !packet.initial || *failures >= FAILURES_MAX {
            continue;
        }
        // The client goes over to the server's connection identifier and keeps the keys of its first one (RFC 9001, section 5.2) …
        let known = assembly.as_mut().filter(|held| held.number == packet.number);
        if let Some(held) = known
            && held.keys.open(&packet, &mut scratch).is_some()
        {
            if let Some(handshake) = held.take(&scratch, &packet) {
                return Some(handshake);
            }
            continue;
        }
        if assembly.as_ref().is_some_and(|held| held.is_for(&packet)) {
            *failures += 1;
            continue;
        }
        // … but after a Retry, or in another version, it starts again.
        let Some(keys) = keys_for(&packet, &mut scratch) else {
            *failures += 1;
            continue;
        };
        if let Some(handshake) = at_once(&scratch, &packet) {
            return Some(handshake);
        }
        let mut held = Assembly {
            keys,
            number: packet.number,
            destination: packet.destination.to_vec(),
            stream: Stream::default(),
        };
        if let Some(handshake) = held.take(&scratch, &packet) {
            return Some(handshake);
        }
        *assembly = Some(Box::new(held));
    }
    None
}

impl Assembly {
    fn is_for(&self, packet: &Packet<'_>) -> bool {
        self.number == packet.number && self.destination == packet.destination
    }

    /// Takes the frames of a packet; answers with the ClientHello when it is whole.
    fn take(&mut self, frames: &[u8], packet: &Packet<'_>) -> Option<Handshake> {
        for (at, octets) in crypto(frames, packet.version.crypto) {
            self.stream.put(at, octets);
        }
        read(self.stream.whole(), packet)
    }
}

/// A ClientHello that lies whole in the first CRYPTO frame.
fn at_once(frames: &[u8], packet: &Packet<'_>) -> Option<Handshake> {
    let (at, octets) = crypto(frames, packet.version.crypto).next()?;
    if at == 0 { read(octets, packet) } else { None }
}

fn read(octets: &[u8], packet: &Packet<'_>) -> Option<Handshake> {
    if packet.version.google {
        return google::read(octets, packet.number);
    }
    let message = octets.get(hello::HEADER_OCTETS..hello::octets(octets)?)?;
    Some(Handshake { quic_version: packet.number, ..hello::read(message, Carrier::Quic)? })
}

/// Offset and octets of the CRYPTO frames of a client's Initial packet (RFC 9000, section 19), up to the first frame that may not be there.
fn crypto(frames: &[u8], crypto: u8) -> impl Iterator<Item = (usize, &[u8])> {
    let mut frames = Cursor(frames);
    let mut count = 0;
    std::iter::from_fn(move || {
        loop {
            let padding = frames.0.iter().take_while(|&&octet| octet == 0).count();
            frames.take(padding)?;
            count += 1;
            if count > FRAMES_MAX {
                return None;
            }
            match frames.u8()? {
                1 => {} // PING.
                kind @ 2..=3 => acknowledgement(&mut frames, kind)?,
                kind if kind == crypto => {
                    let at = usize::try_from(frames.varint()?).ok()?;
                    let octets = usize::try_from(frames.varint()?).ok()?;
                    return Some((at, frames.take(octets)?));
                }
                _ => return None,
            }
        }
    })
}

/// Passes over an ACK frame.
fn acknowledgement(frames: &mut Cursor<'_>, kind: u8) -> Option<()> {
    frames.varint()?; // Largest.
    frames.varint()?; // Delay.
    let ranges = frames.varint()?;
    frames.varint()?; // First range.
    for _ in 0..ranges {
        frames.varint()?;
        frames.varint()?;
    }
    if kind == 3 {
        // Counts of congestion marks.
        for _ in 0..3 {
            frames.varint()?;
        }
    }
    Some(())
}
