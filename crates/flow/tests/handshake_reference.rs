//! Server names and JA4 of the shared captures, against what nDPI says of them.

use std::collections::HashMap;
use std::fs::File;
use std::net::IpAddr;
use std::path::PathBuf;

use flowgait_capture::Protocol;
use flowgait_flow::handshake::{Handshake, Look, Segment, Watch};

use pcap_parser::{Block, Linktype, PcapBlockOwned, PcapError, create_reader};

type End = (IpAddr, u16);

struct Packet<'a> {
    protocol: u8,
    from: End,
    to: End,
    sequence: u32,
    payload_octets: u16,
    payload: &'a [u8],
}

fn be16(d: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(d.get(at..at + 2)?.try_into().ok()?))
}
fn be32(d: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(d.get(at..at + 4)?.try_into().ok()?))
}

fn link(link: Linktype, d: &[u8]) -> Option<Packet<'_>> {
    match link.0 {
        1 => ether(be16(d, 12)?, d.get(14..)?),
        113 => ether(be16(d, 14)?, d.get(16..)?),
        276 => ether(be16(d, 0)?, d.get(20..)?),
        0 | 108 => ip(d.get(4..)?),
        101 | 12 | 14 | 228 | 229 => ip(d),
        9 => {
            let d = if d.starts_with(&[0xff, 3]) { &d[2..] } else { d };
            ip(d.get(2..)?)
        }
        104 => ether(be16(d, 2)?, d.get(4..)?),
        _ => None,
    }
}

fn ether(kind: u16, d: &[u8]) -> Option<Packet<'_>> {
    match kind {
        0x0800 | 0x86dd => ip(d),
        0x8100 | 0x88a8 | 0x9100 => ether(be16(d, 2)?, d.get(4..)?),
        0x8847 | 0x8848 => {
            let mut d = d;
            while d.get(2)? & 1 == 0 {
                d = d.get(4..)?;
            }
            ip(d.get(4..)?)
        }
        0x8864 => ip(d.get(8..)?),
        _ => None,
    }
}

fn ip(d: &[u8]) -> Option<Packet<'_>> {
    let (protocol, from, to, octets, d): (u8, IpAddr, IpAddr, usize, &[u8]) = match d.first()? >> 4 {
        4 => {
            let header = usize::from(d[0] & 15) * 4;
            let total = usize::from(be16(d, 2)?);
            if be16(d, 6)? & 0x1fff != 0 {
                return None;
            }
            let a: [u8; 4] = d.get(12..16)?.try_into().ok()?;
            let b: [u8; 4] = d.get(16..20)?.try_into().ok()?;
            let total = if total == 0 { d.len() } else { total };
            (d[9], a.into(), b.into(), total.checked_sub(header)?, d.get(header..d.len().min(total))?)
        }
        6 => {
            let a: [u8; 16] = d.get(8..24)?.try_into().ok()?;
            let b: [u8; 16] = d.get(24..40)?.try_into().ok()?;
            let n = usize::from(be16(d, 4)?);
            let mut next = d[6];
            let mut n2 = n;
            let mut d = d.get(40..d.len().min(40 + n))?;
            while matches!(next, 0 | 43 | 60) {
                let l = (usize::from(*d.get(1)?) + 1) * 8;
                next = d[0];
                d = d.get(l..)?;
                n2 = n2.checked_sub(l)?;
            }
            (next, a.into(), b.into(), n2, d)
        }
        _ => return None,
    };
    match protocol {
        6 => {
            let header = usize::from(d.get(12)? >> 4) * 4;
            Some(Packet {
                protocol,
                from: (from, be16(d, 0)?),
                to: (to, be16(d, 2)?),
                sequence: be32(d, 4)?,
                payload_octets: octets.checked_sub(header)? as u16,
                payload: d.get(header..).unwrap_or_default(),
            })
        }
        17 => {
            let (sp, dp) = (be16(d, 0)?, be16(d, 2)?);
            let p = d.get(8..)?;
            let inner = if dp == 2152 || sp == 2152 {
                let mut at = 8;
                if p.first()? & 7 != 0 {
                    at += 4;
                }
                if p.first()? & 4 != 0 {
                    let mut next = *p.get(11)?;
                    while next != 0 {
                        let l = usize::from(*p.get(at)?) * 4;
                        if l == 0 {
                            return None;
                        }
                        next = *p.get(at + l - 1)?;
                        at += l;
                    }
                }
                p.get(at..).and_then(ip)
            } else if dp == 4789 || sp == 4789 {
                p.get(8..).and_then(|d| ether(be16(d, 12)?, d.get(14..)?))
            } else {
                None
            };
            inner.or(Some(Packet {
                protocol,
                from: (from, sp),
                to: (to, dp),
                sequence: 0,
                payload_octets: octets.checked_sub(8)? as u16,
                payload: p,
            }))
        }
        4 | 41 => ip(d),
        47 => {
            let flags = be16(d, 0)?;
            let kind = be16(d, 2)?;
            let mut at = 4;
            for bit in [0x8000, 0x2000, 0x1000, 0x0080] {
                if flags & bit != 0 {
                    at += 4;
                }
            }
            let d = d.get(at..)?;
            if kind == 0x880b {
                let d = if d.starts_with(&[0xff, 3]) { &d[2..] } else { d };
                return ip(d.get(2..)?);
            }
            if kind == 0x6558 { ether(be16(d, 12)?, d.get(14..)?) } else { ether(kind, d) }
        }
        _ => None,
    }
}

