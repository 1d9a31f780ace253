//! Tests of the watch: every carrier, in pieces, out of order, damaged.

use proptest::prelude::*;
use ring::aead::quic::{AES_128, HeaderProtectionKey};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::*;

fn octets(hexadecimal: &str) -> Vec<u8> {
    let digits: Vec<u8> = hexadecimal.bytes().filter(u8::is_ascii_hexdigit).collect();
    let digit = |octet: u8| char::from(octet).to_digit(16).unwrap() as u8;
    digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// RFC 8448, section 3: the ClientHello of a simple 1-RTT handshake.
fn rfc8448() -> Vec<u8> {
    octets(
        "010000c00303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece700000613
         0113031302010000910000000b0009000006736572766572ff01000100000a00140012001d0017001800
         190100010101020103010400230000003300260024001d002099381de560e4bd43d23d8e435a7dbafeb3
         c06e51c13cae4d5413691e529aaf2c002b0003020304000d0020001e0403050306030203080408050806
         04010501060102010402050206020202002d00020101001c00024001",
    )
}

/// RFC 9001, appendix A.2, and RFC 9369, appendix A.2: the ClientHello of both.
fn rfc9001() -> Vec<u8> {
    octets(
        "010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413
         011302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017
         001800100007000504616c706e000500050100000000003300260024001d00209370b2c9caa47fbabaf4
         559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e04030503060302
         03080408050806002d00020101001c00024001003900320408ffffffffffffffff05048000ffff070480
         00ffff0801100104800075300901100f088394c8f03e51570806048000ffff",
    )
}

/// A ClientHello with whatever extensions.
fn hello(carrier: Carrier, ciphers: &[u16], extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let version: u16 = if carrier == Carrier::Dtls { 0xfefd } else { 0x0303 };
    let mut body = version.to_be_bytes().to_vec();
    body.extend([7; 32]);
    body.push(0);
    if carrier == Carrier::Dtls {
        body.extend([3, 1, 2, 3]);
    }
    body.extend((2 * ciphers.len() as u16).to_be_bytes());
    body.extend(ciphers.iter().flat_map(|cipher| cipher.to_be_bytes()));
    body.extend([1, 0]);
    let mut block = Vec::new();
    for (kind, value) in extensions {
        block.extend(kind.to_be_bytes());
        block.extend((value.len() as u16).to_be_bytes());
        block.extend(value);
    }
    body.extend((block.len() as u16).to_be_bytes());
    body.extend(block);
    let mut message = vec![1];
    message.extend(&(body.len() as u32).to_be_bytes()[1..]);
    message.extend(body);
    message
}

fn server_name(name: &[u8]) -> (u16, Vec<u8>) {
    let mut value = (name.len() as u16 + 3).to_be_bytes().to_vec();
    value.push(0);
    value.extend((name.len() as u16).to_be_bytes());
    value.extend(name);
    (0, value)
}

/// A ClientHello as large as those with post-quantum key shares.
fn large(carrier: Carrier) -> Vec<u8> {
    let share = (0..1700_u32).map(|i| (i * 7) as u8).collect();
    hello(carrier, &[0x1301, 0x0a0a], &[(51, share), server_name(b"Large.Example")])
}

/// Puts a message into TLS records of so many octets.
fn records(message: &[u8], octets: usize) -> Vec<u8> {
    message
        .chunks(octets)
        .flat_map(|part| {
            let [high, low] = (part.len() as u16).to_be_bytes();
            [&[22, 3, 1, high, low], part].concat()
        })
        .collect()
}

/// Puts octets `at..end` of a message into a DTLS record.
fn fragment(message: &[u8], number: u8, at: usize, end: usize) -> Vec<u8> {
    let body = &message[4..];
    let three = |value: usize| (value as u32).to_be_bytes()[1..].to_vec();
    let mut handshake = vec![1];
    handshake.extend(three(body.len()));
    handshake.extend([0, number]);
    handshake.extend(three(at));
    handshake.extend(three(end - at));
    handshake.extend(&body[at..end]);
    let mut record = vec![22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, number];
    record.extend((handshake.len() as u16).to_be_bytes());
    record.extend(handshake);
    record
}

const V1: u32 = 1;
const V2: u32 = 0x6b33_43cf;
const CID: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];

