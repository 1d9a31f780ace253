//! QUIC Initial packets open by the procedure of RFC 9001, written here a second time from the RFC.

#![allow(clippy::unwrap_used, reason = "a test that fails should say where")]

use std::collections::BTreeMap;

use flowgait_synth::scenario::{self, Params};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey, quic};
use ring::hmac;

/// HKDF by its definition (RFC 5869), from HMAC alone.
fn extract(salt: &[u8], material: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, salt), material).as_ref().to_vec()
}

fn expand_label(secret: &[u8], label: &str, octets: usize) -> Vec<u8> {
    let mut info = vec![0, octets as u8, (6 + label.len()) as u8];
    info.extend(b"tls13 ");
    info.extend(label.bytes());
    info.push(0);
    info.push(1);
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), &info).as_ref()[..octets].to_vec()
}

/// RFC 9001, 5.2.
const SALT: &str = "38762cf7f55934b34d179ae6a4c80cadccbb7f0a";

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|k| u8::from_str_radix(&text[2 * k..2 * k + 2], 16).unwrap()).collect()
}

struct Keys {
    key: Vec<u8>,
    iv: Vec<u8>,
    header: Vec<u8>,
}

fn keys(id: &[u8], side: &str) -> Keys {
    let initial = extract(&unhex(SALT), id);
    let secret = expand_label(&initial, side, 32);
    Keys {
        key: expand_label(&secret, "quic key", 16),
        iv: expand_label(&secret, "quic iv", 12),
        header: expand_label(&secret, "quic hp", 16),
    }
}

/// The example of RFC 9001, appendix A.1.
#[test]
fn the_procedure_here_gives_the_rfcs_keys() {
    let k = keys(&unhex("8394c8f03e515708"), "client in");
    assert_eq!(k.key, unhex("1f369613dd76d5467730efcbe3b1a22d"));
    assert_eq!(k.iv, unhex("fa044b2f42a3fd3b46fb255c"));
    assert_eq!(k.header, unhex("9f50449e04a0e810283a1e9933adedd2"));
}

/// Reads a variable-length integer at `at` and moves past it.
fn varint(octets: &[u8], at: &mut usize) -> usize {
    let n = 1 << (octets[*at] >> 6);
    let mut value = usize::from(octets[*at] & 0x3f);
    for octet in &octets[*at + 1..*at + n] {
        value = value << 8 | usize::from(*octet);
    }
    *at += n;
    value
}

/// Opens an Initial at the start of a datagram: its frames.
fn opened(datagram: &[u8], keys: &Keys) -> Vec<u8> {
    let mut at = 5;
    at += 1 + usize::from(datagram[at]);
    at += 1 + usize::from(datagram[at]);
    let token = varint(datagram, &mut at);
    assert_eq!(token, 0);
    let length = varint(datagram, &mut at);
    let header = quic::HeaderProtectionKey::new(&quic::AES_128, &keys.header).unwrap();
    let mask = header.new_mask(&datagram[at + 4..at + 20]).unwrap();
    let mut packet = datagram[..at + length].to_vec();
    packet[0] ^= mask[0] & 0x0f;
    let number_octets = usize::from(packet[0] & 3) + 1;
    let mut number = 0u32;
    for k in 0..number_octets {
        packet[at + k] ^= mask[1 + k];
        number = number << 8 | u32::from(packet[at + k]);
    }
    assert_eq!(packet[0] & 0x0c, 0, "reserved bits");
    let mut nonce: [u8; 12] = keys.iv.clone().try_into().unwrap();
    nonce[8..].iter_mut().zip(number.to_be_bytes()).for_each(|(n, o)| *n ^= o);
    let (front, sealed) = packet.split_at_mut(at + number_octets);
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &keys.key).unwrap());
    key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(&*front), sealed)
        .expect("it opens")
        .to_vec()
}

/// The CRYPTO pieces among frames; only PADDING, PING, ACK and CRYPTO may stand in an Initial.
fn crypto(frames: &[u8], pieces: &mut BTreeMap<usize, Vec<u8>>) {
    let mut at = 0;
    while at < frames.len() {
        at += 1;
        match frames[at - 1] {
            0x00 | 0x01 => {}
            0x02 => (0..4).for_each(|_| {
                varint(frames, &mut at);
            }),
            0x06 => {
                let offset = varint(frames, &mut at);
                let octets = varint(frames, &mut at);
                pieces.insert(offset, frames[at..at + octets].to_vec());
                at += octets;
            }
            other => panic!("frame {other:#x}"),
        }
    }
}

#[test]
fn a_passive_reader_opens_every_client_hello() {
    let params = Params::new(scenario::find("demo").unwrap()).flows(700).seed(11).check().unwrap();
    let mut flows: BTreeMap<(Vec<u8>, u16), Vec<Vec<u8>>> = BTreeMap::new();
    let truth = scenario::generate(&params, |_, frame| {
        let packet = etherparse::SlicedPacket::from_ethernet(frame).unwrap();
        if let Some(etherparse::TransportSlice::Udp(udp)) = packet.transport
            && udp.destination_port() == 443
        {
            let client = frame[6..12].to_vec();
            flows.entry((client, udp.source_port())).or_default().push(udp.payload().to_vec());
        }
        Ok::<(), std::convert::Infallible>(())
    })
    .unwrap();
    let applications: std::collections::HashMap<u16, Vec<String>> =
        truth.rows.iter().fold(Default::default(), |mut all, r| {
            let list: &mut Vec<String> = all.entry(r.source.1).or_default();
            list.push(r.application.to_string());
            all
        });
    let mut whole = 0;
    for ((_, port), datagrams) in &flows {
        let first = &datagrams[0];
        if first[0] & 0xf0 != 0xc0 {
            // The first Initial got lost before the capture.
            continue;
        }
        assert!(first.len() >= 1_200, "{}", first.len());
        assert_eq!(first[1..5], [0, 0, 0, 1]);
        let id = &first[6..6 + usize::from(first[5])];
        let keys = keys(id, "client in");
        let mut pieces = BTreeMap::new();
        for datagram in datagrams.iter().filter(|d| d[0] & 0xf0 == 0xc0) {
            assert!(datagram.len() >= 1_200, "{}", datagram.len());
            crypto(&opened(datagram, &keys), &mut pieces);
        }
        let mut hello = Vec::new();
        for (offset, piece) in pieces {
            if offset == hello.len() {
                hello.extend(piece);
            }
        }
        if hello.is_empty() {
            continue;
        }
        let octets = usize::from(u16::from_be_bytes([hello[2], hello[3]])) + 4;
        assert_eq!((hello[0], hello[1]), (1, 0));
        if hello.len() < octets {
            continue;
        }
        assert_eq!(hello.len(), octets);
        let text = String::from_utf8_lossy(&hello);
        let named = applications[port].iter().any(|a| text.contains(&format!("{a}.example")));
        assert!(named, "port {port}");
        whole += 1;
    }
    assert!(whole > 60, "{whole} of {}", flows.len());
}
