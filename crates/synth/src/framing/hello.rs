//! ClientHello messages (RFC 8446, 4.1.2) in the manners of different TLS libraries.
//!
//! The manners follow what well-known libraries offer, in kind: none is a copy of a certain version, and the random
//! parts (random, session id, key shares, sealed extensions) are drawn.

use crate::draw::Chance;

/// TLS 1.3.
pub const TLS_13: u16 = 0x0304;
/// TLS 1.2.
pub const TLS_12: u16 = 0x0303;
/// X25519 (RFC 8446).
pub const X25519: u16 = 0x001d;
/// P-256.
pub const P256: u16 = 0x0017;
/// P-384.
pub const P384: u16 = 0x0018;
/// X25519 with ML-KEM-768 (draft-ietf-tls-ecdhe-mlkem).
pub const X25519_MLKEM768: u16 = 0x11ec;

/// Extensions by their IANA numbers.
pub mod extension {
    #![allow(missing_docs, reason = "the names are IANA's")]
    pub const SERVER_NAME: u16 = 0;
    pub const STATUS_REQUEST: u16 = 5;
    pub const SUPPORTED_GROUPS: u16 = 10;
    pub const EC_POINT_FORMATS: u16 = 11;
    pub const SIGNATURE_ALGORITHMS: u16 = 13;
    pub const ALPN: u16 = 16;
    pub const SIGNED_CERTIFICATE_TIMESTAMP: u16 = 18;
    pub const PADDING: u16 = 21;
    pub const EXTENDED_MASTER_SECRET: u16 = 23;
    pub const COMPRESS_CERTIFICATE: u16 = 27;
    pub const RECORD_SIZE_LIMIT: u16 = 28;
    pub const DELEGATED_CREDENTIAL: u16 = 34;
    pub const SESSION_TICKET: u16 = 35;
    pub const PRE_SHARED_KEY: u16 = 41;
    pub const SUPPORTED_VERSIONS: u16 = 43;
    pub const PSK_KEY_EXCHANGE_MODES: u16 = 45;
    pub const KEY_SHARE: u16 = 51;
    pub const QUIC_TRANSPORT_PARAMETERS: u16 = 57;
    pub const APPLICATION_SETTINGS: u16 = 17_613;
    pub const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;
    pub const RENEGOTIATION_INFO: u16 = 0xff01;
}
use extension as x;

/// How a library writes its ClientHello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manner {
    /// Cipher suites.
    pub ciphers: Vec<u16>,
    /// Groups.
    pub groups: Vec<u16>,
    /// Groups for which a key share is sent at once.
    pub shares: Vec<u16>,
    /// Signature algorithms.
    pub signatures: Vec<u16>,
    /// Extensions, in order.
    pub extensions: Vec<u16>,
    /// Whether TLS 1.3 is offered beside 1.2.
    pub tls13: bool,
    /// Whether GREASE values (RFC 8701) are mixed in.
    pub grease: bool,
    /// Whether the extensions come in a new order each time.
    pub shuffled: bool,
}

/// Libraries to choose a manner from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Library {
    /// A browser that greases, shuffles, and offers a hybrid key share.
    BrowserOne,
    /// A browser with a fixed order, delegated credentials and a record size limit.
    BrowserTwo,
    /// A browser that greases in a fixed order and pads.
    BrowserThree,
    /// A phone's own library.
    Phone,
    /// A server-side language's own library.
    Script,
    /// The most common C library.
    Classic,
    /// A memory-safe library.
    Modern,
    /// An old embedded library: TLS 1.2 only.
    Embedded,
}

