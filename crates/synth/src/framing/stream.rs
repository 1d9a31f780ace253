//! What one direction of a TCP connection says, octet by octet, without holding it.
//!
//! Literal pieces (handshake messages, record headers) lie at their offsets; between them is noise computed from the
//! offset, so that a retransmission says the same again.

/// A literal piece.
#[derive(Clone, Copy, Debug)]
struct Piece {
    offset: u64,
    start: u32,
    octets: u32,
}

/// One direction's octets.
#[derive(Debug, Default)]
pub struct Stream {
    key: u64,
    length: u64,
    pieces: Vec<Piece>,
    literal: Vec<u8>,
}

impl Stream {
    /// An empty stream whose noise comes from `key`.
    #[must_use]
    pub fn new(key: u64) -> Self {
        Self { key, ..Self::default() }
    }

    /// Octets so far.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether nothing was said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Adds literal octets.
    pub fn say(&mut self, octets: &[u8]) {
        let (start, octets_n) = (self.literal.len() as u32, octets.len() as u32);
        self.literal.extend_from_slice(octets);
        match self.pieces.last_mut() {
            Some(last) if last.offset + u64::from(last.octets) == self.length => last.octets += octets_n,
            _ => self.pieces.push(Piece { offset: self.length, start, octets: octets_n }),
        }
        self.length += u64::from(octets_n);
    }

    /// Adds so many octets of noise.
    pub fn mumble(&mut self, octets: u64) {
        self.length += octets;
    }

    /// Writes the octets from `offset` to `out`.
    pub fn fill(&self, offset: u64, out: &mut [u8]) {
        noise(self.key, offset, out);
        let end = offset + out.len() as u64;
        let first = self.pieces.partition_point(|p| p.offset + u64::from(p.octets) <= offset);
        for piece in self.pieces[first..].iter().take_while(|p| p.offset < end) {
            let from = piece.offset.max(offset);
            let to = (piece.offset + u64::from(piece.octets)).min(end);
            let source = piece.start as usize + (from - piece.offset) as usize;
            let octets = (to - from) as usize;
            out[(from - offset) as usize..][..octets].copy_from_slice(&self.literal[source..source + octets]);
        }
    }
}

/// Noise at `offset` of the sequence that `key` names: SplitMix64 over a counter, which is quick and good enough to
/// look like ciphertext.
pub fn noise(key: u64, offset: u64, out: &mut [u8]) {
    let mut counter = offset / 8;
    let skip = (offset % 8) as usize;
    let mut rest = out;
    if skip > 0 {
        let octets = rest.len().min(8 - skip);
        let (head, tail) = rest.split_at_mut(octets);
        head.copy_from_slice(&word(key, counter)[skip..skip + octets]);
        rest = tail;
        counter += 1;
    }
    let mut chunks = rest.chunks_exact_mut(8);
    for chunk in &mut chunks {
        chunk.copy_from_slice(&word(key, counter));
        counter += 1;
    }
    let tail = chunks.into_remainder();
    let octets = tail.len();
    tail.copy_from_slice(&word(key, counter)[..octets]);
}

fn word(key: u64, counter: u64) -> [u8; 8] {
    let mut z = key.wrapping_add(counter.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_cut_of_a_stream_says_the_same(
            parts in proptest::collection::vec((any::<bool>(), 1usize..40), 1..20),
            from in 0usize..300,
            octets in 0usize..300,
        ) {
            let mut stream = Stream::new(77);
            let mut literal = Vec::new();
            for (k, (speak, n)) in parts.iter().enumerate() {
                if *speak {
                    stream.say(&vec![k as u8; *n]);
                    literal.extend(std::iter::repeat_n(Some(k as u8), *n));
                } else {
                    stream.mumble(*n as u64);
                    literal.extend(std::iter::repeat_n(None, *n));
                }
            }
            let mut whole = vec![0; literal.len()];
            stream.fill(0, &mut whole);
            for (octet, said) in whole.iter().zip(&literal) {
                prop_assert!(said.is_none_or(|s| s == *octet));
            }
            let from = from.min(whole.len());
            let to = (from + octets).min(whole.len());
            let mut part = vec![0; to - from];
            stream.fill(from as u64, &mut part);
            prop_assert_eq!(&part[..], &whole[from..to]);
        }
    }
}