/// Client keys of [`CID`] from RFC 9001, appendix A.1, and RFC 9369, appendix A.1: key, initialisation vector, header protection.
fn published_keys(version: u32) -> [Vec<u8>; 3] {
    match version {
        V1 => [
            octets("1f369613dd76d5467730efcbe3b1a22d"),
            octets("fa044b2f42a3fd3b46fb255c"),
            octets("9f50449e04a0e810283a1e9933adedd2"),
        ],
        _ => [
            octets("8b1a0bc121284290a29e0971b5cd045d"),
            octets("91f73e2351d8fa91660e909f"),
            octets("45b95e15235d6f45a6b19cbcb0294ba9"),
        ],
    }
}

/// An Initial packet that the client sends, protected with the published keys.
///
/// `destination` is what its header shows.
fn initial(version: u32, destination: &[u8], number: u32, frames: &[u8]) -> Vec<u8> {
    let [key, iv, header_key] = published_keys(version);
    let mut packet = vec![if version == V2 { 0xd3 } else { 0xc3 }];
    packet.extend(version.to_be_bytes());
    packet.push(destination.len() as u8);
    packet.extend(destination);
    packet.extend([0, 0]);
    packet.extend((0x4000 | (frames.len() + 20) as u16).to_be_bytes());
    let number_at = packet.len();
    packet.extend(number.to_be_bytes());
    let mut nonce: [u8; 12] = iv.try_into().unwrap();
    for (nonce, octet) in nonce[8..].iter_mut().zip(number.to_be_bytes()) {
        *nonce ^= octet;
    }
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap());
    let mut sealed = frames.to_vec();
    let nonce = Nonce::assume_unique_for_key(nonce);
    key.seal_in_place_append_tag(nonce, Aad::from(&packet), &mut sealed).unwrap();
    packet.extend(sealed);
    let header_key = HeaderProtectionKey::new(&AES_128, &header_key).unwrap();
    let mask = header_key.new_mask(&packet[number_at + 4..number_at + 20]).unwrap();
    packet[0] ^= mask[0] & 15;
    for (octet, mask) in packet[number_at..].iter_mut().zip(&mask[1..]) {
        *octet ^= mask;
    }
    packet
}

/// A CRYPTO frame.
fn crypto(at: usize, part: &[u8]) -> Vec<u8> {
    let mut frame = vec![6];
    match at {
        0..64 => frame.push(at as u8),
        _ => frame.extend((0x4000 | at as u16).to_be_bytes()),
    }
    frame.extend((0x4000 | part.len() as u16).to_be_bytes());
    frame.extend(part);
    frame
}

fn padded(mut frames: Vec<u8>) -> Vec<u8> {
    let octets = frames.len().max(1162);
    frames.resize(octets, 0);
    frames
}

/// A watch that is shown packets; it ends with the first answer that is not "more".
struct Shown {
    watch: Watch,
    end: Option<Look>,
}

impl Shown {
    fn new(protocol: Protocol) -> Self {
        Self { watch: Watch::new(protocol), end: None }
    }

    fn show(&mut self, forward: bool, tcp_sequence: u32, payload: &[u8]) -> &mut Self {
        self.show_cut(forward, tcp_sequence, payload, payload.len())
    }

    fn show_cut(
        &mut self,
        forward: bool,
        tcp_sequence: u32,
        payload: &[u8],
        octets: usize,
    ) -> &mut Self {
        if self.end.is_none() {
            let payload_octets = u16::try_from(octets).unwrap();
            match self.watch.push(&Segment { forward, tcp_sequence, payload_octets, payload }) {
                Look::More => {}
                end => {
                    assert_eq!(self.watch.octets_held(), 0);
                    self.end = Some(end);
                }
            }
        }
        self
    }

    #[track_caller]
    fn found(&mut self) -> Handshake {
        match self.end.take() {
            Some(Look::Done(handshake)) => *handshake,
            other => panic!("no ClientHello but {other:?}"),
        }
    }

    #[track_caller]
    fn wants_more(&self) {
        assert!(self.end.is_none(), "{:?}", self.end);
    }
}

fn tcp() -> Shown {
    Shown::new(Protocol::TCP)
}

fn udp() -> Shown {
    Shown::new(Protocol::UDP)
}

#[test]
fn a_watch_is_small() {
    assert!(size_of::<Watch>() <= 32, "{}", size_of::<Watch>());
}

