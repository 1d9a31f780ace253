//! A look-up before a flow: one question and its answer over UDP (RFC 1035).

use std::net::IpAddr;

use super::{Direction, Endpoints, Flow, Packet, Source, TcpFields, Transport};
use crate::process::Nanos;

/// A look-up to be made into packets.
#[derive(Clone, Debug)]
pub struct Lookup<'a> {
    /// The name asked for.
    pub name: &'a str,
    /// The name it is another name of, for hosts behind a content network.
    pub alias: Option<&'a str>,
    /// What it leads to: A records for IPv4, AAAA for IPv6.
    pub addresses: &'a [IpAddr],
    /// How long the answer may be kept, in seconds.
    pub lifetime: u32,
    /// The question's number.
    pub id: u16,
}

const TYPE_A: u16 = 1;
const TYPE_CNAME: u16 = 5;
const TYPE_AAAA: u16 = 28;

/// The flow of a look-up that takes `wait` as the capture sees it.
#[must_use]
pub fn flow(lookup: &Lookup<'_>, endpoints: Endpoints, wait: Nanos) -> Flow {
    let question = question(lookup);
    let answer = answer(lookup, &question);
    let mut store = question;
    let question_octets = store.len() as u16;
    let answer_octets = answer.len() as u16;
    store.extend_from_slice(&answer);
    let packet = |time, direction, start, payload| Packet {
        time,
        direction,
        payload,
        source: Source::Datagram { start, octets: payload, salt: 0 },
        tcp: TcpFields::default(),
    };
    Flow {
        transport: Transport::Udp,
        endpoints,
        packets: vec![
            packet(0, Direction::Up, 0, question_octets),
            packet(wait, Direction::Down, question_octets.into(), answer_octets),
        ],
        streams: Default::default(),
        store,
        syn_options: Default::default(),
        key: u64::from(lookup.id),
    }
}

fn question(lookup: &Lookup<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    out.extend_from_slice(&lookup.id.to_be_bytes());
    // Recursion desired; one question.
    out.extend_from_slice(&[0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]);
    write_name(lookup.name, &mut out);
    let kind = if lookup.addresses.first().is_some_and(IpAddr::is_ipv6) { TYPE_AAAA } else { TYPE_A };
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&1u16.to_be_bytes());
    out
}

fn answer(lookup: &Lookup<'_>, question: &[u8]) -> Vec<u8> {
    let mut out = question.to_vec();
    // A response, recursion desired and available.
    out[2..4].copy_from_slice(&[0x81, 0x80]);
    let records = lookup.addresses.len() + usize::from(lookup.alias.is_some());
    out[6..8].copy_from_slice(&(records as u16).to_be_bytes());
    // 0xc00c points at the question's name.
    let mut owner = vec![0xc0, 0x0c];
    if let Some(alias) = lookup.alias {
        let mut name = Vec::new();
        write_name(alias, &mut name);
        record(&owner, TYPE_CNAME, lookup.lifetime, &name, &mut out);
        owner = name;
    }
    for address in lookup.addresses {
        match address {
            IpAddr::V4(a) => record(&owner, TYPE_A, lookup.lifetime, &a.octets(), &mut out),
            IpAddr::V6(a) => record(&owner, TYPE_AAAA, lookup.lifetime, &a.octets(), &mut out),
        }
    }
    out
}

fn record(owner: &[u8], kind: u16, lifetime: u32, data: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(owner);
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&1u16.to_be_bytes());
    out.extend_from_slice(&lifetime.to_be_bytes());
    out.extend_from_slice(&(data.len() as u16).to_be_bytes());
    out.extend_from_slice(data);
}

fn write_name(name: &str, out: &mut Vec<u8>) {
    for label in name.split('.') {
        let octets = &label.as_bytes()[..label.len().min(63)];
        out.push(octets.len() as u8);
        out.extend_from_slice(octets);
    }
    out.push(0);
}
