//! Exact inversion: a number is drawn by comparing random bits with a cumulative distribution, known to any precision.
//!
//! Almost always 64 bits settle which number it is, by a table of bounds that were made with whole numbers. Where they
//! fall too near a bound, more bits are drawn and the bounds are made again with more digits, as often as it takes: the
//! distribution is the stated one to the last bit, and no number in it was ever rounded in an unknown direction.
//!
//! # Reference
//! Knuth, Yao, *The complexity of nonuniform random number generation*, 1976; Devroye, *Non-Uniform Random Variate
//! Generation*, 1986, II.2 and XV.

use std::cmp::Ordering;

use rand::CryptoRng;

/// Cumulative weights of whole numbers, as lower bounds that are all too low by less than one error.
pub struct Cumulative {
    /// The number to which the first sum belongs.
    pub first: u64,
    /// Limbs of a sum, the least significant first.
    pub limbs: usize,
    /// One sum after the other.
    pub sums: Vec<u64>,
    /// How much any sum, the total too, may be too low. Weights below the first and above the last number are in it.
    pub error: u64,
}

/// A distribution whose cumulative weights can be had with any number of digits.
pub trait Weights {
    /// The largest weight is `2^(64 (limbs − 1))`.
    fn cumulative(&self, limbs: usize) -> Cumulative;
}

/// Limbs from which the table is made: bounds are then right to far more than the 64 bits that it keeps.
const TABLE_LIMBS: usize = 4;
/// How far a bound of the table may be below the true cumulative distribution, in units of `2^−64`.
const DOUBT: u64 = 8;

/// The first 64 bits of a cumulative distribution, and where in it to look first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    first: u64,
    bounds: Vec<u64>,
    /// For each value of the leading bits, the first place that can be meant.
    guide: Vec<u32>,
    guide_bits: u32,
}

impl Table {
    pub fn new(weights: &impl Weights) -> Self {
        let cumulative = weights.cumulative(TABLE_LIMBS);
        let mut bounds = cumulative.bounds();
        let zeros = bounds.partition_point(|&bound| bound == 0);
        bounds.drain(..zeros);
        // In the upper tail nothing is added that these bits can tell.
        while bounds.len() > 1 && bounds[bounds.len() - 2] == bounds[bounds.len() - 1] {
            bounds.pop();
        }
        let guide_bits = bounds.len().next_power_of_two().trailing_zeros().max(8);
        let place = |lead: u64| {
            let start = lead << (64 - guide_bits);
            bounds.partition_point(|&bound| bound <= start) as u32
        };
        let guide = (0..1u64 << guide_bits).map(place).collect();
        Self { first: cumulative.first + zeros as u64, bounds, guide, guide_bits }
    }

    /// One draw.
    #[inline]
    pub fn sample<R: CryptoRng>(&self, weights: &impl Weights, rng: &mut R) -> u64 {
        let word = rng.next_u64();
        match self.look_up(word) {
            Some(number) => number,
            None => settle(weights, vec![word], rng),
        }
    }

    /// The number that these leading bits mean, whatever follows; nothing where that matters.
    #[inline]
    fn look_up(&self, word: u64) -> Option<u64> {
        let mut place = self.guide[(word >> (64 - self.guide_bits)) as usize] as usize;
        while *self.bounds.get(place)? <= word {
            place += 1;
        }
        let above_last = match place.checked_sub(1) {
            Some(before) => word - self.bounds[before],
            None if self.first == 0 => return Some(0),
            None => word,
        };
        (above_last >= DOUBT).then_some(self.first + place as u64)
    }
}

/// Draws more bits, and takes more digits, until they settle it.
#[cold]
fn settle<R: CryptoRng>(weights: &impl Weights, mut words: Vec<u64>, rng: &mut R) -> u64 {
    loop {
        let known = words.len();
        (0..known).for_each(|_| words.push(rng.next_u64()));
        if let Some(number) = weights.cumulative(words.len() + TABLE_LIMBS).look_up(&words) {
            return number;
        }
    }
}

impl Cumulative {
    fn row(&self, place: usize) -> &[u64] {
        &self.sums[place * self.limbs..(place + 1) * self.limbs]
    }

    fn len(&self) -> usize {
        self.sums.len() / self.limbs
    }

    /// Lower bounds of the cumulative distribution in units of `2^−64`, each by less than [`DOUBT`] too low.
    ///
    /// With `2^63 ≤ T < 2^64` the leading bits of the total, a quotient by `T + 2` instead of the true total is by at
    /// most `2 (T + 1)/T < 4` units too low, its rounding by 1, and what the sum's cut and its error add is below 3.
    fn bounds(&self) -> Vec<u64> {
        let total = self.row(self.len() - 1);
        let bits = 64 * self.limbs - leading_zeros(total);
        assert!(bits >= 192, "the table's limbs leave its error far below the bits that it keeps");
        let leading = window(total, bits - 64) as u64;
        let divisor = u128::from(leading) + 2;
        let bound = |place| (window(self.row(place), bits - 128) / divisor) as u64;
        (0..self.len()).map(bound).collect()
    }

