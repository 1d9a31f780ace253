//! JA4, the TLS client fingerprint of FoxIO (BSD 3-Clause), from the parts of a ClientHello.
//!
//! Only JA4: the other fingerprints of the JA4+ family are under another licence.
//!
//! # Reference
//! FoxIO, *JA4: TLS Client Fingerprinting*, <https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md>.

use ring::digest::{SHA256, digest};

use super::Carrier;

/// What JA4 looks at. GREASE (RFC 8701) must be left out already.
#[derive(Clone, Debug, Default)]
pub(super) struct Traits<'a> {
    pub(super) carrier: Carrier,
    /// The highest version offered.
    pub(super) version: u16,
    /// Whether there is a server name extension.
    pub(super) named: bool,
    /// The first application protocol, empty when there is none.
    pub(super) alpn: &'a [u8],
    /// Cipher suites; left sorted.
    pub(super) ciphers: Vec<u16>,
    /// Types of the extensions; left sorted.
    pub(super) extensions: Vec<u16>,
    /// Signature algorithms in their order.
    pub(super) signatures: Vec<u16>,
}

const SERVER_NAME: u16 = 0x0000;
const ALPN: u16 = 0x0010;

impl Traits<'_> {
    /// The 36 characters.
    pub(super) fn fingerprint(&mut self) -> Box<str> {
        let mut ja4 = String::with_capacity(36);
        ja4.push(match self.carrier {
            Carrier::Tls => 't',
            Carrier::Dtls => 'd',
            Carrier::Quic => 'q',
        });
        ja4.push_str(version(self.version));
        ja4.push(if self.named { 'd' } else { 'i' });
        push_count(&mut ja4, self.ciphers.len());
        push_count(&mut ja4, self.extensions.len());
        let (first, last) = ends(self.alpn);
        ja4.push(first);
        ja4.push(last);
        ja4.push('_');

        self.ciphers.sort_unstable();
        self.extensions.sort_unstable();
        let mut text = Vec::with_capacity(512);
        push_list(&mut text, self.ciphers.iter().copied());
        push_hash(&mut ja4, &text);
        ja4.push('_');

        text.clear();
        let hashed = self.extensions.iter().copied().filter(|&e| e != SERVER_NAME && e != ALPN);
        push_list(&mut text, hashed);
        if !text.is_empty() && !self.signatures.is_empty() {
            text.push(b'_');
            push_list(&mut text, self.signatures.iter().copied());
        }
        push_hash(&mut ja4, &text);
        ja4.into_boxed_str()
    }
}

fn version(version: u16) -> &'static str {
    match version {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        0xfeff => "d1",
        0xfefd => "d2",
        0xfefc => "d3",
        _ => "00",
    }
}

/// First and last character of the first application protocol; of its hexadecimal form when one of the two is no letter or digit.
fn ends(alpn: &[u8]) -> (char, char) {
    let (Some(&first), Some(&last)) = (alpn.first(), alpn.last()) else {
        return ('0', '0');
    };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        (char::from(first), char::from(last))
    } else {
        (hex(first >> 4), hex(last & 15))
    }
}

fn push_count(ja4: &mut String, count: usize) {
    let count = count.min(99);
    ja4.push(hex_digit(count / 10));
    ja4.push(hex_digit(count % 10));
}

/// Four hexadecimal digits each, with commas between.
fn push_list(text: &mut Vec<u8>, values: impl Iterator<Item = u16>) {
    for value in values {
        if text.last().is_some_and(|&last| last != b'_') {
            text.push(b',');
        }
        let [high, low] = value.to_be_bytes();
        text.extend(
            [high >> 4, high & 15, low >> 4, low & 15].map(|digit| HEX[usize::from(digit)]),
        );
    }
}

