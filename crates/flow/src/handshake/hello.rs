//! The ClientHello message (RFC 8446, section 4.1.2): its fields that a [`Handshake`] keeps.

use super::cursor::{Cursor, integers};
use super::ja4::Traits;
use super::{Carrier, Handshake};

/// The handshake type of a ClientHello.
pub(super) const CLIENT_HELLO: u8 = 1;

/// Octets of a handshake message before its body: type and length.
pub(super) const HEADER_OCTETS: usize = 4;

/// Application protocols kept; later ones are left out.
const ALPN_MAX: usize = 32;

const SERVER_NAME: u16 = 0x0000;
const SIGNATURE_ALGORITHMS: u16 = 0x000d;
const ALPN: u16 = 0x0010;
const SUPPORTED_VERSIONS: u16 = 0x002b;
const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;

/// How many octets the handshake message takes that `octets` starts with, its header included; `None` when it is no ClientHello or when it
/// cannot be told yet.
pub(super) fn octets(message: &[u8]) -> Option<usize> {
    let mut cursor = Cursor(message);
    (cursor.u8()? == CLIENT_HELLO).then_some(())?;
    Some(HEADER_OCTETS + cursor.u24()? as usize)
}

/// Reads the body of a whole ClientHello; `None` when it is not well formed.
pub(super) fn read(body: &[u8], carrier: Carrier) -> Option<Handshake> {
    let mut cursor = Cursor(body);
    let legacy_version = cursor.u16()?;
    cursor.take(32)?; // Random.
    cursor.vector8()?; // Session identifier, at most 32 octets, but middleboxes let longer ones pass.
    if carrier == Carrier::Dtls {
        cursor.vector8()?; // Cookie (RFC 6347, section 4.2.1).
    }
    let ciphers = cursor.vector16()?;
    cursor.vector8()?; // Compression methods.
    // A ClientHello of before RFC 3546 ends here.
    let extensions = if cursor.0.is_empty() { &[] } else { cursor.vector16()? };

    let mut found = Found::default();
    let mut types = Vec::with_capacity(32);
    let mut cursor = Cursor(extensions);
    // What stands before an extension that does not fit still shows.
    while let Some(kind) = cursor.u16()
        && let Some(value) = cursor.vector16()
    {
        if !is_grease(kind) {
            types.push(kind);
            found.take(kind, value);
        }
    }
    let versions = || integers(found.versions.unwrap_or_default()).filter(|&v| !is_grease(v));
    // JA4 takes the highest number, also in DTLS, which counts downwards.
    let (version, version_offered) = match (found.versions, carrier) {
        (None, _) => (legacy_version, legacy_version),
        (Some(_), Carrier::Dtls) => (versions().max().unwrap_or(0), versions().min().unwrap_or(0)),
        (Some(_), _) => (versions().max().unwrap_or(0), versions().max().unwrap_or(0)),
    };
    let mut traits = Traits {
        carrier,
        version,
        named: found.named,
        alpn: found.alpn.map_or(&[], |mut alpn| alpn.vector8().unwrap_or_default()),
        ciphers: integers(ciphers).filter(|&cipher| !is_grease(cipher)).collect(),
        extensions: types,
        signatures: integers(found.signatures).filter(|&scheme| !is_grease(scheme)).collect(),
    };
    Some(Handshake {
        carrier,
        sni: found.sni.map(|name| text(name).to_ascii_lowercase().into_boxed_str()),
        alpn: found.alpn.map(protocols).unwrap_or_default(),
        version_offered,
        quic_version: 0,
        ja4: traits.fingerprint(),
        ech: found.ech,
        client_hello_octets: u32::try_from(HEADER_OCTETS + body.len()).unwrap_or(u32::MAX),
        ciphers: count(traits.ciphers.len()),
        extensions: count(traits.extensions.len()),
    })
}

/// What the extensions hold.
#[derive(Default)]
struct Found<'a> {
    named: bool,
    sni: Option<&'a [u8]>,
    alpn: Option<Cursor<'a>>,
    versions: Option<&'a [u8]>,
    signatures: &'a [u8],
    ech: bool,
}

impl<'a> Found<'a> {
    /// An extension whose inside is not well formed counts, and shows nothing.
    fn take(&mut self, kind: u16, value: &'a [u8]) {
        let mut value = Cursor(value);
        match kind {
            SERVER_NAME => {
                self.named = true;
                self.sni = value.vector16().and_then(host_name);
            }
            SIGNATURE_ALGORITHMS => self.signatures = value.vector16().unwrap_or_default(),
            ALPN => self.alpn = value.vector16().map(Cursor),
            SUPPORTED_VERSIONS => self.versions = value.vector8(),
            ENCRYPTED_CLIENT_HELLO => self.ech = true,
            _ => {}
        }
    }
}

/// The first name of type `host_name` (RFC 6066, section 3).
fn host_name(list: &[u8]) -> Option<&[u8]> {
    let mut list = Cursor(list);
    loop {
        let kind = list.u8()?;
        let name = list.vector16()?;
        if kind == 0 && !name.is_empty() {
            return Some(name);
        }
    }
}

fn protocols(mut list: Cursor<'_>) -> Vec<Box<str>> {
    let mut protocols = Vec::new();
    while let Some(protocol) = list.vector8()
        && protocols.len() < ALPN_MAX
    {
        protocols.push(text(protocol).into_boxed_str());
    }
    protocols
}

/// Whether a value is reserved so that peers stay used to unknown ones (RFC 8701).
fn is_grease(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && low & 15 == 10
}

/// Printable ASCII as it is, other octets as `\xNN`.
pub(super) fn text(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for &octet in octets {
        if octet == b' ' || octet.is_ascii_graphic() {
            text.push(char::from(octet));
        } else {
            text.push_str(&format!("\\x{octet:02x}"));
        }
    }
    text
}

fn count(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}