fn data() -> PathBuf {
    std::env::var_os("FLOWGAIT_DATA").map_or_else(
        || concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").into(),
        PathBuf::from,
    )
}

type Key = (u8, End, End);

fn key(protocol: u8, a: End, b: End) -> Key {
    (protocol, a.min(b), a.max(b))
}

fn watch_all(path: &PathBuf) -> HashMap<Key, (Option<Handshake>, u32)> {
    let mut flows: HashMap<Key, (Option<Watch>, End, Option<Handshake>, u32)> = HashMap::new();
    let mut reader = create_reader(1 << 20, File::open(path).unwrap()).unwrap();
    let mut links = vec![];
    loop {
        match reader.next() {
            Ok((n, block)) => {
                let found = match &block {
                    PcapBlockOwned::LegacyHeader(h) => {
                        links = vec![h.network];
                        None
                    }
                    PcapBlockOwned::Legacy(b) => Some((links[0], b.data)),
                    PcapBlockOwned::NG(Block::SectionHeader(_)) => {
                        links.clear();
                        None
                    }
                    PcapBlockOwned::NG(Block::InterfaceDescription(i)) => {
                        links.push(i.linktype);
                        None
                    }
                    PcapBlockOwned::NG(Block::EnhancedPacket(b)) => links
                        .get(b.if_id as usize)
                        .map(|&l| (l, &b.data[..b.data.len().min(b.caplen as usize)])),
                    PcapBlockOwned::NG(Block::SimplePacket(b)) => Some((links[0], b.data)),
                    _ => None,
                };
                if let Some((l, data)) = found
                    && let Some(p) = link(l, data)
                    && p.payload_octets > 0
                {
                    let flow = flows.entry(key(p.protocol, p.from, p.to)).or_insert_with(|| {
                        (Some(Watch::new(Protocol(p.protocol))), p.from, None, 0)
                    });
                    flow.3 += 1;
                    if let Some(w) = &mut flow.0 {
                        let look = w.push(&Segment {
                            forward: p.from == flow.1,
                            tcp_sequence: p.sequence,
                            payload_octets: p.payload_octets,
                            payload: p.payload,
                        });
                        assert!(w.octets_held() < 24_000);
                        match look {
                            Look::More => {}
                            Look::Done(h) => {
                                flow.2 = Some(*h);
                                flow.0 = None;
                            }
                            Look::Stop => flow.0 = None,
                        }
                    }
                }
                reader.consume(n);
            }
            Err(PcapError::Eof) => break,
            Err(PcapError::Incomplete(_)) => {
                if reader.refill().is_err() || reader.reader_exhausted() && reader.data().len() < 8 {
                    break;
                }
                if reader.reader_exhausted() {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    flows.into_iter().map(|(k, f)| (k, (f.2, f.3))).collect()
}

#[test]
fn names_and_fingerprints_are_those_of_ndpi() {
    let ndpi = data().join("ndpi");
    let Ok(mut table) = csv::Reader::from_path(ndpi.join("flows.csv")) else {
        eprintln!("skipped: no {}", ndpi.display());
        return;
    };
    let mut captures = HashMap::new();
    let only: Option<String> = std::env::var("ONLY").ok();
    let (mut rows, mut found, mut same_sni, mut same_cipher, mut whole) = (0, 0, 0, 0, 0);
    for row in table.deserialize::<HashMap<String, String>>() {
        let row = row.unwrap();
        if only.as_ref().is_some_and(|o| !row["capture"].contains(o.as_str())) {
            continue;
        }
        let all = std::env::var("ALL").is_ok();
        if row["ja4"].is_empty() || (!all && row["sni"].is_empty()) {
            continue;
        }
        rows += 1;
        let flows = captures
            .entry(row["capture"].clone())
            .or_insert_with(|| watch_all(&ndpi.join("captures").join(&row["capture"])));
        let end = |i: &str, p: &str| (row[i].replace("::7a0b::", ":0:7a0b::").parse::<IpAddr>().unwrap(), row[p].parse().unwrap());
        let protocol = if row["l4"] == "TCP" { 6 } else { 17 };
        let k = key(protocol, end("ip_a", "port_a"), end("ip_b", "port_b"));
        let what = format!("{} #{} {}", row["capture"], row["flow_no"], row["ndpi_proto"]);
        let Some((handshake, packets)) = flows.get(&k) else {
            println!("NOFLOW {what} {k:?}");
            continue;
        };
        let Some(h) = handshake else {
            println!("NOHELLO {what} payload packets {packets} sni {} ja4 {}", row["sni"], row["ja4"]);
            continue;
        };
        found += 1;
        if h.sni.as_deref().unwrap_or("") == row["sni"] {
            same_sni += 1;
        } else {
            println!("SNI {what} ours {:?} theirs {}", h.sni, row["sni"]);
        }
        let (ours, theirs) = (&*h.ja4, row["ja4"].as_str());
        if ours.is_empty() {
            println!("JA4EMPTY {what}");
            continue;
        }
        if ours[11..23] == theirs[11..23] {
            same_cipher += 1;
        } else {
            println!("CIPHER {what} ours {ours} theirs {theirs} {h:?}");
        }
        // nDPI's habits: see the module's comment.
        let alpn = match h.alpn.first() {
            Some(a) if a.len() >= 2 => a[..2].to_owned(),
            _ => ours[8..10].to_owned(),
        };
        let nothing = "e3b0c44298fc";
        let c = ours[24..].replace("000000000000", nothing);
        let b = ours[11..23].replace("000000000000", nothing);
        let theirs_d = if h.sni.is_none() { "d" } else { &ours[3..4] };
        let mapped = format!("{}{}{}{}_{}_{}", &ours[..3], theirs_d, &ours[4..8], alpn, b, c);
        if h.alpn.len() == 1 { println!("LONE {} {} {} {:?}", ours, theirs, what, h.alpn); }
        if ours == theirs || mapped == theirs {
            whole += 1;
        } else {
            println!("JA4 {what} ours {ours} mapped {mapped} theirs {theirs} alpn {:?} v{:04x}", h.alpn, h.version_offered);
        }
    }
    println!("rows {rows} found {found} sni {same_sni} cipher {same_cipher} whole {whole}");
}

#[test]
fn dump() {
    let Ok(to) = std::env::var("DUMP") else { return };
    let mut out = String::new();
    let dir = data().join("ndpi/captures");
    for e in std::fs::read_dir(&dir).unwrap() {
        let path = e.unwrap().path();
        let flows = watch_all(&path);
        for (k, (h, n)) in flows {
            if let Some(h) = h {
                out += &format!("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{:?}\t{:x}\t{}\t{n}\n", path.file_name().unwrap().to_str().unwrap(), k.0, k.1.0, k.1.1, k.2.0, k.2.1, h.sni.as_deref().unwrap_or(""), h.carrier, h.quic_version, h.ja4);
            }
        }
    }
    std::fs::write(to, out).unwrap();
}
