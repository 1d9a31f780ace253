//! Tables of bounds against the same sums with more digits, and what words near a bound mean.

use super::*;
use crate::sample::fit::generator;
use crate::sample::gaussian::weights::Rational;
use crate::sample::poisson::Mean;
use proptest::prelude::*;

fn mean(numerator: u64, denominator: u64) -> Mean {
    Mean::new(numerator, denominator).expect("a mean")
}

fn wide(limbs: &[u64]) -> u128 {
    limbs.iter().rev().fold(0, |wide, &limb| wide << 64 | u128::from(limb))
}

/// Words from the most significant on, that stand right at a bound of the table and around it.
fn near_bounds(table: &Table) -> impl Iterator<Item = u64> {
    let around = |&bound: &u64| {
        (0..2 * DOUBT).map(move |off| (bound - DOUBT.min(bound)).saturating_add(off))
    };
    table.bounds.iter().flat_map(around).chain([0, 1, u64::MAX])
}

#[test]
fn the_table_says_what_all_digits_say() {
    for weights in [mean(1, 3), mean(1, 1), mean(7, 2), mean(4000, 3)] {
        check_table(&weights);
    }
    for weights in [variance(1, 4), variance(9, 2), variance(4000, 1)] {
        check_table(&weights);
    }
}

#[test]
fn sums_are_too_low_by_less_than_their_error() {
    for weights in [mean(1, 5), mean(7, 2), mean(3000, 7)] {
        check_error(&weights);
    }
    for weights in [
        variance(1, 4),
        variance(7, 3),
        variance(2000, 1),
        variance(1 << 20, 1),
        variance(1 << 56, 1 << 40),
    ] {
        check_error(&weights);
    }
}

fn variance(numerator: u64, denominator: u64) -> Rational {
    Rational { numerator, denominator }
}

/// Against the same sums with five limbs more, in units of the fewer limbs.
fn check_error(weights: &impl Weights) {
    let (few, many) = (weights.cumulative(4), weights.cumulative(9));
    assert!(few.error < 1 << 62 && many.error < 1 << 62);
    for place in 0..few.len() {
        let number = few.first + place as u64;
        let row = many.row((number - many.first) as usize);
        let (low, high) = (&row[5..], plus(&plus(row, many.error)[5..], 1));
        assert!(compare(few.row(place), &high).is_le());
        assert!(compare(&plus(few.row(place), few.error), low).is_ge());
    }
}

fn check_table(weights: &impl Weights) {
    let (table, rng) = (Table::new(weights), &mut generator(3));
    let digits = weights.cumulative(TABLE_LIMBS + 1);
    let (mut told, mut left) = (0, 0);
    let words = (0..3000).map(|_| rng.next_u64()).collect::<Vec<_>>();
    for word in words.into_iter().chain(near_bounds(&table)) {
        let Some(number) = table.look_up(word) else {
            left += 1;
            continue;
        };
        told += 1;
        // Whatever bits follow.
        assert_eq!(digits.look_up(&[word, 0]), Some(number));
        assert_eq!(digits.look_up(&[word, u64::MAX]), Some(number));
    }
    assert!(told >= 3000, "{told}");
    // The table never guesses: at every bound there are words that it leaves open.
    assert!(left >= table.bounds.len(), "{left}");
}

#[test]
fn what_the_table_leaves_open_is_settled_by_more_bits() {
    let weights = mean(7, 2);
    let (table, rng) = (Table::new(&weights), &mut generator(4));
    let digits = weights.cumulative(TABLE_LIMBS + 4);
    let (mut open, mut torn) = (0, 0);
    for word in near_bounds(&table).filter(|&word| table.look_up(word).is_none()) {
        // With nothing but zeros behind it, and with nothing but ones.
        let least = digits.look_up(&[word, 0, 1]).unwrap_or(0);
        let most = digits.look_up(&[word, u64::MAX, u64::MAX - 1]).unwrap_or(u64::MAX);
        let settled = settle(&weights, vec![word], rng);
        assert!((least..=most).contains(&settled), "{least} {settled} {most}");
        open += 1;
        torn += u32::from(least < most);
    }
    // At each bound in the middle there is one word to which two numbers belong.
    assert!(open > torn && torn >= 20, "{open} {torn}");
}

#[test]
fn more_digits_never_contradict_fewer() {
    for weights in [mean(1, 5), mean(100, 7)] {
        let rng = &mut generator(5);
        let few = weights.cumulative(2);
        let many = weights.cumulative(9);
        let mut settled = 0;
        for _ in 0..500 {
            let words = [rng.next_u64(), rng.next_u64(), rng.next_u64()];
            let last = many.look_up(&words).expect("192 bits settle it");
            let first = few.look_up(&words[..1]);
            assert!(first.is_none_or(|first| first == last));
            settled += u32::from(first.is_some());
        }
        assert!(settled > 490, "{settled}");
    }
}

proptest! {
    #[test]
    fn arithmetic_is_that_of_wide_numbers(
        a in 0u64.., b in 0u64.., c in 0u64.., divisor in 1u64.., more in 0u64..
    ) {
        let factor = b.min(divisor);
        let mut scaled = [a, 0];
        scale(&mut scaled, factor, divisor);
        prop_assert_eq!(wide(&scaled), u128::from(a) * u128::from(factor) / u128::from(divisor));
        prop_assert_eq!(wide(&product(&[a], &[c])), u128::from(a) * u128::from(c));
        let two = product(&[a, b], &[c]);
        prop_assert_eq!(wide(&two[..2]), wide(&[a, b]).wrapping_mul(u128::from(c)));
        let mut sum = [a, b >> 1];
        add(&mut sum, &[c, more >> 1]);
        prop_assert_eq!(wide(&sum), wide(&[a, b >> 1]) + wide(&[c, more >> 1]));
        subtract(&mut sum, &[c, more >> 1]);
        prop_assert_eq!(wide(&sum), wide(&[a, b >> 1]));
        prop_assert_eq!(wide(&plus(&[a], more)), u128::from(a) + u128::from(more));
        prop_assert_eq!(compare(&[a, b], &[c]), wide(&[a, b]).cmp(&u128::from(c)));
        prop_assert_eq!(window(&[a, b, c], 64), wide(&[b, c]));
        prop_assert_eq!(window(&[a, b, c], 17) as u64, (wide(&[a, b]) >> 17) as u64);
        prop_assert_eq!(leading_zeros(&[a, b, 0]), 64 + wide(&[a, b]).leading_zeros() as usize);
    }
}
