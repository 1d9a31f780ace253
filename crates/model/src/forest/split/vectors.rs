//! The sweep over a column's bins where there are so few classes that a bin's counts are one vector.

use super::{FEW_CLASSES, occupied::Bits};

/// A node's counts by bin and class, as vectors.
pub(super) struct Vectors<'a> {
    pub(super) histogram: &'a [[i32; FEW_CLASSES]; 256],
    pub(super) total: [f32; FEW_CLASSES],
    pub(super) weights: [f32; FEW_CLASSES],
}

impl Vectors<'_> {
    #[inline(always)]
    pub(super) fn amounts(&self, bin: u8) -> [f32; FEW_CLASSES] {
        let counts = self.histogram[usize::from(bin)];
        std::array::from_fn(|k| counts[k] as f32 * self.weights[k])
    }

    /// Walks the occupied bins and offers the score at each border.
    #[inline(always)]
    pub(super) fn sweep(
        &self,
        occupied: [u64; 4],
        first: [f32; FEW_CLASSES],
        mut offer: impl FnMut(f64, f64, u8, u8),
    ) {
        let mut left = first;
        let mut bins = Bits::new(occupied);
        let Some(mut bin) = bins.next() else { return };
        for next in bins {
            let amounts = self.amounts(bin);
            let mut right = [0.0; FEW_CLASSES];
            for k in 0..FEW_CLASSES {
                left[k] += amounts[k];
                right[k] = self.total[k] - left[k];
            }
            let (left_sum, left_squares) = sums(&left);
            let (right_sum, right_squares) = sums(&right);
            let above = left_squares * right_sum + right_squares * left_sum;
            offer(f64::from(above), f64::from(left_sum * right_sum), bin, next);
            bin = next;
        }
    }
}

/// Sum and sum of squares, in one fixed order.
#[inline(always)]
fn sums(v: &[f32; FEW_CLASSES]) -> (f32, f32) {
    let mut sum = [0.0; 4];
    let mut squares = [0.0; 4];
    for k in 0..4 {
        sum[k] = v[k] + v[k + 4];
        squares[k] = v[k] * v[k] + v[k + 4] * v[k + 4];
    }
    ((sum[0] + sum[2]) + (sum[1] + sum[3]), (squares[0] + squares[2]) + (squares[1] + squares[3]))
}
