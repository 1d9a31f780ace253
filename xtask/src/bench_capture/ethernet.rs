//! One link type for all: whatever a packet came in, it leaves in an Ethernet frame.

const IPV4: [u8; 2] = [0x08, 0x00];
const IPV6: [u8; 2] = [0x86, 0xdd];

/// The packet in an Ethernet frame, or `None` when it has no EtherType.
///
/// # Reference
/// The numbers are the Tcpdump Group's link-layer header types.
pub fn frame(link_type: u16, packet: &[u8]) -> Option<Vec<u8>> {
    match link_type {
        1 => Some(packet.to_vec()),
        // Null and loopback: a protocol family of four octets, in either byte order; the IP version tells the same.
        0 | 108 => ip(packet.get(4..)?),
        // PPP, with or without its HDLC address and control.
        9 => ppp(packet.strip_prefix(&[0xff, 0x03]).unwrap_or(packet)),
        // Cisco HDLC: address, control, EtherType.
        104 => wrap(packet.get(2..4)?, packet.get(4..)?),
        12 | 101 | 228 | 229 => ip(packet),
        // Linux "cooked", versions 1 and 2.
        113 => wrap(packet.get(14..16)?, packet.get(16..)?),
        276 => wrap(packet.get(..2)?, packet.get(20..)?),
        _ => None,
    }
}

fn ip(packet: &[u8]) -> Option<Vec<u8>> {
    match packet.first()? >> 4 {
        4 => wrap(&IPV4, packet),
        6 => wrap(&IPV6, packet),
        _ => None,
    }
}

fn ppp(packet: &[u8]) -> Option<Vec<u8>> {
    match packet.get(..2)? {
        [0x00, 0x21] => wrap(&IPV4, &packet[2..]),
        [0x00, 0x57] => wrap(&IPV6, &packet[2..]),
        _ => None,
    }
}

fn wrap(ethertype: &[u8], packet: &[u8]) -> Option<Vec<u8>> {
    // Values up to 1500 are lengths or pseudo-protocols (802.2, CAN), not EtherTypes.
    if u16::from_be_bytes(ethertype.try_into().ok()?) < 0x600 {
        return None;
    }
    const MADE_ADDRESSES: [u8; 12] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    Some([&MADE_ADDRESSES, ethertype, packet].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(link_type: u16, packet: &[u8], ethertype_and_rest: Option<&[u8]>) {
        let framed = frame(link_type, packet);
        assert_eq!(
            framed.as_ref().map(|frame| &frame[12..]),
            ethertype_and_rest,
            "link type {link_type}"
        );
    }

    #[test]
    fn every_link_type_gets_its_ethertype() {
        let v4: &[u8] = &[8, 0, 0x45, 1];
        check(101, &[0x45, 1], Some(v4));
        check(101, &[0x60, 1], Some(&[0x86, 0xdd, 0x60, 1]));
        check(0, &[2, 0, 0, 0, 0x45, 1], Some(v4));
        check(9, &[0xff, 3, 0, 0x21, 0x45, 1], Some(v4));
        check(9, &[0, 0x21, 0x45, 1], Some(v4));
        check(104, &[0x0f, 0, 8, 0, 0x45, 1], Some(v4));
        check(113, &[0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0, 0x45, 1], Some(v4));
        let sll2 = [8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 0x45, 1];
        check(276, &sll2, Some(v4));
    }

    #[test]
    fn what_has_no_ethertype_is_left_out() {
        check(113, &[0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 0, 0x0c, 1], None);
        check(9, &[0xc0, 0x21, 1], None);
        check(101, &[], None);
        check(195, &[1, 2, 3], None);
    }
}
