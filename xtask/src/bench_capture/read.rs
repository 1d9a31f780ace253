//! Captures as records: a plain, slow reader of pcap and pcapng, so that a bench never reads with the code it measures.

use std::path::Path;

use crate::error::Error;

/// One packet as it was captured.
#[derive(Debug, PartialEq)]
pub struct Record {
    pub time_nanos: u64,
    pub link_type: u16,
    /// Octets on the wire, of which `frame` may hold fewer.
    pub original_octets: u32,
    pub frame: Vec<u8>,
}

/// Every whole record; what follows a cut is left.
pub fn records(path: &Path, bytes: &[u8]) -> Result<Vec<Record>, Error> {
    let unknown = || Error::Capture {
        path: path.to_path_buf(),
        offset: 0,
        what: "is neither pcap nor pcapng",
    };
    let (big_endian, nanos) = match bytes.get(..4) {
        Some([0x0a, 0x0d, 0x0d, 0x0a]) => {
            return Ok(Pcapng { bytes, big_endian: false, interfaces: vec![] }.records());
        }
        Some([0xd4, 0xc3, 0xb2, 0xa1]) => (false, false),
        Some([0x4d, 0x3c, 0xb2, 0xa1]) => (false, true),
        Some([0xa1, 0xb2, 0xc3, 0xd4]) => (true, false),
        Some([0xa1, 0xb2, 0x3c, 0x4d]) => (true, true),
        _ => return Err(unknown()),
    };
    Ok(pcap(bytes, big_endian, nanos))
}

fn pcap(bytes: &[u8], big_endian: bool, nanos: bool) -> Vec<Record> {
    let field = |at: usize| number(bytes, at, big_endian);
    #[expect(clippy::cast_possible_truncation, reason = "the link type is the low 16 bits")]
    let link_type = field(20).unwrap_or_default() as u16;
    let mut records = Vec::new();
    let mut at = 24;
    while let (Some(seconds), Some(part), Some(captured), Some(original_octets)) =
        (field(at), field(at + 4), field(at + 8), field(at + 12))
    {
        let Some(frame) = bytes.get(at + 16..at + 16 + captured as usize) else { break };
        let part_nanos = u64::from(part) * if nanos { 1 } else { 1_000 };
        let time_nanos = u64::from(seconds) * 1_000_000_000 + part_nanos;
        records.push(Record { time_nanos, link_type, original_octets, frame: frame.to_vec() });
        at += 16 + frame.len();
    }
    records
}

struct Pcapng<'a> {
    bytes: &'a [u8],
    big_endian: bool,
    interfaces: Vec<Interface>,
}

#[derive(Clone, Copy)]
struct Interface {
    link_type: u16,
    ticks_per_second: u64,
}

impl Pcapng<'_> {
    fn records(mut self) -> Vec<Record> {
        const SECTION: u32 = 0x0a0d_0d0a;
        const INTERFACE: u32 = 1;
        const OLD_PACKET: u32 = 2;
        const PACKET: u32 = 6;
        let mut records = Vec::new();
        let mut at = 0;
        while let Some(kind) = self.u32(at) {
            if kind == SECTION {
                self.big_endian =
                    self.bytes.get(at + 8..at + 12) == Some(&[0x1a, 0x2b, 0x3c, 0x4d]);
                self.interfaces.clear();
            }
            let Some(length) = self.u32(at + 4).map(|length| length as usize) else { break };
            if length < 12 || at + length > self.bytes.len() {
                break;
            }
            match kind {
                INTERFACE => self.interfaces.extend(self.interface(at, length)),
                OLD_PACKET => {
                    records.extend(self.u16(at + 8).and_then(|id| self.packet(at, id.into())))
                }
                PACKET => {
                    records.extend(self.u32(at + 8).and_then(|id| self.packet(at, id as usize)))
                }
                _ => {}
            }
            at += length;
        }
        records
    }

    fn interface(&self, at: usize, length: usize) -> Option<Interface> {
        const RESOLUTION: u16 = 9;
        let mut interface = Interface { link_type: self.u16(at + 8)?, ticks_per_second: 1_000_000 };
        let mut option = at + 16;
        while option + 4 < at + length {
            let (code, octets) = (self.u16(option)?, usize::from(self.u16(option + 2)?));
            if code == RESOLUTION {
                let power = *self.bytes.get(option + 4)?;
                let base: u64 = if power & 0x80 == 0 { 10 } else { 2 };
                interface.ticks_per_second = base.checked_pow(u32::from(power & 0x7f))?;
            }
            option += 4 + octets.next_multiple_of(4);
        }
        Some(interface)
    }

    fn packet(&self, at: usize, interface: usize) -> Option<Record> {
        let Interface { link_type, ticks_per_second } = *self.interfaces.get(interface)?;
        let ticks = u64::from(self.u32(at + 12)?) << 32 | u64::from(self.u32(at + 16)?);
        let captured = self.u32(at + 20)? as usize;
        let frame = self.bytes.get(at + 28..at + 28 + captured)?.to_vec();
        let time_nanos = u128::from(ticks) * 1_000_000_000 / u128::from(ticks_per_second);
        let time_nanos = u64::try_from(time_nanos).ok()?;
        Some(Record { time_nanos, link_type, original_octets: self.u32(at + 24)?, frame })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        number(self.bytes, at, self.big_endian)
    }

    fn u16(&self, at: usize) -> Option<u16> {
        let octets = self.bytes.get(at..at + 2)?.try_into().ok()?;
        Some(if self.big_endian { u16::from_be_bytes(octets) } else { u16::from_le_bytes(octets) })
    }
}

fn number(bytes: &[u8], at: usize, big_endian: bool) -> Option<u32> {
    let octets = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(if big_endian { u32::from_be_bytes(octets) } else { u32::from_le_bytes(octets) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(kind: u32, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 12).expect("short").to_be_bytes();
        [&kind.to_be_bytes()[..], &length, body, &length].concat()
    }

    #[test]
    fn both_byte_orders_of_pcap_are_read() {
        let fields = [0xa1b2_3c4d_u32, 0x0002_0004, 0, 0, 65_535, 101, 7, 9, 3, 60];
        let big: Vec<u8> =
            fields.iter().flat_map(|field| field.to_be_bytes()).chain([1, 2, 3]).collect();
        let expected = Record {
            time_nanos: 7_000_000_009,
            link_type: 101,
            original_octets: 60,
            frame: vec![1, 2, 3],
        };
        assert_eq!(records(Path::new("x"), &big).expect("pcap"), [expected]);
        let little: Vec<u8> =
            fields.iter().flat_map(|field| field.to_le_bytes()).chain([1, 2]).collect();
        assert_eq!(records(Path::new("x"), &little).expect("pcap"), [], "a cut record is left");
        assert!(records(Path::new("x"), b"GIF8").is_err());
    }

    #[test]
    fn a_pcapng_interface_has_its_own_resolution() {
        let section = block(
            0x0a0d_0d0a,
            &[0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255],
        );
        let interface = block(1, &[0, 1, 0, 0, 0, 0, 255, 255, 0, 9, 0, 1, 3, 0, 0, 0, 0, 0, 0, 0]);
        let packet =
            block(6, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 208, 0, 0, 0, 1, 0, 0, 0, 9, 5, 0, 0, 0]);
        let unknown = block(0x0bad, &[]);
        let bytes = [section, interface, unknown, packet].concat();
        let expected =
            Record { time_nanos: 2_000_000_000, link_type: 1, original_octets: 9, frame: vec![5] };
        assert_eq!(records(Path::new("x"), &bytes).expect("pcapng"), [expected]);
    }
}
