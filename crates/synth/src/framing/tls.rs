//! TLS handshakes and records over TCP: valid where they are in the clear, of the right size where they are not.

use super::hello::{
    self, ClientHello, P256, TLS_12, TLS_13, extension, handshake_message, push_extension, push_share,
    server_share_octets,
};
use super::stream::Stream;
use crate::draw::Chance;
use crate::process::Direction;

/// Which version the server chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

impl Version {
    /// Octets that sealing adds to a record's content: TLS 1.3 adds its type and a tag of 16; TLS 1.2 with AES-GCM a
    /// nonce of 8 and the tag.
    #[must_use]
    pub fn overhead(self) -> u32 {
        match self {
            Self::Tls12 => 24,
            Self::Tls13 => 17,
        }
    }
}

const HANDSHAKE: u8 = 22;
const CHANGE_CIPHER: u8 = 20;
const ALERT: u8 = 21;
const APPLICATION: u8 = 23;
const RECORD_HEADER: u32 = 5;
/// Most octets of content in a record (RFC 8446, 5.1).
pub const RECORD_MOST: u32 = 16_384;
/// Octets of CertificateVerify with an ECDSA P-256 signature, header included.
const CERTIFICATE_VERIFY: u32 = 79;
/// Octets of Finished with SHA-256, header included.
const FINISHED: u32 = 36;

/// How a server secures a connection.
#[derive(Clone, Copy, Debug)]
pub struct Security<'a> {
    /// The version it chooses.
    pub version: Version,
    /// What the client says first.
    pub hello: ClientHello<'a>,
    /// Octets of the certificate chain; none is sent when a session is resumed.
    pub chain: u32,
    /// Most octets of content in a record that the server writes.
    pub record: u32,
    /// Session tickets that the server sends.
    pub tickets: u32,
    /// Octets of each.
    pub ticket: u32,
}

/// Writes the handshake into both streams and tells its flights: who says how many octets, in turn.
pub fn handshake(security: &Security<'_>, streams: &mut [Stream; 2], chance: &mut Chance) -> Vec<(Direction, u32)> {
    match security.version {
        Version::Tls13 => handshake13(security, streams, chance),
        Version::Tls12 => handshake12(security, streams, chance),
    }
}

fn handshake13(
    security: &Security<'_>,
    [up, down]: &mut [Stream; 2],
    chance: &mut Chance,
) -> Vec<(Direction, u32)> {
    let resumed = security.hello.ticket.is_some();
    let hello = security.hello.write(chance);
    let marks = [up.len(), down.len()];
    // The first record says 3.1, for old middleboxes (RFC 8446, 5.1).
    literal(up, HANDSHAKE, 0x0301, &hello.message);
    let one = (Direction::Up, (up.len() - marks[0]) as u32);

    literal(down, HANDSHAKE, TLS_12, &server_hello13(security, &hello.session, chance));
    literal(down, CHANGE_CIPHER, TLS_12, &[1]);
    let named = chance.between(6, 40) as u32;
    if resumed {
        sealed(down, Version::Tls13, named + FINISHED, RECORD_MOST);
    } else if chance.happens(0.5) {
        // Some servers seal each message alone, others all together.
        for part in [named, security.chain, CERTIFICATE_VERIFY, FINISHED] {
            sealed(down, Version::Tls13, part, RECORD_MOST);
        }
    } else {
        sealed(down, Version::Tls13, named + security.chain + CERTIFICATE_VERIFY + FINISHED, RECORD_MOST);
    }
    let two = (Direction::Down, (down.len() - marks[1]) as u32);

    let mark = up.len();
    literal(up, CHANGE_CIPHER, TLS_12, &[1]);
    sealed(up, Version::Tls13, FINISHED, RECORD_MOST);
    let three = (Direction::Up, (up.len() - mark) as u32);
    let mut flights = vec![one, two, three];
    if security.tickets > 0 {
        let mark = down.len();
        for _ in 0..security.tickets {
            sealed(down, Version::Tls13, security.ticket, RECORD_MOST);
        }
        flights.push((Direction::Down, (down.len() - mark) as u32));
    }
    flights
}

