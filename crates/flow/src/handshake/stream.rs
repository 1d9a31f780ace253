//! Octets of one message that arrive in pieces, in any order, some twice: the gaps are remembered, the size is bounded.

use super::HELLO_OCTETS_MAX;

/// How many pieces with gaps between them are kept; a piece that would be one more is dropped.
///
/// Chrome cuts a ClientHello of 1.8 kB into about twenty CRYPTO frames.
const PIECES_MAX: usize = 128;

/// The first [`HELLO_OCTETS_MAX`] octets of a message or a byte stream, as far as they were seen.
#[derive(Debug, Default)]
pub(super) struct Stream {
    octets: Vec<u8>,
    /// What was seen: start and end, sorted, with a gap between each and the next.
    pieces: Vec<(u16, u16)>,
}

impl Stream {
    /// Takes the octets that stand at `at`. Where octets were seen before, those stay.
    pub(super) fn put(&mut self, at: usize, octets: &[u8]) {
        let end = at.saturating_add(octets.len()).min(HELLO_OCTETS_MAX);
        if at >= end {
            return;
        }
        let first = self.pieces.partition_point(|piece| usize::from(piece.1) < at);
        let after = self.pieces.partition_point(|piece| usize::from(piece.0) <= end);
        if first == after && self.pieces.len() == PIECES_MAX {
            return;
        }
        self.grow(end);
        let (mut from, mut piece) = (at, (short(at), short(end)));
        for seen in &self.pieces[first..after] {
            let until = usize::from(seen.0);
            if from < until {
                self.octets[from..until].copy_from_slice(&octets[from - at..until - at]);
            }
            from = from.max(usize::from(seen.1));
            piece = (piece.0.min(seen.0), piece.1.max(seen.1));
        }
        if from < end {
            self.octets[from..end].copy_from_slice(&octets[from - at..end - at]);
        }
        self.pieces.splice(first..after, [piece]);
    }

    /// The octets from the start to the first gap.
    pub(super) fn whole(&self) -> &[u8] {
        match self.pieces.first() {
            Some(&(0, end)) => &self.octets[..usize::from(end)],
            _ => &[],
        }
    }

    /// Octets held on the heap.
    pub(super) fn octets_held(&self) -> usize {
        self.octets.capacity() + self.pieces.capacity() * size_of::<(u16, u16)>()
    }

    fn grow(&mut self, end: usize) {
        if end > self.octets.capacity() {
            let capacity = (2 * self.octets.capacity()).clamp(end, HELLO_OCTETS_MAX);
            self.octets.reserve_exact(capacity - self.octets.len());
        }
        if end > self.octets.len() {
            self.octets.resize(end, 0);
        }
    }
}

fn short(offset: usize) -> u16 {
    u16::try_from(offset).expect("invariant: offsets in a stream are at most HELLO_OCTETS_MAX")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_earlier_octet_is_not_replaced() {
        let mut stream = Stream::default();
        stream.put(2, b"cd");
        stream.put(6, b"gh");
        assert_eq!(stream.whole(), b"");
        stream.put(0, b"ABCDEFGHIJ");
        assert_eq!(stream.whole(), b"ABcdEFghIJ");
    }

    #[test]
    fn the_size_is_bounded() {
        let mut stream = Stream::default();
        stream.put(HELLO_OCTETS_MAX, b"x");
        stream.put(usize::MAX, b"x");
        stream.put(9, b"");
        assert_eq!(stream.octets_held(), 0);
        stream.put(HELLO_OCTETS_MAX - 1, b"xyz");
        stream.put(0, &[7; 2 * HELLO_OCTETS_MAX]);
        assert_eq!(stream.whole().len(), HELLO_OCTETS_MAX);
        assert_eq!(stream.octets.capacity(), HELLO_OCTETS_MAX);
        let mut stream = Stream::default();
        for at in (0..HELLO_OCTETS_MAX).step_by(2) {
            stream.put(at, b"x");
        }
        assert_eq!(stream.pieces.len(), PIECES_MAX);
    }

    proptest! {
        #[test]
        fn pieces_in_any_order_make_the_message(
            message in prop::collection::vec(any::<u8>(), 1..600),
            cuts in prop::collection::vec((any::<prop::sample::Index>(), 1_usize..200), 0..40),
        ) {
            let mut stream = Stream::default();
            let mut seen = vec![false; message.len()];
            for (start, length) in cuts {
                let at = start.index(message.len());
                let end = (at + length).min(message.len());
                stream.put(at, &message[at..end]);
                seen[at..end].fill(true);
            }
            let whole = seen.iter().take_while(|&&seen| seen).count();
            prop_assert_eq!(stream.whole(), &message[..whole]);
            stream.put(0, &message);
            prop_assert_eq!(stream.whole(), &message[..]);
            prop_assert_eq!(stream.pieces.len(), 1);
        }
    }
}