impl Library {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::BrowserOne,
        Self::BrowserTwo,
        Self::BrowserThree,
        Self::Phone,
        Self::Script,
        Self::Classic,
        Self::Modern,
        Self::Embedded,
    ];

    /// Its manner.
    #[must_use]
    pub fn manner(self) -> Manner {
        let ciphers13 = [0x1301, 0x1302, 0x1303];
        let modern12 = [0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8];
        let old12 = [0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035];
        let signatures = vec![0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];
        let join = |parts: &[&[u16]]| parts.concat();
        let usual = [
            x::SERVER_NAME,
            x::EXTENDED_MASTER_SECRET,
            x::RENEGOTIATION_INFO,
            x::SUPPORTED_GROUPS,
            x::EC_POINT_FORMATS,
            x::SESSION_TICKET,
            x::ALPN,
            x::STATUS_REQUEST,
            x::SIGNATURE_ALGORITHMS,
        ];
        let new = [x::KEY_SHARE, x::PSK_KEY_EXCHANGE_MODES, x::SUPPORTED_VERSIONS];
        let plain = Manner {
            ciphers: join(&[&ciphers13, &modern12]),
            groups: vec![X25519, P256, P384],
            shares: vec![X25519],
            signatures,
            extensions: join(&[&usual, &new]),
            tls13: true,
            grease: false,
            shuffled: false,
        };
        match self {
            Self::BrowserOne => Manner {
                ciphers: join(&[&ciphers13, &modern12, &old12]),
                groups: vec![X25519_MLKEM768, X25519, P256, P384],
                shares: vec![X25519_MLKEM768, X25519],
                extensions: join(&[
                    &usual,
                    &[x::SIGNED_CERTIFICATE_TIMESTAMP],
                    &new,
                    &[x::COMPRESS_CERTIFICATE, x::APPLICATION_SETTINGS, x::ENCRYPTED_CLIENT_HELLO],
                ]),
                grease: true,
                shuffled: true,
                ..plain
            },
            Self::BrowserTwo => Manner {
                ciphers: join(&[&[0x1301, 0x1303, 0x1302], &modern12, &[0xc00a, 0xc009], &old12]),
                groups: vec![X25519_MLKEM768, X25519, P256, P384, 0x0019, 0x0100],
                shares: vec![X25519_MLKEM768, X25519, P256],
                extensions: join(&[
                    &usual[..8],
                    &[x::DELEGATED_CREDENTIAL, x::KEY_SHARE, x::SUPPORTED_VERSIONS],
                    &[x::SIGNATURE_ALGORITHMS, x::PSK_KEY_EXCHANGE_MODES, x::RECORD_SIZE_LIMIT],
                    &[x::COMPRESS_CERTIFICATE, x::ENCRYPTED_CLIENT_HELLO],
                ]),
                ..plain
            },
            Self::BrowserThree => Manner {
                ciphers: join(&[&ciphers13, &[0xc02c, 0xc02b, 0xcca9, 0xc030, 0xc02f, 0xcca8], &old12]),
                extensions: join(&[
                    &usual,
                    &[x::SIGNED_CERTIFICATE_TIMESTAMP],
                    &new,
                    &[x::COMPRESS_CERTIFICATE, x::PADDING],
                ]),
                grease: true,
                ..plain
            },
            Self::Phone => Manner {
                ciphers: join(&[&ciphers13, &modern12, &old12]),
                extensions: join(&[&usual, &new]),
                ..plain
            },
            Self::Script => Manner {
                ciphers: join(&[&modern12, &old12[..2], &ciphers13]),
                groups: vec![X25519_MLKEM768, X25519, P256, P384, 0x0019],
                shares: vec![X25519_MLKEM768, X25519],
                extensions: vec![
                    x::SERVER_NAME,
                    x::STATUS_REQUEST,
                    x::SUPPORTED_GROUPS,
                    x::EC_POINT_FORMATS,
                    x::SIGNATURE_ALGORITHMS,
                    x::EXTENDED_MASTER_SECRET,
                    x::RENEGOTIATION_INFO,
                    x::ALPN,
                    x::SIGNED_CERTIFICATE_TIMESTAMP,
                    x::SUPPORTED_VERSIONS,
                    x::KEY_SHARE,
                ],
                ..plain
            },
            Self::Classic => Manner {
                ciphers: join(&[
                    &[0x1302, 0x1303, 0x1301, 0xc02c, 0xc030, 0x009f, 0xcca9, 0xcca8, 0xccaa, 0xc02b],
                    &[0xc02f, 0x009e, 0xc024, 0xc028, 0x006b, 0xc023, 0xc027, 0x0067, 0x00ff],
                ]),
                groups: vec![X25519, P256, 0x001e, 0x0019, P384, 0x0100, 0x0101],
                extensions: vec![
                    x::SERVER_NAME,
                    x::EC_POINT_FORMATS,
                    x::SUPPORTED_GROUPS,
                    x::SESSION_TICKET,
                    x::ALPN,
                    22,
                    x::EXTENDED_MASTER_SECRET,
                    x::SIGNATURE_ALGORITHMS,
                    x::SUPPORTED_VERSIONS,
                    x::PSK_KEY_EXCHANGE_MODES,
                    x::KEY_SHARE,
                ],
                ..plain
            },
            Self::Modern => Manner {
                ciphers: join(&[&[0x1302, 0x1301, 0x1303], &modern12, &[0x00ff]]),
                extensions: vec![
                    x::SUPPORTED_VERSIONS,
                    x::EC_POINT_FORMATS,
                    x::SUPPORTED_GROUPS,
                    x::SIGNATURE_ALGORITHMS,
                    x::EXTENDED_MASTER_SECRET,
                    x::STATUS_REQUEST,
                    x::SERVER_NAME,
                    x::ALPN,
                    x::KEY_SHARE,
                    x::PSK_KEY_EXCHANGE_MODES,
                ],
                shuffled: true,
                ..plain
            },
            Self::Embedded => Manner {
                ciphers: join(&[&[0xc02b, 0xc02f, 0xc023, 0xc027, 0xc009, 0xc013, 0x009c, 0x003c], &[0x002f]]),
                groups: vec![P256, P384],
                shares: Vec::new(),
                extensions: vec![
                    x::SERVER_NAME,
                    x::SUPPORTED_GROUPS,
                    x::EC_POINT_FORMATS,
                    x::SIGNATURE_ALGORITHMS,
                    x::EXTENDED_MASTER_SECRET,
                ],
                tls13: false,
                ..plain
            },
        }
    }
}