fn handshake12(
    security: &Security<'_>,
    [up, down]: &mut [Stream; 2],
    chance: &mut Chance,
) -> Vec<(Direction, u32)> {
    let hello = security.hello.write(chance);
    let marks = [up.len(), down.len()];
    literal(up, HANDSHAKE, 0x0301, &hello.message);
    let one = (Direction::Up, (up.len() - marks[0]) as u32);

    literal(down, HANDSHAKE, TLS_12, &server_hello12(chance));
    literal(down, HANDSHAKE, TLS_12, &certificates(security.chain, security.hello.name, chance));
    literal(down, HANDSHAKE, TLS_12, &server_key_exchange(chance));
    literal(down, HANDSHAKE, TLS_12, &handshake_message(14, &[]));
    let two = (Direction::Down, (down.len() - marks[1]) as u32);

    let mark = up.len();
    let mut point = vec![65, 4];
    point.extend_from_slice(&chance.octets::<64>());
    literal(up, HANDSHAKE, TLS_12, &handshake_message(16, &point));
    literal(up, CHANGE_CIPHER, TLS_12, &[1]);
    // Finished is 12 octets of data here.
    sealed_as(up, HANDSHAKE, Version::Tls12, 16);
    let three = (Direction::Up, (up.len() - mark) as u32);

    let mark = down.len();
    literal(down, CHANGE_CIPHER, TLS_12, &[1]);
    sealed_as(down, HANDSHAKE, Version::Tls12, 16);
    let four = (Direction::Down, (down.len() - mark) as u32);
    vec![one, two, three, four]
}

/// Writes a message of `octets` as records into a stream and tells how many octets they are.
pub fn message(stream: &mut Stream, version: Version, octets: u32, record: u32) -> u32 {
    let before = stream.len();
    sealed(stream, version, octets, record);
    (stream.len() - before) as u32
}

/// Writes the alert that closes a connection and tells how many octets it is.
pub fn close_notify(stream: &mut Stream, version: Version) -> u32 {
    let before = stream.len();
    match version {
        Version::Tls12 => sealed_as(stream, ALERT, version, 2),
        Version::Tls13 => sealed_as(stream, APPLICATION, version, 2),
    }
    (stream.len() - before) as u32
}

fn literal(stream: &mut Stream, kind: u8, version: u16, body: &[u8]) {
    for part in body.chunks(RECORD_MOST as usize) {
        stream.say(&[kind]);
        stream.say(&version.to_be_bytes());
        stream.say(&(part.len() as u16).to_be_bytes());
        stream.say(part);
    }
}

fn sealed(stream: &mut Stream, version: Version, octets: u32, record: u32) {
    let record = record.clamp(64, RECORD_MOST);
    let mut left = octets.max(1);
    while left > 0 {
        let part = left.min(record);
        sealed_as(stream, APPLICATION, version, part);
        left -= part;
    }
}

fn sealed_as(stream: &mut Stream, kind: u8, version: Version, octets: u32) {
    let length = octets + version.overhead();
    let [high, low] = (length as u16).to_be_bytes();
    let header: [u8; RECORD_HEADER as usize] = [kind, 3, 3, high, low];
    stream.say(&header);
    stream.mumble(length.into());
}

fn server_hello13(security: &Security<'_>, session: &[u8], chance: &mut Chance) -> Vec<u8> {
    let group = security.hello.manner.shares.first().copied().unwrap_or(hello::X25519);
    server_hello13_for(group, session, security.hello.ticket.is_some(), chance)
}

/// A TLS 1.3 ServerHello for a group.
#[must_use]
pub fn server_hello13_for(group: u16, session: &[u8], resumed: bool, chance: &mut Chance) -> Vec<u8> {
    let mut body = TLS_12.to_be_bytes().to_vec();
    body.extend_from_slice(&chance.octets::<32>());
    body.push(session.len() as u8);
    body.extend_from_slice(session);
    body.extend_from_slice(&[0x13, 0x01, 0]);
    let mut extensions = Vec::new();
    let mut share = Vec::new();
    push_share(group, server_share_octets(group), chance, &mut share);
    push_extension(extension::KEY_SHARE, &share, &mut extensions);
    if resumed {
        push_extension(extension::PRE_SHARED_KEY, &[0, 0], &mut extensions);
    }
    push_extension(extension::SUPPORTED_VERSIONS, &TLS_13.to_be_bytes(), &mut extensions);
    body.extend_from_slice(&(extensions.len() as u16).to_be_bytes());
    body.extend_from_slice(&extensions);
    handshake_message(2, &body)
}

