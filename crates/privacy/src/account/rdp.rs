//! Rényi differential privacy: one bound for each order, added up over rounds.

mod cohort;
mod poisson;

use std::marker::PhantomData;
use std::sync::LazyLock;

use crate::error::Error;
use crate::neighbours::{AddOrRemoveOne, Neighbours, ReplaceOne};
use crate::parameter::{Delta, NoiseMultiplier, SamplingRate};

/// The orders at which divergence is kept: tenths up to 10.9, then whole ones up to 63, then four powers of two.
static ORDERS: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let tenths = (1..100).map(|tenth| 1.0 + f64::from(tenth) / 10.0);
    let whole = (11..64).chain([128, 256, 512, 1024]).map(f64::from);
    tenths.chain(whole).collect()
});

/// The orders of every [`Rdp`] account, ascending.
#[must_use]
pub fn orders() -> &'static [f64] {
    &ORDERS
}

/// Rényi divergence spent so far under one neighbouring relation, at each of [`orders`].
///
/// # Example
/// ```
/// use flowgait_privacy::account::Rdp;
/// use flowgait_privacy::{Delta, NoiseMultiplier, SamplingRate};
///
/// let round = Rdp::poisson(SamplingRate::new(0.01)?, NoiseMultiplier::new(1.0)?);
/// let epsilon = round.times(1000).epsilon(Delta::new(1e-5)?);
/// assert_eq!(format!("{epsilon:.4}"), "2.1014");
/// # Ok::<(), flowgait_privacy::Error>(())
/// ```
/// # Reference
/// Mironov, *Rényi Differential Privacy*, CSF 2017.
#[derive(Debug, Clone, PartialEq)]
pub struct Rdp<N: Neighbours> {
    /// As many as there are orders; infinite where an order was dropped.
    divergences: Vec<f64>,
    neighbours: PhantomData<N>,
}

impl<N: Neighbours> Rdp<N> {
    /// An account from which nothing was spent.
    #[must_use]
    pub fn nothing() -> Self {
        Self::of(|_| 0.0)
    }

    /// One release of Gaussian noise over everyone's updates (`q` = 1).
    ///
    /// # Reference
    /// Mironov 2017, Proposition 7.
    #[must_use]
    pub fn gaussian(noise: NoiseMultiplier) -> Self {
        Self::of(|alpha| gaussian_at(alpha, noise.get()))
    }

    /// The divergence at each order.
    #[must_use]
    pub fn divergences(&self) -> &[f64] {
        &self.divergences
    }

    /// Adds another account to this one: both releases were made.
    pub fn compose(&mut self, other: &Self) {
        for (mine, theirs) in self.divergences.iter_mut().zip(&other.divergences) {
            *mine += theirs;
        }
    }

    /// The account of `rounds` such releases.
    #[must_use]
    pub fn times(&self, rounds: u64) -> Self {
        if rounds == 0 {
            return Self::nothing();
        }
        let divergences = self.divergences.iter().map(|each| each * rounds as f64).collect();
        Self { divergences, neighbours: PhantomData }
    }

    /// The smallest epsilon that the orders prove at `delta`; infinite when every order was dropped.
    ///
    /// # Reference
    /// Canonne, Kamath, Steinke, *The Discrete Gaussian for Differential Privacy*, 2020, Proposition 12.
    #[must_use]
    pub fn epsilon(&self, delta: Delta) -> f64 {
        let pairs = ORDERS.iter().zip(&self.divergences);
        pairs.map(|(&alpha, &r)| epsilon_at(alpha, r, delta)).fold(f64::INFINITY, f64::min)
    }

    /// The same numbers under another relation, where whoever calls has made sure that they hold there.
    pub(crate) fn under<M: Neighbours>(self) -> Rdp<M> {
        Rdp { divergences: self.divergences, neighbours: PhantomData }
    }

    pub(super) fn of(divergence: impl Fn(f64) -> f64) -> Self {
        let divergences = ORDERS.iter().map(|&alpha| divergence(alpha)).collect();
        Self { divergences, neighbours: PhantomData }
    }
}

