//! When to answer "unknown": where an answer is more doubtful than all but a stated share of answers to rows of known classes.
//!
//! Doubt is the entropy of the probabilities. Against leaving out each class in turn it found more strangers than one less the greatest
//! probability, the lead over the next class, distances to training rows, and Mahalanobis' distance, on nearly every table tried
//! (`docs/BENCHMARKS.md`, *Unknown traffic*), and needs nothing of the training rows.

use crate::error::Error;
use crate::training::Probabilities;

/// Quantiles that are kept.
const QUANTILES: usize = 1_000;

/// How doubtful answers to rows were that had not been learnt from, but whose classes had.
#[derive(Clone, Debug, PartialEq)]
pub struct Doubt {
    /// Entropies in nats, ascending: of few rows all of them, of many the quantiles, rounded up.
    known: Vec<f32>,
}

impl Doubt {
    /// From the probabilities of rows that were not learnt from.
    ///
    /// # Errors
    /// [`Error::NoRows`] without rows.
    pub fn of(said: &Probabilities) -> Result<Self, Error> {
        if said.rows() == 0 {
            return Err(Error::NoRows { what: "what is usual to doubt" });
        }
        let mut known: Vec<f32> = (0..said.rows()).map(|row| entropy(said.row(row))).collect();
        known.sort_unstable_by(f32::total_cmp);
        if known.len() > QUANTILES {
            let rank = |place: usize| ((place + 1) * known.len()).div_ceil(QUANTILES) - 1;
            known = (0..QUANTILES).map(|place| known[rank(place)]).collect();
        }
        Ok(Self { known })
    }

    /// Entropies that were kept; none where they do not ascend from 0.
    #[must_use]
    pub fn new(known: Vec<f32>) -> Option<Self> {
        let right = !known.is_empty()
            && known.iter().all(|entropy| entropy.is_finite() && *entropy >= 0.0)
            && known.is_sorted();
        right.then_some(Self { known })
    }

    /// The entropies, ascending.
    #[must_use]
    pub fn known(&self) -> &[f32] {
        &self.known
    }

    /// The entropy above which an answer is called unknown, so that no more than this share of rows like those learnt from is.
    #[must_use]
    pub fn most(&self, false_alarms: f64) -> f32 {
        let count = self.known.len();
        let rank = ((count + 1) as f64 * (1.0 - false_alarms)).ceil() as usize;
        if rank > count { f32::INFINITY } else { self.known[rank.max(1) - 1] }
    }
}

/// The entropy of probabilities, in nats: 0 where one class has it all, ln(classes) where all are alike.
#[must_use]
pub fn entropy(probabilities: &[f32]) -> f32 {
    let terms = probabilities.iter().map(|&p| f64::from(p)).filter(|p| *p > 0.0);
    (-terms.map(|p| p * p.ln()).sum::<f64>()).max(0.0) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn entropy_is_that_of_the_textbook() {
        assert_eq!(entropy(&[1.0, 0.0, 0.0]), 0.0);
        assert!((entropy(&[0.25; 4]) - 4.0_f32.ln()).abs() < 1e-6);
        assert!((entropy(&[0.5, 0.5, 0.0]) - 2.0_f32.ln()).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn no_more_alarms_than_stated(
            rows in prop::collection::vec(0.01_f32..0.99, 1..3_000),
            alarms in 0.001_f64..0.5,
        ) {
            let values: Vec<f32> = rows.iter().flat_map(|p| [*p, 1.0 - p]).collect();
            let said = Probabilities { classes: 2, values };
            let doubt = Doubt::of(&said).unwrap();
            let most = doubt.most(alarms);
            let called = (0..said.rows()).filter(|row| entropy(said.row(*row)) > most).count();
            prop_assert!(called as f64 <= alarms * said.rows() as f64 + 1e-9);
            prop_assert_eq!(Doubt::new(doubt.known().to_vec()), Some(doubt));
        }
    }

    #[test]
    fn what_is_no_list_of_entropies_is_refused() {
        for known in [vec![], vec![0.2, 0.1], vec![-0.1], vec![f32::NAN], vec![f32::INFINITY]] {
            assert_eq!(Doubt::new(known), None);
        }
    }
}
