//! What an estimator looks at: how much worse it answers when a column's values are shuffled among rows.
//!
//! Unlike what splits removed in training, it is measured on rows that were not learnt from, and for every kind of estimator. Shuffled
//! within groups (such as the flows of one capture), a column keeps what it tells about the group and loses what it tells about the
//! row: a column that matters among all rows and not within groups tells *where* and not *what*.
//!
//! # Reference
//! L. Breiman, *Random Forests*, Machine Learning 45, 2001, section 10.

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::chance::shuffle;
use crate::error::Error;
use crate::estimator::Estimator;

/// Rows that nobody learnt from, and what they are.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// `[n_features][n_rows]`.
    pub columns: &'a [Vec<f32>],
    /// The rows.
    pub rows: &'a [u32],
    /// The class of every row of the table.
    pub codes: &'a [u32],
    /// The group of every row of the table, where shuffling is to stay within groups.
    pub groups: Option<&'a [u32]>,
}

/// The accuracy that each player's columns bring: what is lost when they are shuffled together.
///
/// # Errors
/// As [`Estimator::predict_proba`].
pub fn importance(
    estimator: &Estimator,
    judged: &Judged<'_>,
    players: &[Vec<usize>],
    seed: u64,
) -> Result<Vec<f64>, Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let rows: Vec<u32> = (0..judged.rows.len() as u32).collect();
    let pick = |column: &Vec<f32>| judged.rows.iter().map(|&row| column[row as usize]).collect();
    let mut columns: Vec<Vec<f32>> = judged.columns.iter().map(pick).collect();
    let accuracy = |columns: &[Vec<f32>]| -> Result<f64, Error> {
        let said = estimator.predict_proba(columns, &rows)?;
        let right = judged.rows.iter().enumerate();
        let right = right.filter(|(at, row)| said.best(*at) == judged.codes[**row as usize]);
        Ok(right.count() as f64 / rows.len().max(1) as f64)
    };
    let whole = accuracy(&columns)?;
    let mut lost = Vec::with_capacity(players.len());
    for player in players {
        let order = shuffled(judged, &mut rng);
        let kept: Vec<Vec<f32>> = player.iter().map(|&c| columns[c].clone()).collect();
        for (&column, values) in player.iter().zip(&kept) {
            let from = order.iter().map(|&row| values[row as usize]);
            columns[column].iter_mut().zip(from).for_each(|(to, from)| *to = from);
        }
        lost.push(whole - accuracy(&columns)?);
        for (&column, values) in player.iter().zip(kept) {
            columns[column] = values;
        }
    }
    Ok(lost)
}

/// The place that each row takes its values from: any, or one of its own group.
fn shuffled(judged: &Judged<'_>, rng: &mut ChaCha8Rng) -> Vec<u32> {
    let mut members: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (at, &row) in judged.rows.iter().enumerate() {
        let group = judged.groups.map_or(0, |groups| groups[row as usize]);
        members.entry(group).or_default().push(at as u32);
    }
    let mut order = vec![0; judged.rows.len()];
    for places in members.values() {
        let mut from = places.clone();
        shuffle(&mut from, rng);
        places.iter().zip(from).for_each(|(&place, from)| order[place as usize] = from);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forest::ForestParams;
    use crate::training::Training;

    /// A column that tells the group, and with it the class of the group; one that tells the class; one that says nothing.
    fn table() -> (Vec<Vec<f32>>, Vec<u32>, Vec<u32>) {
        let noise = |row: u32| (row.wrapping_mul(2_654_435_761) >> 20) as f32;
        let groups: Vec<u32> = (0..600).map(|row| row / 100).collect();
        let codes: Vec<u32> =
            (0..600).map(|row| u32::from(row % 5 == 0) ^ (row / 100 % 2)).collect();
        let of_group = groups.iter().map(|group| *group as f32).collect();
        let of_class = (0..600).map(|row| (row % 5) as f32).collect();
        (vec![of_group, of_class, (0..600).map(noise).collect()], codes, groups)
    }

    #[test]
    fn a_column_that_tells_the_group_is_worth_nothing_within_it() {
        let (columns, codes, groups) = table();
        let rows: Vec<u32> = (0..600).collect();
        let training = Training {
            columns: &columns,
            rows: &rows,
            codes: &codes,
            classes: 2,
            class_weights: None,
        };
        let forest = ForestParams::new().trees(30).check().unwrap().fit(&training, 1).unwrap();
        let estimator = Estimator::Forest(forest);
        let players = [vec![0], vec![1], vec![2]];
        let judged = Judged { columns: &columns, rows: &rows, codes: &codes, groups: None };
        let among_all = importance(&estimator, &judged, &players, 1).unwrap();
        let within = Judged { groups: Some(&groups), ..judged };
        let within = importance(&estimator, &within, &players, 1).unwrap();
        assert!(among_all[0] > 0.3 && among_all[1] > 0.15, "{among_all:?}");
        assert!(within[0] == 0.0 && within[1] > 0.15, "{within:?}");
        assert!(among_all[2].abs() < 0.05, "{among_all:?}");
    }
}