    /// The number that these leading bits of a uniform number mean, the most significant word first.
    fn look_up(&self, words: &[u64]) -> Option<u64> {
        let uniform: Vec<u64> = words.iter().rev().copied().collect();
        let total = self.row(self.len() - 1);
        // The uniform number times the total is at least this, and below that.
        let low = product(&uniform, total)[words.len()..].to_vec();
        let above = product(&plus(&uniform, 1), &plus(total, self.error));
        let high = plus(&above[words.len()..], 1);
        let (mut from, mut to) = (0, self.len());
        while from < to {
            let middle = usize::midpoint(from, to);
            if compare(self.row(middle), &high) == Ordering::Less {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        if from == self.len() {
            return None;
        }
        let before = if from == 0 { vec![0] } else { self.row(from - 1).to_vec() };
        let none_before = from == 0 && self.first == 0;
        let is_past = compare(&plus(&before, self.error), &low) != Ordering::Greater;
        (none_before || is_past).then_some(self.first + from as u64)
    }
}

fn leading_zeros(limbs: &[u64]) -> usize {
    let zeros = limbs.iter().rev().take_while(|&&limb| limb == 0).count();
    let top = limbs.len() - zeros;
    64 * zeros + if top == 0 { 0 } else { limbs[top - 1].leading_zeros() as usize }
}

/// 128 bits from a place on.
fn window(limbs: &[u64], from: usize) -> u128 {
    let (skip, shift) = (from / 64, from % 64);
    let limb = |place: usize| u128::from(limbs.get(place).copied().unwrap_or(0));
    let low = limb(skip) | limb(skip + 1) << 64;
    if shift == 0 { low } else { low >> shift | limb(skip + 2) << (128 - shift) }
}

/// `limbs × factor / divisor`, rounded down, in place. The result must not be larger than it was.
pub fn scale(limbs: &mut [u64], factor: u64, divisor: u64) {
    let mut carry = 0u64;
    for limb in limbs.iter_mut() {
        let wide = u128::from(*limb) * u128::from(factor) + u128::from(carry);
        (*limb, carry) = (wide as u64, (wide >> 64) as u64);
    }
    let mut rest = carry % divisor;
    for limb in limbs.iter_mut().rev() {
        let wide = u128::from(rest) << 64 | u128::from(*limb);
        *limb = (wide / u128::from(divisor)) as u64;
        rest = (wide % u128::from(divisor)) as u64;
    }
}

/// Adds as many limbs in place; the sum must fit.
pub fn add(sum: &mut [u64], other: &[u64]) {
    let mut carry = false;
    for (limb, &more) in sum.iter_mut().zip(other) {
        let (first, over) = limb.overflowing_add(more);
        let (second, again) = first.overflowing_add(u64::from(carry));
        (*limb, carry) = (second, over || again);
    }
}

/// Takes as many limbs away in place; the difference must not be negative.
pub fn subtract(from: &mut [u64], other: &[u64]) {
    let mut borrow = false;
    for (limb, &less) in from.iter_mut().zip(other) {
        let (first, under) = limb.overflowing_sub(less);
        let (second, again) = first.overflowing_sub(u64::from(borrow));
        (*limb, borrow) = (second, under || again);
    }
}

fn plus(limbs: &[u64], more: u64) -> Vec<u64> {
    let mut sum = limbs.to_vec();
    let mut carry = more;
    for limb in &mut sum {
        let (next, over) = limb.overflowing_add(carry);
        (*limb, carry) = (next, u64::from(over));
    }
    sum.push(carry);
    sum
}

/// Every limb of a product.
pub fn product(a: &[u64], b: &[u64]) -> Vec<u64> {
    let mut product = vec![0u64; a.len() + b.len()];
    for (i, &x) in a.iter().enumerate() {
        let mut carry = 0u64;
        for (j, &y) in b.iter().enumerate() {
            let wide =
                u128::from(x) * u128::from(y) + u128::from(product[i + j]) + u128::from(carry);
            (product[i + j], carry) = (wide as u64, (wide >> 64) as u64);
        }
        product[i + b.len()] = carry;
    }
    product
}

fn compare(a: &[u64], b: &[u64]) -> Ordering {
    let limb = |limbs: &[u64], place: usize| limbs.get(place).copied().unwrap_or(0);
    let places = (0..a.len().max(b.len())).rev();
    places
        .map(|place| limb(a, place).cmp(&limb(b, place)))
        .find(|o| o.is_ne())
        .unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests;