/// One ClientHello to be written.
#[derive(Clone, Copy, Debug)]
pub struct ClientHello<'a> {
    /// In which manner.
    pub manner: &'a Manner,
    /// Server name.
    pub name: &'a str,
    /// Application protocols, in order.
    pub protocols: &'a [&'static str],
    /// Octets of a ticket with which an earlier session is resumed (TLS 1.3).
    pub ticket: Option<u16>,
    /// QUIC transport parameters; then TLS 1.3 alone is offered and the session id is empty (RFC 9001, 8.4).
    pub quic: Option<&'a [u8]>,
}

/// A ClientHello as it was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// The handshake message, its four-octet header included.
    pub message: Vec<u8>,
    /// The session id, which the server repeats.
    pub session: Vec<u8>,
}

impl ClientHello<'_> {
    /// Writes it.
    #[must_use]
    pub fn write(&self, chance: &mut Chance) -> Written {
        let grease: Option<[u16; 5]> = self.manner.grease.then(|| std::array::from_fn(|_| grease_value(chance)));
        let quic = self.quic.is_some();
        let mut body = Vec::with_capacity(600);
        body.extend_from_slice(&TLS_12.to_be_bytes());
        body.extend_from_slice(&chance.octets::<32>());
        let session = if quic { Vec::new() } else { chance.octets::<32>().to_vec() };
        body.push(session.len() as u8);
        body.extend_from_slice(&session);
        let mut ciphers: Vec<u16> = grease.iter().map(|g| g[0]).collect();
        ciphers.extend(self.manner.ciphers.iter().filter(|c| !quic || **c >> 8 == 0x13));
        push_list16(&ciphers, &mut body);
        body.extend_from_slice(&[1, 0]);
        let extensions = self.extensions(grease, body.len(), chance);
        body.extend_from_slice(&(extensions.len() as u16).to_be_bytes());
        body.extend_from_slice(&extensions);
        Written { message: handshake_message(1, &body), session }
    }

    fn extensions(&self, grease: Option<[u16; 5]>, before: usize, chance: &mut Chance) -> Vec<u8> {
        let quic = self.quic.is_some();
        let mut order: Vec<u16> = self
            .manner
            .extensions
            .iter()
            .copied()
            .filter(|e| !(quic && is_only_tls12(*e)) && (*e != x::ALPN || !self.protocols.is_empty()))
            .collect();
        if quic {
            order.push(x::QUIC_TRANSPORT_PARAMETERS);
        }
        // Padding stays last but for the pre-shared key, whatever the order of the rest.
        let padded = order.contains(&x::PADDING) && !quic;
        order.retain(|e| *e != x::PADDING);
        if self.manner.shuffled {
            chance.shuffle(&mut order);
        }
        let mut out = Vec::with_capacity(512);
        if let Some(g) = grease {
            push_extension(g[1], &[], &mut out);
        }
        for e in order {
            let body = self.extension(e, grease, chance);
            push_extension(e, &body, &mut out);
        }
        if let Some(g) = grease {
            // Two equal extensions would be an error.
            let last = if g[2] == g[1] { g[2] ^ 0x1010 } else { g[2] };
            push_extension(last, &[0], &mut out);
        }
        // Handshake header 4, list length 2, extension header 4: padded to 512, as RFC 7685 advises.
        let length = 4 + before + 2 + out.len();
        if padded && (256..508).contains(&length) {
            push_extension(x::PADDING, &vec![0; 508 - length], &mut out);
        }
        if let Some(ticket) = self.ticket.filter(|_| self.manner.tls13) {
            push_extension(x::PRE_SHARED_KEY, &pre_shared_key(ticket, chance), &mut out);
        }
        out
    }

    fn extension(&self, number: u16, grease: Option<[u16; 5]>, chance: &mut Chance) -> Vec<u8> {
        let mut out = Vec::new();
        match number {
            x::SERVER_NAME => {
                let name = self.name.as_bytes();
                out.extend_from_slice(&(name.len() as u16 + 3).to_be_bytes());
                out.push(0);
                out.extend_from_slice(&(name.len() as u16).to_be_bytes());
                out.extend_from_slice(name);
            }
            x::STATUS_REQUEST => out.extend_from_slice(&[1, 0, 0, 0, 0]),
            x::SUPPORTED_GROUPS => {
                let mut groups: Vec<u16> = grease.iter().map(|g| g[3]).collect();
                groups.extend(&self.manner.groups);
                push_list16(&groups, &mut out);
            }
            x::EC_POINT_FORMATS => out.extend_from_slice(&[1, 0]),
            x::SIGNATURE_ALGORITHMS => push_list16(&self.manner.signatures, &mut out),
            x::ALPN | x::APPLICATION_SETTINGS => {
                let list: Vec<u8> = self
                    .protocols
                    .iter()
                    .filter(|p| number == x::ALPN || **p == "h2" || **p == "h3")
                    .flat_map(|p| std::iter::once(p.len() as u8).chain(p.bytes()))
                    .collect();
                out.extend_from_slice(&(list.len() as u16).to_be_bytes());
                out.extend_from_slice(&list);
            }
            x::COMPRESS_CERTIFICATE => out.extend_from_slice(&[2, 0, 2]),
            x::RECORD_SIZE_LIMIT => out.extend_from_slice(&16_385u16.to_be_bytes()),
            x::DELEGATED_CREDENTIAL => push_list16(&[0x0403, 0x0503, 0x0603, 0x0203], &mut out),
            x::SUPPORTED_VERSIONS => {
                let mut versions: Vec<u16> = grease.iter().map(|g| g[4]).collect();
                versions.push(TLS_13);
                if self.quic.is_none() {
                    versions.push(TLS_12);
                }
                out.push(versions.len() as u8 * 2);
                versions.iter().for_each(|v| out.extend_from_slice(&v.to_be_bytes()));
            }
            x::PSK_KEY_EXCHANGE_MODES => out.extend_from_slice(&[1, 1]),
            x::KEY_SHARE => {
                let mut shares = Vec::new();
                if let Some(g) = grease {
                    shares.extend_from_slice(&g[3].to_be_bytes());
                    shares.extend_from_slice(&[0, 1, 0]);
                }
                for group in &self.manner.shares {
                    push_share(*group, share_octets(*group), chance, &mut shares);
                }
                out.extend_from_slice(&(shares.len() as u16).to_be_bytes());
                out.extend_from_slice(&shares);
            }
            x::QUIC_TRANSPORT_PARAMETERS => out.extend_from_slice(self.quic.unwrap_or_default()),
            x::ENCRYPTED_CLIENT_HELLO => sealed_hello(chance, &mut out),
            x::RENEGOTIATION_INFO => out.push(0),
            // Session ticket, extended master secret, timestamps, encrypt-then-MAC: empty.
            _ => {}
        }
        out
    }
}