fn server_hello12(chance: &mut Chance) -> Vec<u8> {
    let mut body = TLS_12.to_be_bytes().to_vec();
    body.extend_from_slice(&chance.octets::<32>());
    body.push(32);
    body.extend_from_slice(&chance.octets::<32>());
    body.extend_from_slice(&[0xc0, 0x2f, 0]);
    let mut extensions = Vec::new();
    push_extension(extension::RENEGOTIATION_INFO, &[0], &mut extensions);
    push_extension(extension::EXTENDED_MASTER_SECRET, &[], &mut extensions);
    push_extension(extension::EC_POINT_FORMATS, &[1, 0], &mut extensions);
    body.extend_from_slice(&(extensions.len() as u16).to_be_bytes());
    body.extend_from_slice(&extensions);
    handshake_message(2, &body)
}

fn server_key_exchange(chance: &mut Chance) -> Vec<u8> {
    // Named curve P-256, a point, and a signature (RSA-PSS with SHA-256) of 2,048 bits.
    let mut body = vec![3];
    body.extend_from_slice(&P256.to_be_bytes());
    body.extend_from_slice(&[65, 4]);
    body.extend_from_slice(&chance.octets::<64>());
    body.extend_from_slice(&[0x08, 0x04, 1, 0]);
    body.extend_from_slice(&chance.octets::<256>());
    handshake_message(12, &body)
}

/// A chain of two certificates in the clear, of about `chain` octets together.
fn certificates(chain: u32, name: &str, chance: &mut Chance) -> Vec<u8> {
    let chain = chain.clamp(1_200, 12_000) as usize;
    let mut list = Vec::new();
    for (subject, octets) in [(name, chain * 3 / 5), ("made-authority.test", chain * 2 / 5)] {
        let certificate = certificate(subject, octets, chance);
        list.extend_from_slice(&(certificate.len() as u32).to_be_bytes()[1..]);
        list.extend_from_slice(&certificate);
    }
    let mut body = (list.len() as u32).to_be_bytes()[1..].to_vec();
    body.extend_from_slice(&list);
    handshake_message(11, &body)
}

/// A certificate in X.509's form (RFC 5280, 4.1) that certifies nothing: its key, signature and one extension are noise.
fn certificate(subject: &str, octets: usize, chance: &mut Chance) -> Vec<u8> {
    let sha256_rsa = der(0x30, &[&der(0x06, &[&[42, 134, 72, 134, 247, 13, 1, 1, 11]]), &der(0x05, &[])]);
    let rsa = der(0x30, &[&der(0x06, &[&[42, 134, 72, 134, 247, 13, 1, 1, 1]]), &der(0x05, &[])]);
    let common_name = |name: &str| {
        let pair = der(0x30, &[&der(0x06, &[&[0x55, 4, 3]]), &der(0x0c, &[name.as_bytes()])]);
        der(0x30, &[&der(0x31, &[&pair])])
    };
    let validity = der(0x30, &[&der(0x17, &[b"230101000000Z"]), &der(0x17, &[b"330101000000Z"])]);
    let mut modulus = vec![0, 0x80];
    modulus.extend_from_slice(&chance.octets::<255>());
    let key = der(0x30, &[&der(0x02, &[&modulus]), &der(0x02, &[&[1, 0, 1]])]);
    let key_info = der(0x30, &[&rsa, &der(0x03, &[&[0], &key])]);
    let mut signature = vec![0];
    signature.extend_from_slice(&chance.octets::<256>());
    // About 760 octets are fixed; the extension, under an arc kept for examples, takes the rest.
    let mut filling = vec![0; octets.saturating_sub(760).max(16)];
    chance.fill(&mut filling);
    let example = der(0x06, &[&[0x2b, 6, 1, 4, 1, 0x82, 0xdb, 0x10, 1]]);
    let extension = der(0x30, &[&example, &der(0x04, &[&der(0x04, &[&filling])])]);
    let extensions = der(0xa3, &[&der(0x30, &[&extension])]);
    let serial = der(0x02, &[&[1], &chance.octets::<15>()]);
    let tbs = der(
        0x30,
        &[
            &der(0xa0, &[&der(0x02, &[&[2]])]),
            &serial,
            &sha256_rsa,
            &common_name("made-authority.test"),
            &validity,
            &common_name(subject),
            &key_info,
            &extensions,
        ],
    );
    der(0x30, &[&tbs, &sha256_rsa, &der(0x03, &[&signature])])
}

/// A DER value: tag, length, content.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|p| p.len()).sum();
    let mut out = vec![tag];
    match length {
        0..=127 => out.push(length as u8),
        128..=255 => out.extend_from_slice(&[0x81, length as u8]),
        _ => {
            out.push(0x82);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
    }
    parts.iter().for_each(|p| out.extend_from_slice(p));
    out
}
