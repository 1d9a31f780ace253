//! Noise in shares: what a sum costs to which each client added noise of its own.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::account::{Rdp, Zcdp};
use crate::distributed::Noise;
use crate::error::Error;
use crate::neighbours::{Neighbours, SizeIsPublic};
use crate::parameter::{NoiseMultiplier, Survivors};

/// Rounding errors of the formulas below are far smaller; every cost is raised by so much of it.
const RAISE: f64 = 1.0 + 1e-12;
/// The most entries of a vector.
const ENTRIES_MAX: u64 = 1 << 26;
/// The longest vector that a grid can count, squared and rounded.
const SQUARES_MAX: u64 = 1 << 42;

/// One sum of whole vectors to which each surviving client added its noise.
///
/// # Reference
/// Kairouz, Liu, Steinke, *The Distributed Discrete Gaussian Mechanism for Federated Learning with Secure Aggregation*,
/// ICML 2021. Numbers of theorems are those of arXiv 2102.06387; its Theorem 1 is Theorem 5 in the proceedings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Shares {
    noise: Noise,
    survivors: Survivors,
    n_padded: u64,
    squares_max: u64,
}

/// Shares as they stand in a file, before they are checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    noise: Noise,
    survivors: Survivors,
    n_padded: u64,
    squares_max: u64,
}

impl TryFrom<Unchecked> for Shares {
    type Error = Error;

    fn try_from(read: Unchecked) -> Result<Self, Error> {
        Self::new(read.noise, read.survivors, read.n_padded, read.squares_max)
    }
}

impl Shares {
    /// The sum of vectors of `n_padded` whole numbers of steps, none of which has a sum of squares above `squares_max`.
    ///
    /// # Errors
    /// [`Error::Parameter`] when a discrete Gaussian is narrower than the paper's theorems allow, when there are no
    /// entries or too many, or when vectors are longer than any grid's.
    pub fn new(
        noise: Noise,
        survivors: Survivors,
        n_padded: u64,
        squares_max: u64,
    ) -> Result<Self, Error> {
        let limits = [
            ("number of entries", n_padded, ENTRIES_MAX, "from 1 to 2^26"),
            ("squared length", squares_max, SQUARES_MAX, "from 1 to 2^42"),
        ];
        for (name, value, most, must) in limits {
            if value == 0 || value > most {
                return Err(Error::Parameter { name, value: value as f64, must });
            }
        }
        Ok(Self { noise: noise.check()?, survivors, n_padded, squares_max })
    }

    /// Whose noise is in the sum.
    #[must_use]
    pub fn survivors(&self) -> Survivors {
        self.survivors
    }

    /// What each of them added.
    #[must_use]
    pub fn noise(&self) -> Noise {
        self.noise
    }

    /// The standard deviation of all shares together over the sensitivity. What it costs is a little more than Gaussian
    /// noise of this multiplier would.
    ///
    /// # Errors
    /// [`Error::Parameter`] when it is below what a [`NoiseMultiplier`] may be.
    pub fn noise_multiplier<N: Neighbours>(&self) -> Result<NoiseMultiplier, Error> {
        NoiseMultiplier::new(1.0 / (self.ratio::<N>() * RAISE))
    }

    /// What it costs as Rényi divergence.
    ///
    /// # Reference
    /// Discrete Gaussian: Kairouz, Liu, Steinke 2021, Proposition 14. Skellam: Agarwal, Kairouz, Liu, *The Skellam
    /// Mechanism for Differentially Private Federated Learning*, NeurIPS 2021 (arXiv:2110.04995), the bound for many
    /// dimensions at whole orders; between them a chord (Wang, Balle, Kasiviswanathan 2019, Corollary 10).
    #[must_use]
    pub fn rdp<N: SizeIsPublic>(&self) -> Rdp<N> {
        if let Noise::Skellam(_) = self.noise {
            return Rdp::of(|alpha| RAISE * self.skellam::<N>(alpha));
        }
        let terms = self.gaussian_terms::<N>();
        Rdp::of(|alpha| RAISE * (alpha * terms.per_order).min(alpha * terms.with_flat + terms.flat))
    }