/// Octets of a client's key share.
fn share_octets(group: u16) -> usize {
    match group {
        X25519_MLKEM768 => 1_216,
        P256 => 65,
        P384 => 97,
        _ => 32,
    }
}

/// Octets of a server's key share for the same group.
#[must_use]
pub fn server_share_octets(group: u16) -> usize {
    if group == X25519_MLKEM768 { 1_120 } else { share_octets(group) }
}

/// Writes a key share entry of noise in the right form.
pub fn push_share(group: u16, octets: usize, chance: &mut Chance, out: &mut Vec<u8>) {
    out.extend_from_slice(&group.to_be_bytes());
    out.extend_from_slice(&(octets as u16).to_be_bytes());
    let at = out.len();
    out.resize(at + octets, 0);
    chance.fill(&mut out[at..]);
    if matches!(group, P256 | P384) {
        // An uncompressed point.
        out[at] = 4;
    }
}

/// An ECH extension that is only there so that real ones do not stand out (draft-ietf-tls-esni, 6.2).
fn sealed_hello(chance: &mut Chance, out: &mut Vec<u8>) {
    // Outer; HKDF-SHA256 with AES-128-GCM; a configuration number; an X25519 key; the sealed inner hello.
    out.extend_from_slice(&[0, 0, 1, 0, 1, chance.bits() as u8, 0, 32]);
    out.extend_from_slice(&chance.octets::<32>());
    let sealed = [144u16, 176, 208, 240][chance.below(4) as usize];
    out.extend_from_slice(&sealed.to_be_bytes());
    let at = out.len();
    out.resize(at + usize::from(sealed), 0);
    chance.fill(&mut out[at..]);
}

