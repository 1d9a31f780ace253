//! Zero-concentrated differential privacy: one number, rho, that adds up.

use std::marker::PhantomData;

use crate::neighbours::Neighbours;
use crate::parameter::{Delta, NoiseMultiplier};

/// Rho spent so far under one neighbouring relation.
///
/// # Reference
/// Bun, Steinke, *Concentrated Differential Privacy*, 2016. The discrete Gaussian costs what the continuous one does:
/// Canonne, Kamath, Steinke, *The Discrete Gaussian for Differential Privacy*, 2020, Theorem 4.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Zcdp<N: Neighbours> {
    rho: f64,
    neighbours: PhantomData<N>,
}

impl<N: Neighbours> Zcdp<N> {
    /// An account from which nothing was spent.
    #[must_use]
    pub fn nothing() -> Self {
        Self { rho: 0.0, neighbours: PhantomData }
    }

    /// One release of (discrete) Gaussian noise over everyone's updates: `rho = 1/(2 z²)`.
    #[must_use]
    pub fn gaussian(noise: NoiseMultiplier) -> Self {
        let z = noise.get();
        Self { rho: 1.0 / (2.0 * z * z), neighbours: PhantomData }
    }

    /// The same number under another relation, where whoever calls has made sure that it holds there.
    pub(crate) fn under<M: Neighbours>(self) -> Zcdp<M> {
        Zcdp::of(self.rho)
    }

    pub(super) fn of(rho: f64) -> Self {
        Self { rho, neighbours: PhantomData }
    }

    /// What was spent.
    #[must_use]
    pub fn rho(&self) -> f64 {
        self.rho
    }

    /// Adds another account to this one: both releases were made.
    pub fn compose(&mut self, other: &Self) {
        self.rho += other.rho;
    }

    /// The account of `rounds` such releases.
    #[must_use]
    pub fn times(&self, rounds: u64) -> Self {
        Self { rho: self.rho * rounds as f64, neighbours: PhantomData }
    }

    /// Epsilon at `delta` by the textbook formula `rho + 2 √(rho ln(1/delta))`, which a person can check.
    ///
    /// # Reference
    /// Bun, Steinke 2016, Proposition 1.3.
    #[must_use]
    pub fn epsilon_by_hand(&self, delta: Delta) -> f64 {
        self.rho + 2.0 * (self.rho * -delta.get().ln()).sqrt()
    }

    /// The smallest epsilon at `delta` over all orders.
    ///
    /// # Reference
    /// Canonne, Kamath, Steinke 2020, Proposition 12.
    #[must_use]
    pub fn epsilon(&self, delta: Delta) -> f64 {
        if self.rho == 0.0 {
            return 0.0;
        }
        // With alpha = 1 + e^t. Any alpha proves its epsilon, so a search that stops early is still valid.
        let epsilon = |t: f64| epsilon_at(1.0 + t.exp(), self.rho, delta.get());
        let grid = (-160..=500).map(|step| f64::from(step) / 20.0);
        let best = grid.fold(0.0, |best, t| if epsilon(t) < epsilon(best) { t } else { best });
        epsilon(lowest(epsilon, best - 0.05, best + 0.05)).max(0.0)
    }
}

fn epsilon_at(alpha: f64, rho: f64, delta: f64) -> f64 {
    alpha * rho + (-1.0 / alpha).ln_1p() - (delta * alpha).ln() / (alpha - 1.0)
}

/// Where a function with one valley is lowest, by thirds.
fn lowest(f: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    while high - low > 1e-9 {
        let third = (high - low) / 3.0;
        if f(low + third) < f(high - third) {
            high -= third;
        } else {
            low += third;
        }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbours::AddOrRemoveOne;

    #[test]
    fn rho_adds_up() {
        let noise = NoiseMultiplier::new(2.0).expect("a noise multiplier");
        let round = Zcdp::<AddOrRemoveOne>::gaussian(noise);
        let mut all = Zcdp::nothing();
        (0..8).for_each(|_| all.compose(&round));
        assert_eq!((all.rho(), round.times(8).rho()), (1.0, 1.0));
        let delta = Delta::new(1e-5).expect("a delta");
        assert!((all.epsilon_by_hand(delta) - 7.786_140_424_415_112).abs() < 1e-12);
        assert!((all.epsilon(delta) - 7.077_196_695_806).abs() < 1e-9);
        assert_eq!(Zcdp::<AddOrRemoveOne>::nothing().epsilon(delta), 0.0);
    }
}
