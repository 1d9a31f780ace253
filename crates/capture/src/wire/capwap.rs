//! The data channel between wireless access points and their controller, with IEEE 802.11 or Ethernet inside.
//!
//! # Reference
//! RFC 5415, section 4.3; RFC 5416, section 2; IEEE 802.11, section 9.3.2 (data frames).

use super::Walk;
use super::transport::Above;
use crate::report::Skip;

impl Walk<'_> {
    pub(super) fn capwap(&mut self, Above { at, .. }: Above) -> Result<(), Skip> {
        let at = at + 8;
        let [preamble, b1, b2, b3, _, _, o0, o1] =
            *self.octets::<8>(at).ok_or(Skip::CutInTransport)?;
        // Version 0, and a header in the clear rather than DTLS.
        if preamble != 0 {
            return Err(Skip::TransportLength);
        }
        let fields = u32::from_be_bytes([0, b1, b2, b3]);
        let header = (fields >> 19) as usize * 4;
        let is_native = fields >> 8 & 1 != 0;
        let is_keep_alive = fields >> 3 & 1 != 0;
        let is_later_fragment = u16::from_be_bytes([o0, o1]) >> 3 != 0;
        let binding = fields >> 9 & 0x1f;
        if header < 8 || is_keep_alive || is_later_fragment {
            return Err(Skip::TransportLength);
        }
        match (is_native, binding) {
            (false, _) => self.ethernet(at + header),
            (true, 1) => self.wireless(at + header),
            _ => Err(Skip::TransportLength),
        }
    }

    /// An IEEE 802.11 data frame.
    fn wireless(&mut self, at: usize) -> Result<(), Skip> {
        let control = *self.octets::<2>(at).ok_or(Skip::CutInLink)?;
        // Cisco's controllers send the two octets of frame control in the other order.
        let [kind, flags] = if is_data(control[0]) { control } else { [control[1], control[0]] };
        let is_protected = flags & 0x40 != 0;
        // The subtypes with bit 2 carry no data.
        if !is_data(kind) || kind & 0x40 != 0 || is_protected {
            return Err(Skip::TransportLength);
        }
        let is_quality = kind & 0x80 != 0;
        let mut header = 24;
        if flags & 0x03 == 0x03 {
            header += 6;
        }
        if is_quality {
            header += 2;
            if flags & 0x80 != 0 {
                header += 4;
            }
        }
        self.llc(at + header)
    }
}

/// Protocol version 0, type 2.
fn is_data(octet: u8) -> bool {
    octet & 0x0f == 0x08
}
