//! When a row gets no answer but "unknown".

use flowgait_model::{Doubt, doubt};

use super::{Args, starter};
use crate::failure::Failure;

/// When an answer is withheld.
pub(super) struct Limit {
    least_confidence: Option<f32>,
    most_doubt: Option<f32>,
}

impl Limit {
    /// As the flags say; `doubt` tells what is usual where a rate of false alarms is asked for.
    pub(super) fn of(args: &Args, doubt: Option<&Doubt>) -> Result<Self, Failure> {
        let most_doubt = match args.unknown {
            None => None,
            Some(false_alarms) => {
                let doubt = doubt.ok_or_else(|| {
                    Failure::work("The model was fitted without what tells the unknown")
                        .help("Fit it anew with this version, or name a confidence by --reject.")
                })?;
                Some(doubt.most(false_alarms))
            }
        };
        // The starter model is not to guess where nobody asked it to.
        let is_plain = args.model.is_none() && args.unknown.is_none();
        let least_confidence = args.reject.or(is_plain.then_some(starter::LEAST_CONFIDENCE));
        Ok(Self { least_confidence, most_doubt })
    }

    /// Whether the likeliest of some classes is not to be answered; of a row of which nothing is known it never is, where there is a limit.
    pub(super) fn withholds(&self, probabilities: &[f32], is_empty: bool) -> bool {
        let confidence = probabilities.iter().copied().fold(0.0, f32::max);
        self.least_confidence.is_some_and(|least| is_empty || confidence < least)
            || self.most_doubt.is_some_and(|most| is_empty || doubt::entropy(probabilities) > most)
    }
}
