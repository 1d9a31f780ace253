//! Bounds one client's update, so that noise can hide it.

mod adaptive;

pub use adaptive::{AdaptiveClip, AdaptiveParams};

use crate::error::Error;
use crate::parameter::ClipNorm;

/// Whether an update was already short enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clipped {
    /// It was no longer than the clip norm and is as it was.
    Untouched,
    /// It was longer, and keeps its direction only.
    Shortened,
}

/// Shortens an update to the clip norm where it is longer, in place.
///
/// # Shapes
/// `update` is `[n_parameters]`.
/// # Errors
/// [`Error::NotFinite`] at the first entry that is no number or infinite; `update` is unchanged.
/// # Example
/// ```
/// use flowgait_privacy::ClipNorm;
/// use flowgait_privacy::clip::{Clipped, clip};
///
/// let mut update = [3.0, -4.0];
/// assert_eq!(clip(&mut update, ClipNorm::new(1.0)?)?, Clipped::Shortened);
/// assert!((update[0] - 0.6).abs() < 1e-6 && (update[1] + 0.8).abs() < 1e-6);
/// # Ok::<(), flowgait_privacy::Error>(())
/// ```
/// # Reference
/// McMahan et al., *Learning Differentially Private Recurrent Language Models*, ICLR 2018 (flat clipping).
pub fn clip(update: &mut [f32], clip_norm: ClipNorm) -> Result<Clipped, Error> {
    if let Some((at, &value)) = update.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        return Err(Error::NotFinite { at, value });
    }
    let length = norm(update);
    if length <= clip_norm.get() {
        return Ok(Clipped::Untouched);
    }
    let mut factor = clip_norm.get() / length;
    let long = update.to_vec();
    loop {
        for (short, long) in update.iter_mut().zip(&long) {
            *short = (f64::from(*long) * factor) as f32;
        }
        if norm(update) <= clip_norm.get() {
            return Ok(Clipped::Shortened);
        }
        // Rounding to 32 bits can lengthen a vector by a few parts in ten million.
        factor *= 1.0 - f64::from(f32::EPSILON);
    }
}

/// The length of a vector (L2). The squares of 32-bit numbers fit 64 bits, so nothing overflows.
#[must_use]
pub fn norm(vector: &[f32]) -> f64 {
    vector.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn to(norm: f64) -> ClipNorm {
        ClipNorm::new(norm).expect("a clip norm")
    }

    #[test]
    fn a_short_update_stays_as_it_is() {
        let mut update = [0.6, 0.0, -0.8];
        assert_eq!(clip(&mut update, to(1.001)), Ok(Clipped::Untouched));
        assert_eq!(update, [0.6, 0.0, -0.8]);
        assert_eq!(clip(&mut [], to(1.0)), Ok(Clipped::Untouched));
    }

    #[test]
    fn what_has_no_length_is_refused_and_left_alone() {
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut update = [9.0, wrong, 1.0];
            let refused = clip(&mut update, to(1.0));
            assert!(matches!(refused, Err(Error::NotFinite { at: 1, .. })));
            assert_eq!(update[0], 9.0);
        }
    }

    #[test]
    fn the_largest_and_the_smallest_numbers_are_clipped_too() {
        let mut large = [f32::MAX; 4];
        assert_eq!(clip(&mut large, to(1.0)), Ok(Clipped::Shortened));
        assert!((norm(&large) - 1.0).abs() < 1e-5);
        let mut small = [1.0; 4];
        assert_eq!(clip(&mut small, to(1e-300)), Ok(Clipped::Shortened));
        assert_eq!(small, [0.0; 4]);
    }

    proptest! {
        #[test]
        fn no_clipped_update_is_longer_than_its_norm(
            mut update in prop::collection::vec(-1e6f32..1e6, 0..40),
            norm_max in 1e-6f64..1e6,
        ) {
            let before = update.clone();
            let done = clip(&mut update, to(norm_max)).expect("finite numbers");
            prop_assert!(norm(&update) <= norm_max);
            prop_assert_eq!(done == Clipped::Untouched, update == before);
            prop_assert!(done == Clipped::Untouched || norm(&update) >= norm_max * (1.0 - 1e-5));
            prop_assert!(update.iter().zip(&before).all(|(after, before)| after * before >= 0.0));
        }
    }
}