    /// What it costs as zCDP; Skellam noise has no such bound.
    ///
    /// # Errors
    /// [`Error::NotCovered`] for Skellam noise.
    /// # Reference
    /// Kairouz, Liu, Steinke 2021, Theorem 1: their `½ε²` is rho, with the L1 term of Proposition 14.
    pub fn zcdp<N: SizeIsPublic>(&self) -> Result<Zcdp<N>, Error> {
        if let Noise::Skellam(_) = self.noise {
            return Err(Error::NotCovered { what: "Skellam noise", by: "zCDP" });
        }
        let terms = self.gaussian_terms::<N>();
        Ok(Zcdp::of(RAISE * terms.per_order.min(terms.with_flat + terms.flat)))
    }

    /// The furthest that the sum moves between neighbours (L2, in steps).
    fn sensitivity<N: Neighbours>(&self) -> f64 {
        f64::from(N::CLIP_NORMS) * (self.squares_max as f64).sqrt()
    }

    /// The same over the standard deviation of the whole noise.
    fn ratio<N: Neighbours>(&self) -> f64 {
        self.sensitivity::<N>() / self.deviation()
    }

    fn deviation(&self) -> f64 {
        (f64::from(self.survivors.get()) * self.noise.variance().get()).sqrt()
    }

    /// The furthest in L1: of whole numbers each is at most its square, and of `d` numbers it is at most `√d` of L2.
    fn sensitivity_l1<N: SizeIsPublic>(&self) -> f64 {
        let l2 = self.sensitivity::<N>();
        l2 * l2.min((self.n_padded as f64).sqrt())
    }

    /// `(alpha − 1)` times the divergence is convex in alpha and 0 at 1, so between whole orders a chord lies above it.
    fn skellam<N: SizeIsPublic>(&self, alpha: f64) -> f64 {
        let low = alpha.floor();
        let weighted = |order: f64| (order - 1.0) * self.skellam_at::<N>(order);
        let t = alpha - low;
        ((1.0 - t) * weighted(low) + t * weighted(low + 1.0)) / (alpha - 1.0)
    }

    /// The Skellam paper's bound at a whole order.
    fn skellam_at<N: SizeIsPublic>(&self, alpha: f64) -> f64 {
        let mu = self.deviation().powi(2);
        let (l1, l2) = (self.sensitivity_l1::<N>(), self.sensitivity::<N>());
        let wide = ((2.0 * alpha - 1.0) * l2 * l2 + 6.0 * l1) / (4.0 * mu * mu);
        alpha * l2 * l2 / (2.0 * mu) + wide.min(3.0 * l1 / (2.0 * mu))
    }

    fn gaussian_terms<N: SizeIsPublic>(&self) -> GaussianTerms {
        let tau = tau(self.noise.variance().get(), self.survivors);
        let (l2, d) = (self.ratio::<N>(), self.n_padded as f64);
        let l1 = self.sensitivity_l1::<N>() / self.deviation();
        let by_l1 = l2 * l2 + 2.0 * l1 * tau + tau * tau * d;
        let by_l2 = (l2 + tau * d.sqrt()).powi(2);
        GaussianTerms { per_order: by_l1.min(by_l2) / 2.0, with_flat: l2 * l2 / 2.0, flat: tau * d }
    }
}

/// Proposition 14: the divergence at `alpha` is at most `alpha per_order`, and at most `alpha with_flat + flat`.
struct GaussianTerms {
    per_order: f64,
    with_flat: f64,
    flat: f64,
}

/// How far a sum of discrete Gaussians differs from one discrete Gaussian: `τ = 10 Σ e^(−2π²σ² k/(k+1))`, over `k` from
/// 1 to the number of survivors less one.
///
/// # Units
/// `variance` is each share's `σ²`, in steps squared.
/// # Reference
/// Kairouz, Liu, Steinke 2021, Theorem 1.
#[must_use]
pub fn tau(variance: f64, survivors: Survivors) -> f64 {
    let exponent = -2.0 * PI * PI * variance;
    let term = |k: u32| (exponent * f64::from(k) / (f64::from(k) + 1.0)).exp();
    10.0 * (1..survivors.get()).map(term).sum::<f64>()
}

#[cfg(test)]
mod tests;
