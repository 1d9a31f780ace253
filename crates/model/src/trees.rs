//! A forest with columns that follow from the packet sizes beside the table's own.

use flowgait_features::layout::Sizes;

use crate::error::Error;
use crate::forest::{Forest, ValidForestParams};
use crate::sizes::SizeColumns;
use crate::training::{Probabilities, Training, check_rows};

/// A forest over a table's columns and those that follow from their sizes behind them.
#[derive(Clone, Debug, PartialEq)]
pub struct SizeForest {
    pub(crate) sizes: SizeColumns,
    pub(crate) forest: Forest,
    /// Importance of the table's columns; that of a derived column is shared out among the sizes it follows from.
    pub(crate) importance: Vec<f32>,
}

impl SizeForest {
    /// Learns.
    ///
    /// # Errors
    /// As [`ValidForestParams::fit_with`].
    pub fn fit(
        params: &ValidForestParams,
        training: &Training<'_>,
        sizes: Sizes,
        seed: u64,
        tree_done: &(dyn Fn() + Sync),
    ) -> Result<Self, Error> {
        training.check()?;
        let sizes = SizeColumns(sizes);
        let columns = extended(&sizes, training.columns, training.rows);
        let rows: Vec<u32> = (0..training.rows.len() as u32).collect();
        let codes: Vec<u32> =
            training.rows.iter().map(|&row| training.codes[row as usize]).collect();
        let own = Training { columns: &columns, rows: &rows, codes: &codes, ..*training };
        let forest = params.fit_with(&own, seed, tree_done)?;
        Ok(Self::new(sizes, forest))
    }

    pub(crate) fn new(sizes: SizeColumns, forest: Forest) -> Self {
        let (own, derived) = forest.importance().split_at(forest.features() - SizeColumns::COUNT);
        let mut importance = own.to_vec();
        let share = derived.iter().sum::<f32>() / sizes.0.columns.len() as f32;
        sizes.0.columns.iter().for_each(|&column| importance[column] += share);
        Self { sizes, forest, importance }
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.forest.classes()
    }

    /// Number of columns of the table.
    #[must_use]
    pub fn features(&self) -> usize {
        self.importance.len()
    }

    /// Importance of the table's columns.
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
        if columns.len() != self.features() {
            let (found, expected) = (columns.len(), self.features());
            return Err(Error::ColumnCount { found, expected });
        }
        check_rows(columns, rows, columns.first().map_or(0, Vec::len))?;
        let own = extended(&self.sizes, columns, rows);
        let all: Vec<u32> = (0..rows.len() as u32).collect();
        self.forest.predict_proba(&own, &all)
    }
}

/// Some rows of a table, with the columns that follow from their sizes behind.
pub(crate) fn extended(sizes: &SizeColumns, columns: &[Vec<f32>], rows: &[u32]) -> Vec<Vec<f32>> {
    let pick = |column: &Vec<f32>| rows.iter().map(|&row| column[row as usize]).collect();
    let mut own: Vec<Vec<f32>> = columns.iter().map(pick).collect();
    own.extend(sizes.of(columns, rows));
    own
}
