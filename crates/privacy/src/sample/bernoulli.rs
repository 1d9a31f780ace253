//! Coins whose chance is a fraction, or the exponential of one.

use rand::CryptoRng;

/// A number from 0 to `bound − 1`, each as likely as any other.
///
/// # Panics
/// When `bound` is 0: there is no such number.
pub fn below<R: CryptoRng>(bound: u128, rng: &mut R) -> u128 {
    assert!(bound > 0, "no number is below 0");
    let bits = u128::BITS - (bound - 1).leading_zeros();
    loop {
        let drawn = random_bits(bits, rng);
        // Less than half is thrown away; folding it back would favour small numbers.
        if drawn < bound {
            return drawn;
        }
    }
}

/// A coin that shows true with chance `e^(−numerator/denominator)`.
///
/// # Panics
/// When `denominator` is 0.
/// # Reference
/// Canonne, Kamath, Steinke 2020, Algorithm 1.
pub fn bernoulli_exp<R: CryptoRng>(numerator: u128, denominator: u128, rng: &mut R) -> bool {
    assert!(denominator > 0, "a fraction has a denominator");
    // e^−(n + f) is n coins of e^−1 and one of e^−f that all show true.
    for _ in 0..numerator / denominator {
        if !bernoulli_exp_up_to_one(1, 1, rng) {
            return false;
        }
    }
    bernoulli_exp_up_to_one(numerator % denominator, denominator, rng)
}

/// The same for a fraction of at most 1: count coins of chance `fraction / k` until one shows false. The count is odd
/// as often as the series of the exponential says.
fn bernoulli_exp_up_to_one<R: CryptoRng>(numerator: u128, denominator: u128, rng: &mut R) -> bool {
    let mut k: u128 = 1;
    while below(scaled(denominator, k), rng) < numerator {
        k += 1;
    }
    k % 2 == 1
}

fn scaled(denominator: u128, k: u128) -> u128 {
    // k passes 34 with a chance below 2^-128, and parameters are limited to 2^114.
    denominator.checked_mul(k).expect("samplers limit their fractions so that this fits")
}

fn random_bits<R: CryptoRng>(bits: u32, rng: &mut R) -> u128 {
    if bits == 0 {
        return 0;
    }
    if bits <= 64 {
        return u128::from(rng.next_u64() >> (64 - bits));
    }
    let high = u128::from(rng.next_u64() >> (128 - bits));
    high << 64 | u128::from(rng.next_u64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::fit::{generator, share};

    #[test]
    fn numbers_below_a_bound_are_alike() {
        let rng = &mut generator(1);
        let mut counts = [0u32; 6];
        for _ in 0..60_000 {
            counts[below(6, rng) as usize] += 1;
        }
        // 4.5 standard deviations.
        assert!(counts.iter().all(|&count| (f64::from(count) - 10_000.0).abs() < 411.0));
        assert_eq!(below(1, rng), 0);
        let bound = (1 << 100) + 1;
        assert!((0..1000).all(|_| below(bound, rng) < bound));
        assert!((0..1000).any(|_| below(bound, rng) > bound / 2));
        assert!((0..1000).any(|_| below(u128::MAX, rng) > u128::MAX / 2));
    }

    #[test]
    fn coins_show_true_as_often_as_the_exponential_says() {
        for (seed, (numerator, denominator)) in
            [(0, 1), (1, 3), (1, 1), (5, 2), (1, 1000), (7, 1)].into_iter().enumerate()
        {
            let rng = &mut generator(seed as u64);
            let found = share(40_000, || bernoulli_exp(numerator, denominator, rng));
            let expected = (-(numerator as f64) / denominator as f64).exp();
            let deviation = (expected * (1.0 - expected) / 40_000.0).sqrt();
            assert!((found - expected).abs() <= 4.5 * deviation, "{found} {expected}");
        }
    }
}
