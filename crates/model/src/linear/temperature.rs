//! How sharp probabilities may be: the one number that makes held-out training rows most likely.
//!
//! # Reference
//! C. Guo, G. Pleiss, Y. Sun, K. Weinberger, *On calibration of modern neural networks*, ICML 2017, section 4.2.

use flowgait_features::layout::Layout;
use flowgait_features::split::random_folds;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::{LinearParams, softmax};
use crate::calibrate::least;
use crate::training::{Probabilities, Training};

/// Folds of the training rows.
const FOLDS: usize = 3;
/// The sharpness of margins; 1 where there are too few rows to hold some out.
pub(super) fn sharpness(
    params: &LinearParams,
    training: &Training<'_>,
    layout: &Layout,
    seed: u64,
) -> f32 {
    let codes: Vec<u32> = training.rows.iter().map(|&row| training.codes[row as usize]).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let Ok(folds) = random_folds(codes.len(), Some(&codes), FOLDS, &mut rng) else { return 1.0 };
    let (mut truth, mut margins) = (Vec::new(), Vec::new());
    for fold in folds {
        let pick = |places: &[u32]| -> Vec<u32> {
            places.iter().map(|&place| training.rows[place as usize]).collect()
        };
        let (known, held_out) = (pick(&fold.train), pick(&fold.test));
        let machine = params.machine(&Training { rows: &known, ..*training }, layout.clone(), seed);
        let Ok(said) = machine.margins(training.columns, &held_out) else { return 1.0 };
        margins.extend(said.values);
        truth.extend(held_out.iter().map(|&row| training.codes[row as usize]));
    }
    let said = Probabilities { classes: training.classes, values: margins };
    most_likely(&said, &truth)
}

fn most_likely(margins: &Probabilities, truth: &[u32]) -> f32 {
    least(|exponent| log_loss(margins, truth, exponent.exp2())).exp2()
}

fn log_loss(margins: &Probabilities, truth: &[u32], sharpness: f32) -> f64 {
    let mut row = Vec::with_capacity(margins.classes);
    let mut sum = 0.0;
    for (place, &class) in truth.iter().enumerate() {
        row.clear();
        row.extend_from_slice(margins.row(place));
        softmax(&mut row, sharpness);
        sum -= f64::from(row[class as usize]).max(1e-12).ln();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sharpness_is_that_of_the_answers() {
        // Of four rows with a margin of 1 between two classes three are right: odds of 3 want a sharpness of ln 3.
        let margins = Probabilities { classes: 2, values: [1.0, 0.0].repeat(4) };
        let found = most_likely(&margins, &[0, 0, 0, 1]);
        assert!((found - 3.0_f32.ln()).abs() < 0.01, "{found}");
    }
}
