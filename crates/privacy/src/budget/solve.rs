//! How much noise, or how many rounds, a budget asks for: bisection over any account.
//!
//! The account is a function, so the same search serves [`Rdp`](crate::account::Rdp),
//! [`Zcdp`](crate::account::Zcdp) and [`pld`](crate::account::pld). The third question, what epsilon a plan
//! costs, is that function itself.

use crate::error::Error;
use crate::parameter::{Epsilon, NoiseMultiplier};

/// The most rounds that are looked at.
pub const ROUNDS_MAX: u64 = 1 << 32;
/// The largest noise multiplier that is looked at.
pub const NOISE_MAX: f64 = 1e4;
const NOISE_MIN: f64 = 0.01;
/// How near the noise found is to the least, relative to it.
const NEAR: f64 = 1e-6;

/// The least noise multiplier, to about a millionth and never too small, that keeps `epsilon_of` within a budget.
///
/// # Errors
/// [`Error::Unsolvable`] when even [`NOISE_MAX`] is too little.
/// # Example
/// ```
/// use flowgait_privacy::account::Rdp;
/// use flowgait_privacy::budget::solve;
/// use flowgait_privacy::{Delta, Epsilon, SamplingRate};
///
/// let (rate, delta) = (SamplingRate::new(0.01)?, Delta::new(1e-5)?);
/// let noise = solve::noise(Epsilon::new(2.1014)?, |z| {
///     Rdp::poisson(rate, z).times(1000).epsilon(delta)
/// })?;
/// assert!((noise.get() - 1.0).abs() < 1e-4);
/// # Ok::<(), flowgait_privacy::Error>(())
/// ```
pub fn noise(
    budget: Epsilon,
    epsilon_of: impl Fn(NoiseMultiplier) -> f64,
) -> Result<NoiseMultiplier, Error> {
    let keeps = |z: f64| Ok::<_, Error>(epsilon_of(NoiseMultiplier::new(z)?) <= budget.get());
    if !keeps(NOISE_MAX)? {
        let (low, high, epsilon) = (NOISE_MIN, NOISE_MAX, budget.get());
        return Err(Error::Unsolvable { name: "noise multiplier", low, high, epsilon });
    }
    if keeps(NOISE_MIN)? {
        return NoiseMultiplier::new(NOISE_MIN);
    }
    let (mut low, mut high) = (NOISE_MIN, NOISE_MAX);
    while high > low * (1.0 + NEAR) {
        let middle = (low * high).sqrt();
        if keeps(middle)? {
            high = middle;
        } else {
            low = middle;
        }
    }
    NoiseMultiplier::new(high)
}

/// The most rounds, up to [`ROUNDS_MAX`], whose `epsilon_of` is within a budget.
#[must_use]
pub fn rounds(budget: Epsilon, epsilon_of: impl Fn(u64) -> f64) -> u64 {
    let keeps = |rounds| epsilon_of(rounds) <= budget.get();
    // Doubling first: a plan of few rounds is not asked about millions.
    let mut high = 1;
    while keeps(high) {
        if high >= ROUNDS_MAX {
            return ROUNDS_MAX;
        }
        high *= 2;
    }
    let mut low = high / 2;
    while high - low > 1 {
        let middle = u64::midpoint(low, high);
        if keeps(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{Rdp, Zcdp};
    use crate::neighbours::{AddOrRemoveOne, ReplaceOne};
    use crate::parameter::Delta;

    fn within(epsilon: f64) -> Epsilon {
        Epsilon::new(epsilon).expect("an epsilon")
    }

    fn delta() -> Delta {
        Delta::new(1e-5).expect("a delta")
    }

    #[test]
    fn one_round_more_would_overspend() {
        let round = Rdp::<AddOrRemoveOne>::gaussian(NoiseMultiplier::new(8.0).expect("noise"));
        let epsilon_of = |rounds| round.times(rounds).epsilon(delta());
        for limit in [0.1, 1.0, 5.0, 50.0] {
            let rounds = rounds(within(limit), epsilon_of);
            assert!(epsilon_of(rounds) <= limit && epsilon_of(rounds + 1) > limit, "{rounds}");
        }
        assert_eq!(rounds(within(0.0), epsilon_of), 0);
        assert_eq!(rounds(within(1.0), |_| 0.0), ROUNDS_MAX);
    }

    #[test]
    fn a_little_less_noise_would_overspend() {
        let of = |z| Zcdp::<ReplaceOne>::gaussian(z).times(100).epsilon(delta());
        for limit in [0.3, 1.0, 10.0] {
            let found = noise(within(limit), of).expect("a noise multiplier");
            let less = NoiseMultiplier::new(found.get() * (1.0 - 2.0 * NEAR)).expect("noise");
            assert!(of(found) <= limit && of(less) > limit);
        }
    }

    #[test]
    fn the_limits_of_the_search_are_told() {
        let refused = noise(within(0.0), |_| 1.0).expect_err("nothing keeps that");
        let told = "no noise multiplier between 0.01 and 10000 keeps epsilon within 0";
        assert_eq!(refused.to_string(), told);
        assert_eq!(noise(within(1.0), |_| 0.5).expect("any noise").get(), NOISE_MIN);
    }
}
