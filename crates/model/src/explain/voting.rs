//! Shapley values of a vote: the mean of its members', since Shapley values of a mean are the mean of Shapley values.

use super::{Explanation, GoesOn, Measure, Question, sample, trees};
use crate::error::Error;
use crate::estimator::Estimator;
use crate::voting::Voting;

pub(super) fn of_voting(
    voting: &Voting,
    question: &Question<'_>,
    seed: u64,
    goes_on: GoesOn<'_>,
) -> Result<Vec<Explanation>, Error> {
    let nothing = Explanation {
        measure: Measure::Probability,
        base: 0.0,
        value: 0.0,
        contributions: vec![0.0; question.players.len()],
        errors: vec![0.0; question.players.len()],
    };
    let mut mean = vec![nothing; question.classes.len()];
    let share = 1.0 / voting.members.len() as f64;
    for member in &voting.members {
        let said = match member {
            Estimator::Forest(forest) => trees::of_forest(forest, question, goes_on)?,
            Estimator::SizeForest(trees) => trees::of_size_forest(trees, question, goes_on)?,
            _ => sample::of_any(member, question, seed, goes_on)?,
        };
        for (mean, said) in mean.iter_mut().zip(said) {
            mean.base += share * said.base;
            mean.value += share * said.value;
            let own = mean.contributions.iter_mut().zip(said.contributions);
            own.for_each(|(sum, value)| *sum += share * value);
            // The members' draws share their seed, so their errors may go together: they are added, not their squares.
            let own = mean.errors.iter_mut().zip(said.errors);
            own.for_each(|(sum, error)| *sum += share * error);
        }
    }
    Ok(mean)
}