/// The first six octets of the SHA-256; zeros where there is nothing to hash.
fn push_hash(ja4: &mut String, text: &[u8]) {
    if text.is_empty() {
        ja4.push_str("000000000000");
        return;
    }
    for &octet in &digest(&SHA256, text).as_ref()[..6] {
        ja4.push(hex(octet >> 4));
        ja4.push(hex(octet & 15));
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

fn hex(digit: u8) -> char {
    hex_digit(usize::from(digit))
}

fn hex_digit(digit: usize) -> char {
    char::from(HEX[digit])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<u16> {
        text.split(',').map(|value| u16::from_str_radix(value, 16).unwrap()).collect()
    }

    /// The example of JA4.md, sections "Cipher hash", "Extension hash" and "Example".
    fn published() -> Traits<'static> {
        Traits {
            carrier: Carrier::Tls,
            version: 0x0304,
            named: true,
            alpn: b"h2",
            ciphers: list(
                "1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035",
            ),
            extensions: list(
                "001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015",
            ),
            signatures: list("0403,0804,0401,0503,0805,0501,0806,0601"),
        }
    }

    #[test]
    fn the_published_example() {
        assert_eq!(&*published().fingerprint(), "t13d1516h2_8daaf6152771_e5627efa2ab1");
    }

    #[test]
    fn the_published_example_without_signature_algorithms() {
        let mut traits = Traits { signatures: Vec::new(), ..published() };
        assert_eq!(&*traits.fingerprint(), "t13d1516h2_8daaf6152771_6d807ffa2a79");
    }

    /// Parses the raw form (JA4.md, section "Raw Output") and compares with the hashed one.
    #[track_caller]
    fn check_raw(raw: &str, alpn: &'static [u8], expected: &str) {
        let parts: Vec<&str> = raw.split('_').collect();
        // The two types that are not hashed are counted, and so are not in the raw form.
        let mut extensions = list(parts[2]);
        let named = &raw[3..4] == "d";
        extensions.extend(named.then_some(SERVER_NAME));
        extensions.extend((!alpn.is_empty()).then_some(ALPN));
        let mut traits = Traits {
            carrier: if raw.starts_with('q') { Carrier::Quic } else { Carrier::Tls },
            version: 0x0304,
            named,
            alpn,
            ciphers: list(parts[1]),
            extensions,
            signatures: list(parts[3]),
        };
        assert_eq!(&*traits.fingerprint(), expected);
    }

    #[test]
    fn fingerprints_that_others_computed() {
        // Chrome 142, as tls.browserleaks.com answers it.
        check_raw(
            "t13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,\
             cca9_0005,000a,000b,000d,0012,0017,001b,0023,002b,002d,0033,44cd,fe0d,ff01_0403,\
             0804,0401,0503,0805,0501,0806,0601",
            b"h2",
            "t13d1516h2_8daaf6152771_d8a2da3f94cd",
        );
        // curl with OpenSSL, as an nginx module computes it.
        check_raw(
            "t13d4213h1_002f,0032,0033,0035,0038,0039,003c,003d,0040,0067,006a,006b,009c,009d,\
             009e,009f,00a2,00a3,00ff,1301,1302,1303,1304,c009,c00a,c013,c014,c023,c027,c02b,\
             c02c,c02f,c030,c09c,c09d,c09e,c09f,c0ac,c0ad,cca8,cca9,ccaa_000a,000b,000d,0015,\
             0016,0017,001b,002b,002d,0031,0033_0403,0503,0603,0807,0808,0809,080a,080b,0804,\
             0805,0806,0401,0501,0601,0303,0301,0402,0502,0602,0302,0203,0201,0202",
            b"http/1.1",
            "t13d4213h1_171bc101b036_5f0018e59d20",
        );
        // A QUIC client, as Wireshark shows it.
        check_raw(
            "q13d0308h3_1301,1302,1303_000a,000d,002b,002d,0033,0039_0403,0804,0401,0503,0805,\
             0501,0201,0807,0808",
            b"h3",
            "q13d0308h3_55b375c5d22e_a06176d7f541",
        );
    }

    #[test]
    fn nothing_is_shown_as_zeros() {
        let mut traits = Traits { version: 0x0301, ..Traits::default() };
        assert_eq!(&*traits.fingerprint(), "t10i000000_000000000000_000000000000");
        // Only the two extensions that are not hashed, and signature algorithms with nothing before them.
        let mut traits =
            Traits { extensions: vec![0, 16], signatures: vec![0x0403], ..Traits::default() };
        assert_eq!(&*traits.fingerprint(), "t00i000200_000000000000_000000000000");
    }

    #[test]
    fn counts_stop_at_99() {
        let mut traits = Traits {
            ciphers: (0..100).collect(),
            extensions: (1..=99).collect(),
            ..Traits::default()
        };
        assert_eq!(&traits.fingerprint()[..10], "t00i999900");
    }

    #[test]
    fn ends_of_the_application_protocol() {
        let check = |alpn: &[u8], expected| assert_eq!(ends(alpn), expected, "{alpn:x?}");
        check(b"", ('0', '0'));
        check(b"h2", ('h', '2'));
        check(b"http/1.1", ('h', '1'));
        check(b"x", ('x', 'x'));
        // JA4.md, section "ALPN Extension Value".
        check(&[0xab], ('a', 'b'));
        check(&[0xab, 0xcd], ('a', 'd'));
        check(&[0x30, 0xab], ('3', 'b'));
        check(&[0x30, 0x31, 0xab, 0xcd], ('3', 'd'));
        check(&[0x30, 0xab, 0xcd, 0x31], ('0', '1'));
    }

    #[test]
    fn versions_and_carriers() {
        let check = |carrier, version, expected: &str| {
            let mut traits = Traits { carrier, version, ..Traits::default() };
            assert_eq!(&traits.fingerprint()[..3], expected);
        };
        check(Carrier::Tls, 0x0304, "t13");
        check(Carrier::Tls, 0x0303, "t12");
        check(Carrier::Tls, 0x0302, "t11");
        check(Carrier::Tls, 0x0301, "t10");
        check(Carrier::Tls, 0x0300, "ts3");
        check(Carrier::Tls, 0x0002, "ts2");
        check(Carrier::Tls, 0x7f1c, "t00");
        check(Carrier::Quic, 0x0304, "q13");
        check(Carrier::Dtls, 0xfeff, "dd1");
        check(Carrier::Dtls, 0xfefd, "dd2");
        check(Carrier::Dtls, 0xfefc, "dd3");
    }
}
