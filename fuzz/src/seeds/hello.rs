//! A ClientHello for a made server name, in one and in several pieces.

use super::Seed;

pub fn seeds() -> Vec<Seed> {
    let hello = client_hello();
    let datagram_hello = client_hello_dtls();
    let whole = record(&hello);
    let (first, rest) = whole.split_at(40);
    let two_records = [record(&hello[..50]), record(&hello[50..])].concat();
    let all_back = back(whole.len() - 5);
    [
        ("tls-whole", flow(0, &[(0, 0, &whole)])),
        ("tls-two-segments", flow(0, &[(0, 0, first), (0, 0, rest)])),
        // The head, then what is 35 octets ahead, then back to the piece between.
        (
            "tls-out-of-order",
            flow(0, &[(0, 0, &whole[..5]), (0, 35, rest), (0, all_back, &whole[5..40])]),
        ),
        ("tls-two-records", flow(0, &[(0, 0, &two_records)])),
        (
            "tls-after-greeting",
            flow(0, &[(1, 0, b"220 mail\r\n"), (0, 0, b"STARTTLS\r\n"), (0, 0, &whole)]),
        ),
        ("tls-cut-short", flow(0, &[(2, 0, &whole[..90])])),
        ("dtls-whole", flow(1, &[(0, 0, &dtls(&datagram_hello, 0, datagram_hello.len()))])),
        (
            "dtls-fragments",
            flow(
                1,
                &[
                    (0, 0, &dtls(&datagram_hello, 0, 60)),
                    (0, 0, &dtls(&datagram_hello, 60, datagram_hello.len())),
                ],
            ),
        ),
    ]
    .map(|(name, bytes)| ("client_hello", name, bytes))
    .to_vec()
}

/// As the target `client_hello` reads it: flags, relative sequence number, octets.
fn flow(transport: u8, segments: &[(u8, u16, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![transport];
    for (flags, offset, payload) in segments {
        bytes.push(*flags);
        bytes.extend(offset.to_be_bytes());
        bytes.extend(short(payload));
        bytes.extend_from_slice(payload);
    }
    bytes
}

fn back(octets: usize) -> u16 {
    u16::try_from(octets).expect("seeds are small").wrapping_neg()
}

/// The length in two octets.
pub fn short(bytes: &[u8]) -> [u8; 2] {
    u16::try_from(bytes.len()).expect("seeds are small").to_be_bytes()
}

/// A TLS 1.3 ClientHello (RFC 8446, section 4.1.2) with its four-octet header.
pub fn client_hello() -> Vec<u8> {
    message(&[3, 3], &[])
}

/// The same over DTLS 1.2, with an empty cookie (RFC 6347, section 4.2.1).
fn client_hello_dtls() -> Vec<u8> {
    message(&[0xfe, 0xfd], &[0])
}

fn message(version: &[u8; 2], cookie: &[u8]) -> Vec<u8> {
    let name = b"gait.example";
    let server_name = vector(&[&[0][..], &short(name), name].concat());
    let alpn = vector(&[&[2][..], b"h2", &[8], b"http/1.1"].concat());
    let extensions = [
        extension(0x0a0a, &[]),
        extension(0, &server_name),
        extension(16, &alpn),
        extension(43, &[4, 3, 4, 3, 3]),
        extension(13, &[0, 4, 4, 3, 8, 4]),
        extension(10, &[0, 2, 0, 0x1d]),
        extension(0xfe0d, &[0, 0, 1, 0, 1, 7, 0, 0, 0, 0]),
        extension(21, &[0; 32]),
    ]
    .concat();
    let ciphers = vector(&[0x0a, 0x0a, 0x13, 0x01, 0x13, 0x02, 0xc0, 0x2b]);
    let body =
        [&version[..], &[7; 32], &[0], cookie, &ciphers, &[1, 0], &vector(&extensions)].concat();
    [&[1, 0][..], &short(&body), &body].concat()
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &vector(body)].concat()
}

fn vector(body: &[u8]) -> Vec<u8> {
    [&short(body)[..], body].concat()
}

fn record(fragment: &[u8]) -> Vec<u8> {
    [&[22, 3, 1][..], &vector(fragment)].concat()
}

/// A DTLS record with one fragment of a handshake message (RFC 6347, section 4.2.2).
fn dtls(message: &[u8], at: usize, octets: usize) -> Vec<u8> {
    let u24 = |number: usize| {
        let octets = u32::try_from(number).expect("seeds are small").to_be_bytes();
        [octets[1], octets[2], octets[3]]
    };
    let (kind, body) = (message[0], &message[4..]);
    let (at, end) = (at.min(body.len()), (at + octets).min(body.len()));
    let place = [&u24(body.len())[..], &[0, 0], &u24(at), &u24(end - at)].concat();
    let fragment = [&[kind][..], &place, &body[at..end]].concat();
    [&[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0][..], &vector(&fragment)].concat()
}

#[cfg(test)]
mod tests {
    use flowgait_capture::Protocol;
    use flowgait_flow::handshake::{Look, Segment, Watch};

    use super::*;

    fn check(protocol: Protocol, segments: &[&[u8]]) {
        let mut watch = Watch::new(protocol);
        let mut sequence = 7;
        let looks: Vec<Look> = segments
            .iter()
            .map(|payload| {
                let payload_octets = u16::from_be_bytes(short(payload));
                let segment =
                    Segment { forward: true, tcp_sequence: sequence, payload_octets, payload };
                sequence += u32::from(payload_octets);
                watch.push(&segment)
            })
            .collect();
        match looks.last() {
            Some(Look::Done(found)) => assert_eq!(found.sni.as_deref(), Some("gait.example")),
            other => panic!("the ClientHello was not found: {other:?}"),
        }
    }

    #[test]
    fn the_made_hello_is_one() {
        let hello = client_hello();
        let datagram_hello = client_hello_dtls();
        let whole = record(&hello);
        check(Protocol::TCP, &[&whole]);
        check(Protocol::TCP, &[&whole[..40], &whole[40..]]);
        check(Protocol::UDP, &[&dtls(&datagram_hello, 0, datagram_hello.len())]);
        check(
            Protocol::UDP,
            &[&dtls(&datagram_hello, 0, 60), &dtls(&datagram_hello, 60, datagram_hello.len())],
        );
    }
}