impl Rdp<AddOrRemoveOne> {
    /// One round that each client joins by a coin of its own.
    ///
    /// # Reference
    /// Mironov, Talwar, Zhang, *Rényi Differential Privacy of the Sampled Gaussian Mechanism*, 2019, section 3.3.
    #[must_use]
    pub fn poisson(rate: SamplingRate, noise: NoiseMultiplier) -> Self {
        let (q, z) = (rate.get(), noise.get());
        if q == 1.0 {
            return Self::gaussian(noise);
        }
        Self::of(|alpha| poisson::divergence(alpha, q, z))
    }
}

impl Rdp<ReplaceOne> {
    /// One round with a cohort of fixed size, drawn from the population without putting back.
    ///
    /// Not capped by the account of the whole population: with half of all clients in each round the bound is looser
    /// than no claim of sampling at all. Then [`Rdp::gaussian`] is the better account, and valid too.
    ///
    /// # Errors
    /// [`Error::Cohort`] when the cohort is empty or larger than the population.
    /// # Reference
    /// Wang, Balle, Kasiviswanathan, *Subsampled Rényi Differential Privacy*, 2019 (arXiv:1808.00087), Theorem 27
    /// and Corollary 10.
    pub fn fixed_cohort(
        cohort: u32,
        population: u32,
        noise: NoiseMultiplier,
    ) -> Result<Self, Error> {
        if cohort == 0 || cohort > population {
            return Err(Error::Cohort { cohort, population });
        }
        if cohort == population {
            return Ok(Self::gaussian(noise));
        }
        let bound = cohort::Bound::new(f64::from(cohort) / f64::from(population), noise.get());
        Ok(Self::of(|alpha| bound.divergence(alpha)))
    }
}

fn gaussian_at(alpha: f64, z: f64) -> f64 {
    alpha / (2.0 * z * z)
}

fn epsilon_at(alpha: f64, r: f64, delta: Delta) -> f64 {
    let delta = delta.get();
    // Two distributions this close (Bretagnolle and Huber) differ by less than delta on every event.
    if delta * delta + (-r).exp_m1() > 0.0 {
        return 0.0;
    }
    let epsilon = r + (-1.0 / alpha).ln_1p() - (delta * alpha).ln() / (alpha - 1.0);
    epsilon.max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(z: f64) -> NoiseMultiplier {
        NoiseMultiplier::new(z).expect("a noise multiplier")
    }

    fn delta(delta: f64) -> Delta {
        Delta::new(delta).expect("a delta")
    }

    fn poisson(q: f64, z: f64, rounds: u64, at: f64) -> f64 {
        let rate = SamplingRate::new(q).expect("a rate");
        Rdp::poisson(rate, noise(z)).times(rounds).epsilon(delta(at))
    }

    #[track_caller]
    fn check(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
    }

    #[test]
    fn published_values_are_met() {
        check(poisson(1.0, 1.0, 1, 1e-5), 4.728507);
        check(poisson(0.01, 1.0, 1000, 1e-5), 2.101365);
        // By integration at order 3.8; programs that drop the signs of the series find 7.470482.
        check(poisson(0.1, 1.1, 100, 1e-6), 7.465083);
    }

    #[test]
    fn a_fixed_cohort_has_its_own_bound() {
        let round = Rdp::fixed_cohort(10, 1000, noise(1.0)).expect("a cohort");
        check(round.times(1000).epsilon(delta(1e-5)), 3.576111);
        assert!(Rdp::fixed_cohort(0, 10, noise(1.0)).is_err());
        assert!(Rdp::fixed_cohort(11, 10, noise(1.0)).is_err());
        let all = Rdp::fixed_cohort(10, 10, noise(1.0)).expect("everyone");
        assert_eq!(all, Rdp::gaussian(noise(1.0)));
    }

    #[test]
    fn nothing_costs_nothing() {
        assert_eq!(Rdp::<AddOrRemoveOne>::nothing().epsilon(delta(1e-9)), 0.0);
        assert_eq!(poisson(0.0, 1.0, 1000, 1e-9), 0.0);
        assert_eq!(poisson(0.5, 0.01, 0, 1e-9), 0.0);
    }

    #[test]
    fn composing_is_multiplying() {
        let round = Rdp::poisson(SamplingRate::new(0.3).expect("a rate"), noise(2.0));
        let mut three = Rdp::nothing();
        (0..3).for_each(|_| three.compose(&round));
        check(three.epsilon(delta(1e-6)), round.times(3).epsilon(delta(1e-6)));
    }
}