fn pre_shared_key(ticket: u16, chance: &mut Chance) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(&(ticket + 6).to_be_bytes());
    out.extend_from_slice(&ticket.to_be_bytes());
    let at = out.len();
    out.resize(at + usize::from(ticket), 0);
    chance.fill(&mut out[at..]);
    out.extend_from_slice(&chance.octets::<4>());
    // One binder of SHA-256's length.
    out.extend_from_slice(&[0, 33, 32]);
    out.extend_from_slice(&chance.octets::<32>());
    out
}

/// Extensions that mean nothing where TLS 1.2 is not offered, or that libraries leave out of QUIC.
fn is_only_tls12(number: u16) -> bool {
    matches!(
        number,
        x::EXTENDED_MASTER_SECRET
            | x::RENEGOTIATION_INFO
            | x::EC_POINT_FORMATS
            | x::SESSION_TICKET
            | x::PADDING
            | x::RECORD_SIZE_LIMIT
            | 22
    )
}

/// A GREASE value: 0x0a0a, 0x1a1a, …, 0xfafa (RFC 8701).
fn grease_value(chance: &mut Chance) -> u16 {
    let octet = (chance.below(16) as u16) << 4 | 0x0a;
    octet << 8 | octet
}

fn push_list16(values: &[u16], out: &mut Vec<u8>) {
    out.extend_from_slice(&(values.len() as u16 * 2).to_be_bytes());
    values.iter().for_each(|v| out.extend_from_slice(&v.to_be_bytes()));
}

/// Writes an extension with its header.
pub fn push_extension(number: u16, body: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&number.to_be_bytes());
    out.extend_from_slice(&(body.len() as u16).to_be_bytes());
    out.extend_from_slice(body);
}

/// A handshake message with its header.
#[must_use]
pub fn handshake_message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 4);
    out.push(kind);
    out.extend_from_slice(&(body.len() as u32).to_be_bytes()[1..]);
    out.extend_from_slice(body);
    out
}
