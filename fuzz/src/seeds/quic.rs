//! Initial packets as a client seals them (RFC 9001, section 5), with keys from the connection identifier they show.
//!
//! Written apart from the code under test, so that one mistake is not on both sides.

use ring::aead::quic::{AES_128, HeaderProtectionKey};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};

use super::Seed;
use super::hello::{client_hello, short};

const CONNECTION_ID: [u8; 8] = *b"\x83\x94\xc8\xf0\x3e\x51\x57\x08";

/// What a version of QUIC puts into its Initial packets and their keys.
struct Version {
    number: u32,
    salt: [u8; 20],
    labels: &'static str,
    initial: u8,
}

const V1: Version = Version {
    number: 1,
    salt: *b"\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a",
    labels: "quic ",
    initial: 0,
};
const V2: Version = Version {
    number: 0x6b33_43cf,
    salt: *b"\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9",
    labels: "quicv2 ",
    initial: 1,
};
const DRAFT_29: Version = Version {
    number: 0xff00_001d,
    salt: *b"\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99",
    labels: "quic ",
    initial: 0,
};

pub fn seeds() -> Vec<Seed> {
    let hello = client_hello();
    let (first, rest) = hello.split_at(70);
    let whole = crypto(0, &hello);
    let late = crypto(70, rest);
    let early = [&[1, 0, 0][..], &crypto(0, first)].concat();
    let mut raw = seal(1, 0, &whole);
    raw.resize(1200, 0);
    [
        ("raw", datagrams(0, &[&raw])),
        ("v1-whole", datagrams(1, &[&whole])),
        ("v2-whole", datagrams(2, &[&whole])),
        ("draft-29-whole", datagrams(3, &[&whole])),
        ("v1-out-of-order", datagrams(1, &[&late, &early])),
    ]
    .map(|(name, bytes)| ("quic", name, bytes))
    .to_vec()
}

/// As the target `quic` reads it: a mode, then pieces with their lengths.
fn datagrams(mode: u8, pieces: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![mode];
    for piece in pieces {
        bytes.extend(short(piece));
        bytes.extend_from_slice(piece);
    }
    bytes
}

/// A CRYPTO frame (RFC 9000, section 19.6).
fn crypto(at: u16, octets: &[u8]) -> Vec<u8> {
    let varint = |number: u16| (number | 0x4000).to_be_bytes();
    let count = u16::from_be_bytes(short(octets));
    [&[6][..], &varint(at), &varint(count), octets].concat()
}

/// An Initial packet that carries `frames`; `version` 1 is QUIC v1, 2 is v2, all else draft 29.
#[must_use]
pub fn seal(version: u8, packet_number: u32, frames: &[u8]) -> Vec<u8> {
    let version = match version {
        1 => V1,
        2 => V2,
        _ => DRAFT_29,
    };
    // A short payload has no octets for the header protection's sample; a long one no length of two octets.
    let mut payload = frames.to_vec();
    payload.resize(payload.len().clamp(4, 16_000), 0);
    let keys = Keys::new(&version, packet_number);
    let mut packet = header(&version, payload.len() + 16);
    let number_at = packet.len();
    packet.extend(packet_number.to_be_bytes());
    LessSafeKey::new(keys.packet)
        .seal_in_place_append_tag(keys.nonce, Aad::from(&packet), &mut payload)
        .expect("short enough to seal");
    packet.extend(payload);

    let sample = &packet[number_at + 4..number_at + 20];
    let mask = keys.header.new_mask(sample).expect("16 octets are a sample");
    packet[0] ^= mask[0] & 0x0f;
    for (octet, mask) in packet[number_at..number_at + 4].iter_mut().zip(&mask[1..]) {
        *octet ^= mask;
    }
    packet
}

/// A long header up to the packet number, which takes four octets (RFC 9000, section 17.2.2).
fn header(version: &Version, sealed_octets: usize) -> Vec<u8> {
    let length = u16::try_from(sealed_octets + 4).expect("payloads are bounded") | 0x4000;
    let first = 0xc3 | version.initial << 4;
    let number = version.number.to_be_bytes();
    [&[first][..], &number, &[8], &CONNECTION_ID, &[0, 0], &length.to_be_bytes()].concat()
}

struct Keys {
    packet: UnboundKey,
    nonce: Nonce,
    header: HeaderProtectionKey,
}

impl Keys {
    fn new(version: &Version, packet_number: u32) -> Self {
        let secret = Salt::new(HKDF_SHA256, &version.salt).extract(&CONNECTION_ID);
        let client: [u8; 32] = expand(&secret, "client in");
        let client = Prk::new_less_safe(HKDF_SHA256, &client);
        let label = |name: &str| format!("{}{name}", version.labels);
        let mut nonce: [u8; 12] = expand(&client, &label("iv"));
        for (octet, digit) in nonce[8..].iter_mut().zip(packet_number.to_be_bytes()) {
            *octet ^= digit;
        }
        let packet: [u8; 16] = expand(&client, &label("key"));
        let header: [u8; 16] = expand(&client, &label("hp"));
        Self {
            packet: UnboundKey::new(&AES_128_GCM, &packet).expect("16 octets are a key"),
            nonce: Nonce::assume_unique_for_key(nonce),
            header: HeaderProtectionKey::new(&AES_128, &header).expect("16 octets are a key"),
        }
    }
}

/// How many octets to expand to.
struct Octets(usize);

impl KeyType for Octets {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-Expand-Label with an empty context (RFC 8446, section 7.1).
fn expand<const N: usize>(secret: &Prk, label: &str) -> [u8; N] {
    let label = format!("tls13 {label}");
    let octet = |count: usize| u8::try_from(count).expect("labels and keys are short");
    let info = [&[0, octet(N), octet(label.len())][..], label.as_bytes(), &[0]].concat();
    let mut octets = [0; N];
    let info = [&info[..]];
    let keys = secret.expand(&info, Octets(N)).expect("far below the limit of HKDF");
    keys.fill(&mut octets).expect("as many octets as were asked for");
    octets
}

#[cfg(test)]
mod tests {
    use flowgait_capture::Protocol;
    use flowgait_flow::handshake::{Look, Segment, Watch};

    use super::*;

    #[test]
    fn what_is_sealed_is_opened() {
        for version in 1..=3 {
            let datagram = seal(version, 7, &crypto(0, &client_hello()));
            let payload_octets = u16::from_be_bytes(short(&datagram));
            let segment =
                Segment { forward: true, tcp_sequence: 0, payload_octets, payload: &datagram };
            match Watch::new(Protocol::UDP).push(&segment) {
                Look::Done(found) => assert_eq!(found.sni.as_deref(), Some("gait.example")),
                other => panic!("version {version} was not opened: {other:?}"),
            }
        }
    }
}
