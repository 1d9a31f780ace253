//! A flow's packet sizes as a bag of tokens.
//!
//! A column that holds "the size of the fifth packet" loses its match as soon as one acknowledgement more is seen; a bag does
//! not. Every size is a token at its exact value and, to match sizes that are nearly the same, at bins of 8 and of 64 octets,
//! whose borders are shifted by chance three times.
//!
//! # Reference
//! Random binning features: A. Rahimi, B. Recht, *Random features for large-scale kernel machines*, NIPS 2007, section 4.

use flowgait_features::layout::Layout;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::sizes::{payload, runs, whole};

/// The k-th size of a direction is a token for so many k.
const PLACES: usize = 8;
/// The total of a run of packets in one direction is a token for so many runs.
const RUNS: usize = 10;
/// Widths of the bins beside the exact value, in octets.
const WIDTHS: [u32; 2] = [8, WIDEST];
/// The widest of them.
pub(crate) const WIDEST: u32 = 64;
/// Times that the borders of each width are shifted.
const SHIFTS: usize = 3;
/// Makes tokens of rows; the same seed gives the same tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tokens {
    /// How far the borders of each width are shifted, in octets below the width.
    pub(crate) shifts: [[u32; SHIFTS]; WIDTHS.len()],
}

/// What a token is about; with its number within that and its bin it makes the token.
#[derive(Clone, Copy)]
enum About {
    Size = 1,
    Place = 2,
    Run = 3,
    Member = 4,
}

/// Which sizes a token is about. Those without headers are the same for two hosts whose TCP differs; those with headers, and the
/// acknowledgements among them, tell protocols apart whose packets are hardly larger than headers. Measured on applications of real
/// captures, both together do better than either.
#[derive(Clone, Copy)]
enum Seen {
    Whole = 0,
    Payload = 1,
}

impl Tokens {
    pub(crate) fn draw(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let shifts = WIDTHS.map(|width| std::array::from_fn(|_| rng.next_u32() % width));
        Self { shifts }
    }

    /// The tokens of a row, ascending, each once.
    pub(crate) fn of(&self, layout: &Layout, columns: &[Vec<f32>], row: usize) -> Vec<u64> {
        let mut found = Vec::new();
        if let Some(sizes) = &layout.sizes {
            self.sizes(&payload(sizes, columns, row), Seen::Payload, &mut found);
            if !sizes.payload {
                self.sizes(&whole(sizes, columns, row), Seen::Whole, &mut found);
            }
        }
        for (set, members) in (0..).zip(&layout.sets) {
            for &column in members {
                let value = columns[column][row];
                if !value.is_nan() && value != 0.0 {
                    found.push(token(
                        (About::Member, Seen::Whole),
                        set,
                        0,
                        i64::from(value.to_bits()),
                    ));
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn sizes(&self, sizes: &[i64], seen_as: Seen, found: &mut Vec<u64>) {
        let mut seen = [0_u32; 2];
        for &size in sizes {
            self.binned((About::Size, seen_as), 0, size, found);
            let place = &mut seen[usize::from(size < 0)];
            if (*place as usize) < PLACES {
                self.binned((About::Place, seen_as), *place, size, found);
            }
            *place += 1;
        }
        for run in runs(sizes).take(RUNS) {
            self.binned((About::Run, seen_as), 0, run.iter().sum(), found);
        }
    }

    /// The exact value, and its bin at every width and shift; bins of the two directions are apart.
    fn binned(&self, about: (About, Seen), number: u32, size: i64, found: &mut Vec<u64>) {
        found.push(token(about, number, 0, size));
        let (magnitude, sign) = (size.unsigned_abs(), size.signum());
        let mut scale = 1;
        for (width, shifts) in WIDTHS.iter().zip(&self.shifts) {
            for shift in shifts {
                let bin = (magnitude + u64::from(*shift)) / u64::from(*width) + 1;
                found.push(token(about, number, scale, bin as i64 * sign));
                scale += 1;
            }
        }
    }
}

/// A token as a number: equal parts always give the same one, and different parts almost never do.
fn token(about: (About, Seen), number: u32, scale: u32, bin: i64) -> u64 {
    let about = (about.0 as u64) | (about.1 as u64) << 4;
    let parts = about << 56 | u64::from(scale) << 48 | u64::from(number) << 32;
    // The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), which is a bijection.
    let mut mixed = parts ^ (bin as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flowgait_features::layout::Sizes;

    fn of(tokens: &Tokens, payload: bool, values: &[f32]) -> Vec<u64> {
        let columns: Vec<Vec<f32>> = values.iter().map(|&value| vec![value]).collect();
        let sizes = Sizes { columns: (0..values.len()).collect(), payload };
        tokens.of(&Layout { sizes: Some(sizes), ..Layout::default() }, &columns, 0)
    }

    #[test]
    fn acknowledgements_and_options_do_not_count() {
        let tokens = Tokens::draw(1);
        let plain = of(&tokens, false, &[60.0, -60.0, 40.0, 557.0, -40.0, -1_440.0, 0.0]);
        // The same flow with time stamps: 12 octets more in each packet, and an acknowledgement more.
        let stamped = of(&tokens, false, &[60.0, -60.0, 52.0, 569.0, -52.0, -1_452.0, 52.0]);
        let payload = of(&tokens, true, &[517.0, -1_400.0]);
        for flow in [plain, stamped] {
            assert!(payload.iter().all(|token| flow.contains(token)));
            assert!(flow.len() > payload.len(), "the sizes as they are count, too");
        }
    }

    #[test]
    fn near_sizes_share_some_tokens_and_equal_ones_all() {
        let tokens = Tokens::draw(1);
        let shared = |a: &[f32], b: &[f32]| {
            let (a, b) = (of(&tokens, true, a), of(&tokens, true, b));
            a.iter().filter(|token| b.contains(token)).count() as f64 / a.len() as f64
        };
        assert_eq!(shared(&[517.0, -1_400.0], &[517.0, -1_400.0]), 1.0);
        let near = shared(&[517.0, -1_400.0], &[519.0, -1_403.0]);
        assert!(near > 0.4 && near < 1.0, "{near}");
        assert_eq!(shared(&[517.0], &[-517.0]), 0.0);
        assert_eq!(shared(&[517.0], &[1_300.0]), 0.0);
    }
}
