//! How sharp probabilities may be: the one number that makes held-out training rows most likely.
//!
//! # Reference
//! C. Guo, G. Pleiss, Y. Sun, K. Weinberger, *On calibration of modern neural networks*, ICML 2017, section 4.2.

use flowgait_features::layout::Layout;
use flowgait_features::split::random_folds;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::{LinearParams, softmax};
use crate::training::{Probabilities, Training};

/// Folds of the training rows.
const FOLDS: usize = 3;
/// What is tried, as powers of two; between the best two neighbours it is refined.
const POWERS: std::ops::RangeInclusive<i32> = -2..=7;
/// Steps of the refinement, each of which leaves 0.62 of the interval.
const STEPS: usize = 16;

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
    best(|sharpness| log_loss(&said, &truth, sharpness))
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

/// The sharpness with the least loss: a grid, then golden sections of its logarithm.
fn best(loss: impl Fn(f32) -> f64) -> f32 {
    let at = |power: f32| loss(power.exp2());
    let coarse = POWERS.min_by(|&a, &b| at(a as f32).total_cmp(&at(b as f32)));
    let coarse = coarse.expect("some powers are tried") as f32;
    let golden = (5.0_f32.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (coarse - 1.0, coarse + 1.0);
    for _ in 0..STEPS {
        let (a, b) = (high - golden * (high - low), low + golden * (high - low));
        if at(a) < at(b) { high = b } else { low = a }
    }
    ((low + high) / 2.0).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sharpness_is_that_of_the_answers() {
        // Of four rows with a margin of 1 between two classes three are right: odds of 3 want a sharpness of ln 3.
        let margins = Probabilities { classes: 2, values: [1.0, 0.0].repeat(4) };
        let found = best(|sharpness| log_loss(&margins, &[0, 0, 0, 1], sharpness));
        assert!((found - 3.0_f32.ln()).abs() < 0.01, "{found}");
    }
}