#[test]
fn every_field_of_a_published_hello() {
    let found = tcp().show(true, 9, &records(&rfc8448(), 999)).found();
    let expected = Handshake {
        carrier: Carrier::Tls,
        sni: Some("server".into()),
        alpn: vec![],
        version_offered: 0x0304,
        quic_version: 0,
        // The hashes were computed with Python's hashlib from the lists in the RFC.
        ja4: "t13d030900_55b375c5d22e_59cd3dafc54d".into(),
        ech: false,
        client_hello_octets: 196,
        ciphers: 3,
        extensions: 9,
    };
    assert_eq!(found, expected);
}

#[test]
fn grease_is_left_out_and_text_is_made_plain() {
    let mut alpn = vec![0, 10, 2, 0xff, b'2', 6];
    alpn.extend(b"http/2");
    let versions = vec![6, 0x7a, 0x7a, 3, 4, 3, 3];
    let extensions = [
        (0x1a1a, vec![]),
        server_name(b"WWW.b\xfccher.example"),
        (16, alpn),
        (43, versions),
        (0xfe0d, vec![0; 9]),
        (13, vec![0, 4, 0x0a, 0x0a, 4, 3]),
    ];
    let message = hello(Carrier::Tls, &[0x0a0a, 0x1301, 0x0aba, 0xfafa], &extensions);
    let found = tcp().show(false, 9, &records(&message, 999)).found();
    assert_eq!(found.sni.as_deref(), Some("www.b\\xfccher.example"));
    assert_eq!(found.alpn, ["\\xff2".into(), Box::<str>::from("http/2")]);
    assert_eq!((found.ciphers, found.extensions, found.version_offered), (2, 5, 0x0304));
    assert!(found.ech);
    assert_eq!(&found.ja4[..11], "t13d0205f2_");
}

#[test]
fn a_hello_of_before_extensions() {
    let mut body = vec![3, 0];
    body.extend([1; 32]);
    body.extend([0, 0, 2, 0, 5, 1, 0]);
    let message = [vec![1, 0, 0, body.len() as u8], body].concat();
    let found = tcp().show(true, 0, &records(&message, 999)).found();
    assert_eq!(&found.ja4[..11], "ts3i010000_");
    assert_eq!(&found.ja4[23..], "_000000000000");
}

#[test]
fn talk_before_tls_is_passed_over() {
    let hello = records(&rfc8448(), 999);
    let mut starttls = tcp();
    starttls.show(false, 1, b"220 mail\r\n").show(true, 1, b"EHLO x\r\n").show(
        false,
        11,
        b"250 STARTTLS\r\n",
    );
    starttls.show(true, 9, b"STARTTLS\r\n").show(false, 25, b"220 go\r\n").show(true, 19, &hello);
    assert_eq!(starttls.found().sni.as_deref(), Some("server"));
    // RDP: X.224 connection request and confirm come first.
    let mut rdp = tcp();
    rdp.show(true, 1, &[3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 3, 0, 0, 0]);
    rdp.show(false, 1, &[3, 0, 0, 19, 14, 0xd0, 0, 0, 0, 0, 0, 2, 0, 8, 0, 2, 0, 0, 0]);
    rdp.show(true, 20, &hello);
    assert_eq!(rdp.found().sni.as_deref(), Some("server"));
}

#[test]
fn pieces_over_segments_and_records() {
    let message = large(Carrier::Tls);
    for record in [100, 1000, 5000] {
        let stream = records(&message, record);
        for segment in [1_usize, 5, 9, 536, 1460] {
            let mut shown = tcp();
            // The search is bounded, and so is the number of packets it takes.
            for (i, part) in stream.chunks(segment.max(stream.len() / 50)).enumerate() {
                let at = i * segment.max(stream.len() / 50);
                shown.show(true, u32::MAX.wrapping_sub(700).wrapping_add(at as u32), part);
            }
            let found = shown.found();
            assert_eq!(found.sni.as_deref(), Some("large.example"));
            assert_eq!(found.client_hello_octets as usize, message.len());
        }
    }
}

#[test]
fn the_first_octets_may_come_alone() {
    let stream = records(&rfc8448(), 999);
    let mut shown = tcp();
    for at in 0..12 {
        shown.show(true, at, &stream[at as usize..=at as usize]);
    }
    shown.wants_more();
    assert_eq!(shown.show(true, 12, &stream[12..]).found().ciphers, 3);
}

