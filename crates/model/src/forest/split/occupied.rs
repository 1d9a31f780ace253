//! Which of 256 bins occur in a column of a node.

/// The bins that occur. Four sets take turns: a bit set in memory waits for the one set there before.
#[derive(Default)]
pub(super) struct Occupied([[u64; 4]; 4]);

impl Occupied {
    #[inline(always)]
    pub(super) fn insert(&mut self, row: usize, bin: u8) {
        self.0[row & 3][usize::from(bin >> 6)] |= 1 << (bin & 63);
    }

    pub(super) fn union(&self) -> [u64; 4] {
        std::array::from_fn(|word| self.0.iter().fold(0, |union, set| union | set[word]))
    }
}

/// The set bits of 256, ascending.
pub(super) struct Bits {
    words: [u64; 4],
    word: usize,
}

impl Bits {
    pub(super) fn new(words: [u64; 4]) -> Self {
        Self { words, word: 0 }
    }
}

impl Iterator for Bits {
    type Item = u8;

    #[inline(always)]
    fn next(&mut self) -> Option<u8> {
        while let Some(bits) = self.words.get_mut(self.word) {
            if *bits != 0 {
                let bit = bits.trailing_zeros();
                *bits &= *bits - 1;
                return Some(self.word as u8 * 64 + bit as u8);
            }
            self.word += 1;
        }
        None
    }
}
