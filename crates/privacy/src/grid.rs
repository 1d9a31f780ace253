//! Vectors as whole numbers of steps, so that noise can be exact and sums cannot round.

use rand::CryptoRng;

use crate::budget::Permit;
use crate::error::Error;
use crate::neighbours::Neighbours;
use crate::parameter::ClipNorm;
use crate::sample::{DiscreteGaussian, Variance};

/// A grid on which vectors clipped to a norm are counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    clip_norm: ClipNorm,
    steps: u32,
}

impl Grid {
    /// A grid with `steps` steps for each clip norm; 2^16 lose less to the grid than 32-bit numbers that are averaged.
    ///
    /// # Errors
    /// [`Error::Parameter`] when there are none, or more than 2^20.
    pub fn new(clip_norm: ClipNorm, steps: u32) -> Result<Self, Error> {
        if steps == 0 || steps > 1 << 20 {
            let (value, must) = (f64::from(steps), "from 1 to 2^20");
            return Err(Error::Parameter { name: "number of grid steps", value, must });
        }
        Ok(Self { clip_norm, steps })
    }

    /// The clip norm that the grid is for.
    #[must_use]
    pub fn clip_norm(&self) -> ClipNorm {
        self.clip_norm
    }

    /// Steps for each clip norm.
    #[must_use]
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// A clipped update in whole steps. Entries are rounded towards zero: a vector on the grid is never longer than it
    /// was, and its length in steps never above the number of steps in a clip norm.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for an entry that is no number; [`Error::TooLong`] for an update that was not clipped.
    pub fn count(&self, update: &[f32]) -> Result<Vec<i64>, Error> {
        if let Some((at, &value)) = update.iter().enumerate().find(|(_, value)| !value.is_finite())
        {
            return Err(Error::NotFinite { at, value });
        }
        let scale = f64::from(self.steps) / self.clip_norm.get();
        // An update of exactly the clip norm may come out longer by rounding; a billionth less never does.
        let tries = [scale, scale * (1.0 - 1e-9)];
        let mut counted = tries.iter().map(|&scale| scaled(update, scale));
        let fitting = counted.find(|counted| self.is_within(counted));
        fitting.ok_or(Error::TooLong { clip_norm: self.clip_norm.get() })
    }

    /// Checked in integers, so that the sensitivity is a fact and no estimate. Saturated entries are far above it.
    fn is_within(&self, counted: &[i64]) -> bool {
        let squares = counted.iter().map(|&count| u128::from(count.unsigned_abs()).pow(2));
        squares.fold(0u128, u128::saturating_add) <= u128::from(self.steps).pow(2)
    }

    /// Adds exact Gaussian noise to a sum of counted updates, in place, as a permit says.
    ///
    /// # Shapes
    /// `sum` is `[n_parameters]`: one round's counted updates, already added.
    /// # Units
    /// The standard deviation is `noise multiplier * sensitivity`, in steps; see
    /// [`Neighbours::sensitivity`].
    /// # Errors
    /// [`Error::Parameter`] when the standard deviation is above 2^22 steps; `sum` is unchanged. The permit is used up
    /// all the same: an account may be too large, never too small.
    /// # Reference
    /// Canonne, Kamath, Steinke, *The Discrete Gaussian for Differential Privacy*, 2020, Theorem 14.
    pub fn add_noise<N: Neighbours, R: CryptoRng>(
        &self,
        sum: &mut [i64],
        permit: Permit<N>,
        rng: &mut R,
    ) -> Result<(), Error> {
        let sensitivity = f64::from(N::CLIP_NORMS) * f64::from(self.steps);
        let deviation = permit.noise().get() * sensitivity;
        let noise = DiscreteGaussian::new(Variance::at_least(deviation.next_up())?);
        for count in sum {
            *count = count.saturating_add(noise.sample(rng));
        }
        Ok(())
    }

    /// What counts of steps mean in the update's own unit.
    #[must_use]
    pub fn value(&self, counted: &[i64]) -> Vec<f64> {
        let step = self.clip_norm.get() / f64::from(self.steps);
        counted.iter().map(|&count| count as f64 * step).collect()
    }
}

fn scaled(update: &[f32], scale: f64) -> Vec<i64> {
    update.iter().map(|&value| (f64::from(value) * scale) as i64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::clip;
    use proptest::prelude::*;

    fn grid(norm: f64, steps: u32) -> Grid {
        Grid::new(ClipNorm::new(norm).expect("a norm"), steps).expect("a grid")
    }

    #[test]
    fn an_update_that_was_not_clipped_is_refused() {
        let grid = grid(1.0, 1000);
        assert_eq!(grid.count(&[0.5, -0.0004, 0.0]), Ok(vec![500, 0, 0]));
        assert_eq!(grid.count(&[1.0, 0.1]), Err(Error::TooLong { clip_norm: 1.0 }));
        assert_eq!(grid.count(&[f32::MAX; 9]), Err(Error::TooLong { clip_norm: 1.0 }));
        assert!(grid.count(&[f32::NAN]).is_err());
        assert!(Grid::new(ClipNorm::new(1.0).expect("a norm"), 0).is_err());
    }

    proptest! {
        #[test]
        fn whatever_was_clipped_fits_the_grid_and_comes_back_within_a_step(
            mut update in prop::collection::vec(-1e3f32..1e3, 1..30),
            norm in 1e-3f64..1e3,
            steps in 1u32..1 << 20,
        ) {
            let norm_max = ClipNorm::new(norm).expect("a norm");
            clip(&mut update, norm_max).expect("finite numbers");
            let grid = Grid::new(norm_max, steps).expect("a grid");
            let back = grid.value(&grid.count(&update).expect("a clipped update"));
            let step = norm / f64::from(steps);
            for (back, &value) in back.iter().zip(&update) {
                prop_assert!((back - f64::from(value)).abs() <= step * 1.000_001);
            }
        }
    }
}