#[test]
fn segments_out_of_order_and_again() {
    let stream = records(&large(Carrier::Tls), 4000);
    let mut shown = tcp();
    shown.show(true, 100, &stream[..500]).show(true, 1600, &stream[1500..]);
    shown.show(true, 50, &[0; 51]).show(false, 7, b"other side").show(true, 500, &stream[400..900]);
    shown.wants_more();
    // Sent again, with other octets where some were seen before: the first stay.
    let mut again = stream[300..1600].to_vec();
    again[..100].fill(0);
    assert_eq!(shown.show(true, 400, &again).found().sni.as_deref(), Some("large.example"));
}

#[test]
fn a_later_part_may_overtake_the_first() {
    let stream = records(&large(Carrier::Tls), 4000);
    let mut shown = tcp();
    shown.show(true, 1460, &stream[1460..]);
    assert!(shown.watch.octets_held() >= stream.len() - 1460);
    assert_eq!(shown.show(true, 0, &stream[..1460]).found().sni.as_deref(), Some("large.example"));
    // It is not kept once the other side speaks.
    let mut shown = tcp();
    shown.show(true, 1460, &stream[1460..]).show(false, 0, b"\x00\x01");
    assert_eq!(shown.watch.octets_held(), 0);
}

#[test]
fn a_hole_is_filled_when_the_segment_is_sent_again() {
    let stream = records(&large(Carrier::Tls), 4000);
    let mut shown = tcp();
    shown.show_cut(true, 0, &stream[..96], 1460).show(true, 1460, &stream[1460..]);
    shown.wants_more();
    assert_eq!(shown.show(true, 0, &stream[..1460]).found().sni.as_deref(), Some("large.example"));
}

#[test]
fn nothing_is_held_before_a_hello_and_the_search_ends() {
    let mut shown = tcp();
    for i in 0.. {
        shown.show(i % 2 == 0, i, b"GET / HTTP/1.1\r\n");
        if shown.end.is_some() {
            assert_eq!(i + 1, 2 * u32::from(SEARCH_PACKETS_MAX));
            break;
        }
        assert_eq!(shown.watch.octets_held(), 0);
    }
    assert!(matches!(shown.end, Some(Look::Stop)));
    // One direction alone ends later; an endless ClientHello too.
    let mut one = tcp();
    let mut endless = tcp();
    for i in 0..u32::from(WATCH_PACKETS_MAX) {
        one.wants_more();
        one.show(true, i, b"abcdefgh");
        endless.wants_more();
        endless.show(true, 2 * i, &[22, 3, 1, 63, 0, 1, 0, 62]);
    }
    assert!(matches!(one.end, Some(Look::Stop)));
    assert!(matches!(endless.end, Some(Look::Stop)));
    assert!(matches!(Shown::new(Protocol(132)).show(true, 0, b"x").end, Some(Look::Stop)));
}

#[test]
fn a_hello_longer_than_the_bound_is_given_up() {
    let mut shown = tcp();
    shown.show(true, 0, &[22, 3, 1, 64, 0, 1, 0, 0x40, 0]);
    assert_eq!(shown.watch.octets_held(), 0);
}

#[test]
fn dtls_whole_and_in_fragments() {
    let extensions = [server_name(b"a.example"), (43, vec![4, 0xfe, 0xfc, 0xfe, 0xfd])];
    let message = hello(Carrier::Dtls, &[0xc02b], &extensions);
    let end = message.len() - 4;
    let found = udp().show(true, 0, &fragment(&message, 0, 0, end)).found();
    assert_eq!((found.carrier, found.version_offered), (Carrier::Dtls, 0xfefc));
    // JA4.md: "the highest value in the extension".
    assert_eq!(&found.ja4[..11], "dd2d010200_");

    let mut shown = udp();
    shown.show(true, 0, &fragment(&message, 0, 50, end)).show(
        true,
        0,
        &fragment(&message, 0, 10, 60),
    );
    shown.wants_more();
    assert!(shown.watch.octets_held() > 0);
    assert_eq!(shown.show(true, 0, &fragment(&message, 0, 0, 10)).found(), found);

    // Two records in a datagram, on CAPWAP's control channel.
    let datagram =
        [&[1, 0, 0, 0][..], &fragment(&message, 0, 0, 20), &fragment(&message, 0, 20, end)]
            .concat();
    assert_eq!(udp().show(false, 0, &datagram).found(), found);
}

