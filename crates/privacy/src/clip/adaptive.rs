//! A clip norm that follows a quantile of the updates' lengths.

use crate::error::Error;
use crate::parameter::{ClipNorm, NoiseMultiplier};

/// How a clip norm follows the updates, as a person says it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaptiveParams {
    /// The clip norm of the first round.
    pub first: ClipNorm,
    /// The share of updates that should need no clipping (`γ`).
    pub quantile: f64,
    /// How fast the norm moves (`η`).
    pub learning_rate: f64,
}

impl AdaptiveParams {
    /// The paper's settings: the median, at a learning rate of 0.2.
    #[must_use]
    pub fn new(first: ClipNorm) -> Self {
        Self { first, quantile: 0.5, learning_rate: 0.2 }
    }

    /// The clip norm before its first round.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a quantile outside 0 … 1 or a learning rate that is not above 0 and at most 10.
    pub fn check(self) -> Result<AdaptiveClip, Error> {
        if !(0.0..=1.0).contains(&self.quantile) {
            let must = "between 0 and 1";
            return Err(Error::Parameter { name: "quantile", value: self.quantile, must });
        }
        if !(self.learning_rate > 0.0 && self.learning_rate <= 10.0) {
            let (value, must) = (self.learning_rate, "above 0 and at most 10");
            return Err(Error::Parameter { name: "learning rate", value, must });
        }
        Ok(AdaptiveClip { params: self, now: self.first })
    }
}

/// A clip norm between two rounds.
///
/// # Reference
/// Andrew, Thakkar, McMahan, Ramaswamy, *Differentially Private Learning with Adaptive Clipping*, NeurIPS 2021,
/// Algorithm 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaptiveClip {
    params: AdaptiveParams,
    now: ClipNorm,
}

impl AdaptiveClip {
    /// The clip norm of the next round.
    #[must_use]
    pub fn clip_norm(&self) -> ClipNorm {
        self.now
    }

    /// Moves the norm after a round in which `fraction` of the updates needed no clipping.
    ///
    /// The fraction must already be noised; noise may bring it below 0 or above 1.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a fraction that is no number, or where the norm would leave the range of numbers; the
    /// norm stays.
    pub fn update(&mut self, fraction: f64) -> Result<(), Error> {
        let step = -self.params.learning_rate * (fraction - self.params.quantile);
        self.now = ClipNorm::new(self.now.get() * step.exp())?;
        Ok(())
    }

    /// The noise multiplier for the updates, so that they together with the noised count of unclipped ones cost what
    /// `noise` alone would (`z_Δ`).
    ///
    /// # Units
    /// `count_deviation` is the standard deviation of the noise on the count (`σ_b`), in clients; the paper takes a
    /// twentieth of the cohort.
    /// # Errors
    /// [`Error::Parameter`] when the count's noise is too small to leave anything for the updates.
    /// # Reference
    /// Andrew et al. 2021, Theorem 1.
    pub fn noise_beside_count(
        noise: NoiseMultiplier,
        count_deviation: f64,
    ) -> Result<NoiseMultiplier, Error> {
        let left = noise.get().powi(-2) - (2.0 * count_deviation).powi(-2);
        if !(count_deviation > 0.0 && left > 0.0) {
            let must = "more than half the noise multiplier";
            return Err(Error::Parameter {
                name: "deviation of the count",
                value: count_deviation,
                must,
            });
        }
        NoiseMultiplier::new(left.sqrt().recip())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip() -> AdaptiveClip {
        AdaptiveParams::new(ClipNorm::new(1.0).expect("a norm")).check().expect("settings")
    }

    #[test]
    fn the_norm_grows_when_all_are_clipped_and_shrinks_when_none_is() {
        let mut norm = clip();
        norm.update(0.0).expect("a fraction");
        assert!((norm.clip_norm().get() - 0.1f64.exp()).abs() < 1e-15);
        norm.update(1.0).expect("a fraction");
        assert!((norm.clip_norm().get() - 1.0).abs() < 1e-15);
        assert!(norm.update(f64::NAN).is_err());
        assert!((norm.clip_norm().get() - 1.0).abs() < 1e-15);
    }

    #[test]
    fn settings_that_mean_nothing_are_refused() {
        let first = ClipNorm::new(1.0).expect("a norm");
        assert!(AdaptiveParams { quantile: 1.5, ..AdaptiveParams::new(first) }.check().is_err());
        assert!(
            AdaptiveParams { learning_rate: 0.0, ..AdaptiveParams::new(first) }.check().is_err()
        );
    }

    #[test]
    fn both_releases_together_cost_what_was_meant() {
        let noise = NoiseMultiplier::new(1.0).expect("noise");
        let updates = AdaptiveClip::noise_beside_count(noise, 5.0).expect("noise").get();
        assert!((updates.powi(-2) + 10f64.powi(-2) - 1.0).abs() < 1e-12);
        assert!(AdaptiveClip::noise_beside_count(noise, 0.5).is_err());
        assert!(AdaptiveClip::noise_beside_count(noise, 0.0).is_err());
    }
}
