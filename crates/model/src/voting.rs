//! Several estimators that answer together: the mean of what each says.
//!
//! Boosting and forests err in different places, so their mean errs less often than the best of them, as long as none is much worse than
//! the others. Nothing is learnt about how far to trust which: of few rows that costs more than it brings.
//!
//! # Reference
//! scikit-learn's `VotingClassifier` with `voting="soft"` and equal weights.

use flowgait_features::Schema;

use crate::error::Error;
use crate::estimator::Estimator;
use crate::recipe::Recipe;
use crate::training::{Probabilities, Training};

/// Estimators that answer by the mean of their probabilities.
#[derive(Clone, Debug, PartialEq)]
pub struct Voting {
    pub(crate) members: Vec<Estimator>,
    /// The mean of the members' importance.
    importance: Vec<f32>,
}

impl Voting {
    /// Learns each member on all rows.
    ///
    /// # Errors
    /// [`Error::NoRows`] without recipes; as [`Recipe::fit`].
    pub fn fit(
        recipes: &[Recipe],
        schema: &Schema,
        training: &Training<'_>,
        seed: u64,
        unit_done: &(dyn Fn() + Sync),
    ) -> Result<Self, Error> {
        let members: Result<Vec<Estimator>, Error> =
            recipes.iter().map(|recipe| recipe.fit(schema, training, seed, unit_done)).collect();
        Self::of(members?)
    }

    /// Members that have been learnt.
    ///
    /// # Errors
    /// [`Error::NoRows`] without members; [`Error::ColumnCount`] or [`Error::Length`] where they are not of the same columns and classes.
    pub(crate) fn of(members: Vec<Estimator>) -> Result<Self, Error> {
        let first = members.first().ok_or(Error::NoRows { what: "members of a vote" })?;
        let (features, classes) = (first.features(), first.classes());
        let mut importance = vec![0.0; features];
        let share = 1.0 / members.len() as f32;
        for member in &members {
            if member.features() != features {
                return Err(Error::ColumnCount { found: member.features(), expected: features });
            }
            if member.classes() != classes {
                let (expected, got) = (classes, member.classes());
                return Err(Error::Length { what: "classes of a vote's member", expected, got });
            }
            importance.iter_mut().zip(member.importance()).for_each(|(sum, of)| *sum += of * share);
        }
        Ok(Self { members, importance })
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.members[0].classes()
    }

    /// Number of columns that it was fitted on.
    #[must_use]
    pub fn features(&self) -> usize {
        self.importance.len()
    }

    /// The mean of the members' importance of each column.
    #[must_use]
    pub fn importance(&self) -> &[f32] {
        &self.importance
    }

    /// Probabilities of some rows.
    ///
    /// # Errors
    /// When there are not as many columns as it was fitted on, columns differ in length, or `rows` go beyond them.
    pub fn predict_proba(
        &self,
        columns: &[Vec<f32>],
        rows: &[u32],
    ) -> Result<Probabilities, Error> {
        let said: Result<Vec<Probabilities>, Error> =
            self.members.iter().map(|member| member.predict_proba(columns, rows)).collect();
        let said = said?;
        let said: Vec<&Probabilities> = said.iter().collect();
        Ok(mean(&said))
    }
}

/// The mean of what several say of the same rows.
///
/// # Shapes
/// All are of the same rows and classes.
///
/// # Panics
/// When there are none.
#[must_use]
pub fn mean(said: &[&Probabilities]) -> Probabilities {
    let mut values = vec![0.0_f32; said[0].values.len()];
    for said in said {
        values.iter_mut().zip(&said.values).for_each(|(sum, value)| *sum += value);
    }
    let share = 1.0 / said.len() as f32;
    values.iter_mut().for_each(|value| *value *= share);
    Probabilities { classes: said[0].classes, values }
}