#[test]
fn a_second_dtls_hello_replaces_the_pieces_of_the_first() {
    let first = hello(Carrier::Dtls, &[0xc02b], &[server_name(b"a.example")]);
    let second = hello(Carrier::Dtls, &[0xc02c], &[server_name(b"b.example")]);
    let end = first.len() - 4;
    let mut shown = udp();
    shown.show(true, 0, &fragment(&first, 0, 0, 40));
    // HelloVerifyRequest.
    shown.show(false, 0, &[22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0]);
    shown.show(true, 0, &fragment(&second, 1, 0, 40)).show(true, 0, &fragment(&second, 1, 40, end));
    assert_eq!(shown.found().sni.as_deref(), Some("b.example"));
}

#[test]
fn a_whole_dtls_hello_that_makes_no_sense_is_dropped() {
    let mut message = hello(Carrier::Dtls, &[0xc02b], &[]);
    message[39] = 200; // Octets of the cookie.
    let end = message.len() - 4;
    let mut shown = udp();
    shown.show(true, 0, &fragment(&message, 0, 20, end));
    assert!(shown.watch.octets_held() > 0);
    shown.show(true, 0, &fragment(&message, 0, 0, 20)).wants_more();
    assert_eq!(shown.watch.octets_held(), 0);
}

#[test]
fn stun_before_dtls_is_passed_over() {
    let message = hello(Carrier::Dtls, &[0xc02b], &[server_name(b"a.example")]);
    let mut shown = udp();
    for _ in 0..4 {
        shown.show(true, 0, &[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]);
        shown.show(false, 0, &[1, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]);
    }
    assert!(
        shown.show(true, 0, &fragment(&message, 0, 0, message.len() - 4)).found().sni.is_some()
    );
}

#[test]
fn the_published_initial_packets_of_quic() {
    let check = |version, head: &str, tag: &str| {
        let packet = initial(version, &CID, 2, &padded(crypto(0, &rfc9001())));
        // The head and the authentication tag are those of the RFC, and so is all between.
        assert_eq!(packet[..32], octets(head)[..]);
        assert_eq!(packet[packet.len() - 16..], octets(tag)[..]);
        let found = udp().show(true, 0, &packet).found();
        assert_eq!((found.carrier, found.quic_version), (Carrier::Quic, version));
        assert_eq!(found.sni.as_deref(), Some("example.com"));
        assert_eq!(found.alpn, ["alpn".into()]);
        // The hashes were computed with Python's hashlib from the lists in the RFC.
        assert_eq!(&*found.ja4, "q13d0211an_62ed6f6ca7ad_4d634acda6c0");
        assert_eq!(found.client_hello_octets, 241);
    };
    check(
        V1,
        "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11",
        "e221af44860018ab0856972e194cd934",
    );
    check(
        V2,
        "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485",
        "a18b2faa745b6fe189cf772a9f84cbfc",
    );
}

#[test]
fn crypto_frames_in_any_order_over_datagrams() {
    let message = large(Carrier::Quic);
    let frames = [
        &[1, 0, 0][..],
        &crypto(1200, &message[1200..]),
        &[2, 5, 0, 0, 1],
        &crypto(3, &message[3..40]),
        &crypto(0, &message[..5]),
    ]
    .concat();
    let mut shown = udp();
    shown.show(true, 0, &initial(V1, &CID, 0, &frames));
    shown.wants_more();
    assert!(shown.watch.octets_held() > message.len());
    // The server's answer cannot be opened with the client's keys.
    let mut answer = initial(V1, &[], 0, &padded(crypto(0, &[2; 90])));
    answer[60] ^= 1;
    shown.show(false, 0, &answer);
    // The client now uses the server's connection identifier, and the keys of its first one.
    let last = padded(crypto(40, &message[40..1200]));
    let found = shown.show(true, 0, &initial(V1, b"other", 1, &last)).found();
    assert_eq!(found.sni.as_deref(), Some("large.example"));
}

#[test]
fn an_initial_after_a_packet_of_another_kind() {
    // A Handshake packet with a length, then the Initial in the same datagram.
    let mut datagram = octets("e0000000010883 94c8f03e5157080005 0102030405");
    datagram.extend(initial(V1, &CID, 0, &padded(crypto(0, &rfc9001()))));
    assert!(udp().show(true, 0, &datagram).found().sni.is_some());
}

#[test]
fn packets_that_do_not_open_end_the_watch() {
    let mut packet = initial(V1, &CID, 0, &padded(crypto(0, &rfc9001())));
    *packet.last_mut().unwrap() ^= 1;
    let mut shown = udp();
    for _ in 0..quic::FAILURES_MAX {
        shown.wants_more();
        shown.show(true, 0, &packet);
    }
    assert!(matches!(shown.end, Some(Look::Stop)));
}

