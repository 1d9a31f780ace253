//! Writes classic pcap files (draft-ietf-opsawg-pcap), little-endian, link type Ethernet.

use std::io::{self, Write};

/// How finely the file tells time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resolution {
    /// Magic 0xa1b2c3d4.
    #[default]
    Microseconds,
    /// Magic 0xa1b23c4d.
    Nanoseconds,
}

/// Link type of the files written: `LINKTYPE_ETHERNET`.
const ETHERNET: u32 = 1;
const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// A capture file being written.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    resolution: Resolution,
    snap: u32,
}

impl<W: Write> Writer<W> {
    /// Begins a capture in which no packet keeps more than `snap_octets`.
    ///
    /// # Errors
    /// What `out` says.
    pub fn new(mut out: W, resolution: Resolution, snap_octets: u32) -> io::Result<Self> {
        let magic: u32 = match resolution {
            Resolution::Microseconds => 0xa1b2_c3d4,
            Resolution::Nanoseconds => 0xa1b2_3c4d,
        };
        let mut header = [0; 24];
        header[..4].copy_from_slice(&magic.to_le_bytes());
        header[4..6].copy_from_slice(&2u16.to_le_bytes());
        header[6..8].copy_from_slice(&4u16.to_le_bytes());
        header[16..20].copy_from_slice(&snap_octets.to_le_bytes());
        header[20..].copy_from_slice(&ETHERNET.to_le_bytes());
        out.write_all(&header)?;
        Ok(Self { out, resolution, snap: snap_octets })
    }

    /// Writes one frame, seen `nanos` after 1970; what lies behind the snap length is left out.
    ///
    /// # Errors
    /// What the output says.
    pub fn packet(&mut self, nanos: u64, frame: &[u8]) -> io::Result<()> {
        let fraction = match self.resolution {
            Resolution::Microseconds => nanos % NANOS_PER_SECOND / 1_000,
            Resolution::Nanoseconds => nanos % NANOS_PER_SECOND,
        };
        let kept = frame.len().min(self.snap as usize);
        let mut header = [0; 16];
        header[..4].copy_from_slice(&((nanos / NANOS_PER_SECOND) as u32).to_le_bytes());
        header[4..8].copy_from_slice(&(fraction as u32).to_le_bytes());
        header[8..12].copy_from_slice(&(kept as u32).to_le_bytes());
        header[12..].copy_from_slice(&(frame.len() as u32).to_le_bytes());
        self.out.write_all(&header)?;
        self.out.write_all(&frame[..kept])
    }

    /// Flushes and gives the output back.
    ///
    /// # Errors
    /// What the output says.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_cut_at_the_snap_length_but_keeps_its_true_length() {
        let mut writer = Writer::new(Vec::new(), Resolution::Microseconds, 4).unwrap();
        writer.packet(1_700_000_000_123_456_789, &[1, 2, 3, 4, 5, 6]).unwrap();
        let bytes = writer.finish().unwrap();
        assert_eq!(bytes.len(), 24 + 16 + 4);
        assert_eq!(bytes[..4], [0xd4, 0xc3, 0xb2, 0xa1]);
        assert_eq!(bytes[24..28], 1_700_000_000u32.to_le_bytes());
        assert_eq!(bytes[28..32], 123_456u32.to_le_bytes());
        assert_eq!(bytes[32..40], [4, 0, 0, 0, 6, 0, 0, 0]);
        assert_eq!(bytes[40..], [1, 2, 3, 4]);
    }

    #[test]
    fn nanoseconds_are_kept_when_asked_for() {
        let mut writer = Writer::new(Vec::new(), Resolution::Nanoseconds, 100).unwrap();
        writer.packet(5_000_000_007, &[0]).unwrap();
        let bytes = writer.finish().unwrap();
        assert_eq!(bytes[..4], [0x4d, 0x3c, 0xb2, 0xa1]);
        assert_eq!(bytes[28..32], 7u32.to_le_bytes());
    }
}