#[test]
fn google_names_in_the_clear() {
    let mut datagram = octets("09 0102030405060708 51303433 01");
    datagram.extend([0; 12]);
    datagram.extend(octets("a0010004"));
    datagram.extend(b"CHLO\x02\x00\x00\x00PAD\0\x03\x00\x00\x00SNI\0\x0c\x00\x00\x00---G.example");
    let found = udp().show(true, 0, &datagram).found();
    assert_eq!(found.sni.as_deref(), Some("g.example"));
    assert_eq!((found.quic_version, &*found.ja4), (u32::from_be_bytes(*b"Q043"), ""));
}

/// Datagrams and segments that lead somewhere.
fn seeds() -> Vec<(Protocol, Vec<u8>)> {
    let dtls = hello(Carrier::Dtls, &[0xc02b], &[server_name(b"a.example")]);
    let quic = large(Carrier::Quic);
    let frames = [crypto(900, &quic[900..]), crypto(0, &quic[..900])].concat();
    vec![
        (Protocol::TCP, records(&rfc8448(), 999)),
        (Protocol::TCP, records(&large(Carrier::Tls), 300)),
        (Protocol::UDP, fragment(&dtls, 0, 0, dtls.len() - 4)),
        (Protocol::UDP, initial(V1, &CID, 0, &frames)),
        (Protocol::UDP, initial(V2, &CID, 0, &padded(crypto(0, &rfc9001())))),
    ]
}

/// Shows a watch pieces of octets and checks its bounds.
fn survives(protocol: Protocol, pieces: &[(bool, u32, Vec<u8>)]) {
    let mut watch = Watch::new(protocol);
    for (i, (forward, tcp_sequence, payload)) in pieces.iter().enumerate() {
        assert!(i < usize::from(WATCH_PACKETS_MAX));
        let payload_octets = payload.len() as u16;
        let look = watch.push(&Segment {
            forward: *forward,
            tcp_sequence: *tcp_sequence,
            payload_octets,
            payload,
        });
        assert!(watch.octets_held() <= HELLO_OCTETS_MAX + 4096, "{}", watch.octets_held());
        if !matches!(look, Look::More) {
            assert_eq!(watch.octets_held(), 0);
            break;
        }
    }
}

proptest! {
    #[test]
    fn random_octets_do_no_harm(
        is_tcp: bool,
        pieces in prop::collection::vec(
            (any::<bool>(), 0_u32..5000, prop::collection::vec(any::<u8>(), 0..300)), 0..20),
    ) {
        survives(if is_tcp { Protocol::TCP } else { Protocol::UDP }, &pieces);
    }

    #[test]
    fn damaged_handshakes_do_no_harm(
        seed in 0_usize..5,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..12),
    ) {
        let (protocol, mut octets) = seeds().swap_remove(seed);
        for (at, octet) in damage {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        let pieces: Vec<_> = std::iter::once((true, 0, octets.clone()))
            .chain(cuts.iter().map(|(a, b)| {
                let (a, b) = (a.index(octets.len()), b.index(octets.len()));
                (true, a.min(b) as u32, octets[a.min(b)..=a.max(b)].to_vec())
            }))
            .collect();
        survives(protocol, &pieces);
        survives(protocol, &pieces[1..]);
    }

    #[test]
    fn however_it_is_cut_the_same_is_found(
        record in 50_usize..3000,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        order in Just((0..21).collect::<Vec<usize>>()).prop_shuffle(),
        sequence: u32,
    ) {
        let message = large(Carrier::Tls);
        let stream = records(&message, record);
        let expected = tcp().show(true, 0, &stream).found();
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
        ends.extend([0, stream.len()]);
        ends.sort_unstable();
        ends.dedup();
        let pieces: Vec<_> = ends.windows(2).map(|pair| (pair[0], &stream[pair[0]..pair[1]])).collect();
        let mut shown = tcp();
        // The first comes first: before it nothing tells a handshake.
        let (at, part) = pieces[0];
        shown.show(true, sequence.wrapping_add(at as u32), part);
        for &(at, part) in order.iter().filter(|&&i| i > 0).filter_map(|&i| pieces.get(i)) {
            shown.show(true, sequence.wrapping_add(at as u32), part);
        }
        prop_assert_eq!(shown.found(), expected);
    }
}
