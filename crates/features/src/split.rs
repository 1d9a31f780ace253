//! Which rows to learn from and which to test on: by group, by time, by block, or at random.
//!
//! Random splits flatter: flows of one session in both halves are told by their session. The default of the commands is by group and, where there is
//! time, by time.

use std::collections::{BTreeMap, HashMap};

use rand::Rng;
use rand::seq::SliceRandom;

use crate::Error;

/// Places of rows to learn from and to test on, both ascending; together every row once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fold {
    /// Rows to learn from.
    pub train: Vec<u32>,
    /// Rows to test on.
    pub test: Vec<u32>,
}

/// Splits whole groups into folds of about equal size and, when labels are given, of about equal shares of each label.
///
/// Rows whose group is missing ([`crate::Codes::MISSING`]) count as one group: nobody knows that they are strangers.
///
/// # Shapes
/// `groups` and `labels` have one code a row. Each row is in one fold's `test`.
/// # Errors
/// [`Error::Split`] below two folds or with fewer groups than folds.
pub fn group_folds(
    groups: &[u32],
    labels: Option<&[u32]>,
    folds: usize,
    rng: &mut impl Rng,
) -> Result<Vec<Fold>, Error> {
    check_shapes(groups.len(), labels)?;
    let mut members: HashMap<u32, Vec<u32>> = HashMap::new();
    for (row, &group) in (0..).zip(groups) {
        members.entry(group).or_default().push(row);
    }
    if folds < 2 || members.len() < folds {
        let count = members.len();
        return refuse(format!(
            "{folds} folds of {count} groups; at least two folds, and a group for each"
        ));
    }
    let mut members: Vec<Vec<u32>> = members.into_values().collect();
    // A hash map has no order of its own: order by the first row, then by chance, then the largest first, so that small groups fill the gaps.
    members.sort_unstable_by_key(|rows| rows[0]);
    members.shuffle(rng);
    members.sort_by_key(|rows| std::cmp::Reverse(rows.len()));
    Ok(deal(&members, groups.len(), labels, folds))
}

/// Splits off whole groups with about a share of the rows (and of each label) for testing.
///
/// # Errors
/// [`Error::Split`] when the share is not between 0 and 1, or with fewer than two groups.
pub fn group_hold_out(
    groups: &[u32],
    labels: Option<&[u32]>,
    share: f64,
    rng: &mut impl Rng,
) -> Result<Fold, Error> {
    let distinct = groups.iter().collect::<std::collections::HashSet<_>>().len();
    let folds = parts(share)?.min(distinct.max(2));
    let mut folds = group_folds(groups, labels, folds, rng)?;
    let fold = folds.swap_remove(0);
    // A share above one half is learnt from the small part.
    Ok(if share > 0.5 { Fold { train: fold.test, test: fold.train } } else { fold })
}

/// Splits off the latest rows, about a share of all, for testing; rows of the same time stay together.
///
/// # Errors
/// [`Error::Split`] when the share is not between 0 and 1, or when every row has the same time.
pub fn time_hold_out(times: &[i64], share: f64) -> Result<Fold, Error> {
    check_share(share)?;
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let Some((first, last)) =
        sorted.first().zip(sorted.last()).filter(|(first, last)| first < last)
    else {
        return refuse("every row has the same time");
    };
    let at = ((times.len() as f64) * (1.0 - share)) as usize;
    let since = sorted.get(at).unwrap_or(last);
    // The cut must leave a row to learn from.
    let since =
        if since == first { sorted[sorted.partition_point(|time| time == first)] } else { *since };
    time_since(times, since)
}

/// Splits off the latest rows of each label, about a share of them; a label whose rows all have the same time is only learnt from.
///
/// For tables whose labels were recorded at different times, where a cut through all would leave labels that are never learnt.
///
/// # Errors
/// [`Error::Split`] when the share is not between 0 and 1, or when no label has rows of different times.
pub fn time_hold_out_in_each(times: &[i64], labels: &[u32], share: f64) -> Result<Fold, Error> {
    check_share(share)?;
    let mut of_label: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
    for (&time, &label) in times.iter().zip(labels) {
        of_label.entry(label).or_default().push(time);
    }
    // Of a label with one time, nothing can be held out.
    let since_of = |times: Vec<i64>| {
        let fold = time_hold_out(&times, share).ok()?;
        fold.test.iter().map(|&row| times[row as usize]).min()
    };
    let since: BTreeMap<u32, Option<i64>> =
        of_label.into_iter().map(|(label, times)| (label, since_of(times))).collect();
    let fold = by(times.len(), |row| since[&labels[row]].is_some_and(|since| times[row] >= since));
    if fold.test.is_empty() {
        return refuse("no label has rows of different times");
    }
    Ok(fold)
}

/// Tests on the rows from a time on, learns from those before.
///
/// # Units
/// Microseconds since 1970, as [`crate::Dataset::times`].
/// # Errors
/// [`Error::Split`] when either side would be empty.
pub fn time_since(times: &[i64], since: i64) -> Result<Fold, Error> {
    let fold = by(times.len(), |row| times[row] >= since);
    if fold.train.is_empty() || fold.test.is_empty() {
        return refuse("one side of the time has no rows");
    }
    Ok(fold)
}

/// Groups of so many consecutive rows, for [`group_folds`]: in a table in the order of time, neighbours are near copies.
#[must_use]
pub fn block_groups(rows: usize, block_rows: usize) -> Vec<u32> {
    (0..rows).map(|row| (row / block_rows.max(1)) as u32).collect()
}

/// Splits rows at random into folds, each with about an equal share of each label. Only for rows that are strangers to each other.
///
/// # Errors
/// [`Error::Split`] below two folds or with fewer rows than folds.
pub fn random_folds(
    rows: usize,
    labels: Option<&[u32]>,
    folds: usize,
    rng: &mut impl Rng,
) -> Result<Vec<Fold>, Error> {
    check_shapes(rows, labels)?;
    if folds < 2 || rows < folds {
        return refuse(format!(
            "{folds} folds of {rows} rows; at least two folds, and a row for each"
        ));
    }
    let mut order: Vec<u32> = (0..).take(rows).collect();
    order.shuffle(rng);
    if let Some(labels) = labels {
        order.sort_by_key(|&row| labels[row as usize]);
    }
    // Dealt like cards, label after label: counts of a label differ by one at most between folds.
    let mut fold_of = vec![0; rows];
    for (place, &row) in order.iter().enumerate() {
        fold_of[row as usize] = place % folds;
    }
    Ok((0..folds).map(|fold| by(rows, |row| fold_of[row] == fold)).collect())
}

/// Splits off about a share of the rows (and of each label) at random for testing.
///
/// # Errors
/// [`Error::Split`] when the share is not between 0 and 1, or when either side would be empty.
pub fn random_hold_out(
    rows: usize,
    labels: Option<&[u32]>,
    share: f64,
    rng: &mut impl Rng,
) -> Result<Fold, Error> {
    check_shapes(rows, labels)?;
    check_share(share)?;
    let mut order: Vec<u32> = (0..).take(rows).collect();
    order.shuffle(rng);
    if let Some(labels) = labels {
        order.sort_by_key(|&row| labels[row as usize]);
    }
    // Each row adds its share of a test row; whenever a whole one has come together, the row is one.
    let whole = |rows: usize| (rows as f64 * share + 0.5).floor();
    let mut test = vec![false; rows];
    for (place, &row) in order.iter().enumerate() {
        test[row as usize] = whole(place + 1) > whole(place);
    }
    let fold = by(rows, |row| test[row]);
    if fold.train.is_empty() || fold.test.is_empty() {
        return refuse(format!("a share of {share} of {rows} rows leaves one side empty"));
    }
    Ok(fold)
}

/// Gives each group to the fold that has least of what it brings.
fn deal(members: &[Vec<u32>], rows: usize, labels: Option<&[u32]>, folds: usize) -> Vec<Fold> {
    let mut totals: HashMap<u32, f64> = HashMap::new();
    for &label in labels.into_iter().flatten() {
        *totals.entry(label).or_default() += 1.0;
    }
    let mut held: Vec<HashMap<u32, f64>> = vec![HashMap::new(); folds];
    let mut sizes = vec![0.0; folds];
    let mut fold_of = vec![0; rows];
    for group in members {
        let mut counts: HashMap<u32, f64> = HashMap::new();
        if let Some(labels) = labels {
            group.iter().for_each(|&row| *counts.entry(labels[row as usize]).or_default() += 1.0);
        }
        let mut counts: Vec<(u32, f64)> = counts.into_iter().collect();
        // Sums of floats depend on their order; a hash map's is not the same in every run.
        counts.sort_unstable_by_key(|&(label, _)| label);
        // The growth of the sum of squared shares, as far as it differs between folds; the size keeps an empty fold the cheapest.
        let cost = |fold: usize| {
            let labels: f64 = counts
                .iter()
                .map(|(label, count)| {
                    let total = totals[label];
                    held[fold].get(label).copied().unwrap_or(0.0) * count / (total * total)
                })
                .sum();
            labels + sizes[fold] * group.len() as f64 / (rows as f64 * rows as f64)
        };
        let best = (0..folds).min_by(|&a, &b| cost(a).total_cmp(&cost(b))).unwrap_or(0);
        for (label, count) in counts {
            *held[best].entry(label).or_default() += count;
        }
        sizes[best] += group.len() as f64;
        group.iter().for_each(|&row| fold_of[row as usize] = best);
    }
    (0..folds).map(|fold| by(rows, |row| fold_of[row] == fold)).collect()
}

fn by(rows: usize, is_test: impl Fn(usize) -> bool) -> Fold {
    let mut fold = Fold::default();
    for (row, number) in (0..rows).zip(0..) {
        if is_test(row) { &mut fold.test } else { &mut fold.train }.push(number);
    }
    fold
}

/// How many folds have a test part of this share, or its rest when it is above one half.
fn parts(share: f64) -> Result<usize, Error> {
    check_share(share)?;
    Ok((1.0 / share.min(1.0 - share)).round().clamp(2.0, 1_000.0) as usize)
}

fn check_share(share: f64) -> Result<(), Error> {
    if share > 0.0 && share < 1.0 {
        return Ok(());
    }
    refuse(format!("a share of {share} is not between 0 and 1"))
}

fn check_shapes(rows: usize, labels: Option<&[u32]>) -> Result<(), Error> {
    match labels {
        Some(labels) if labels.len() != rows => {
            refuse(format!("{} labels for {rows} rows", labels.len()))
        }
        _ => Ok(()),
    }
}

fn refuse<T>(problem: impl Into<String>) -> Result<T, Error> {
    Err(Error::Split { problem: problem.into() })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::Codes;

    fn rng(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
    }

    fn covers(fold: &Fold, rows: usize) -> bool {
        let mut all: Vec<u32> = fold.train.iter().chain(&fold.test).copied().collect();
        all.sort_unstable();
        all == (0..rows as u32).collect::<Vec<_>>()
            && fold.train.is_sorted()
            && fold.test.is_sorted()
            && !fold.test.is_empty()
            && !fold.train.is_empty()
    }

    fn tested_once(folds: &[Fold], rows: usize) -> bool {
        let mut all: Vec<u32> = folds.iter().flat_map(|fold| &fold.test).copied().collect();
        all.sort_unstable();
        all == (0..rows as u32).collect::<Vec<_>>()
    }

    fn side<'a>(codes: &'a [u32], rows: &'a [u32]) -> HashSet<u32> {
        rows.iter().map(|&row| codes[row as usize]).collect()
    }

    #[test]
    fn time_within_labels_learns_every_label_and_judges_its_latest() {
        // The second label came a day after the first; the third has one moment only.
        let times = [1, 2, 3, 4, 101, 102, 103, 104, 50, 50];
        let labels = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2];
        let fold = time_hold_out_in_each(&times, &labels, 0.25).unwrap();
        assert_eq!((fold.train, fold.test), (vec![0, 1, 2, 4, 5, 6, 8, 9], vec![3, 7]));
        assert!(time_hold_out_in_each(&[5, 5], &[0, 1], 0.3).is_err());
        assert!(time_hold_out_in_each(&times, &labels, 1.5).is_err());
    }

    proptest! {
        #[test]
        fn groups_never_stand_on_both_sides(
            groups in prop::collection::vec(prop_oneof![0..12_u32, Just(Codes::MISSING)], 2..200),
            labels in prop::collection::vec(0..5_u32, 200),
            folds in 2..6_usize,
            seed in any::<u64>(),
        ) {
            let labels = &labels[..groups.len()];
            let distinct = groups.iter().collect::<HashSet<_>>().len();
            let result = group_folds(&groups, Some(labels), folds, &mut rng(seed));
            prop_assert_eq!(result.is_ok(), distinct >= folds);
            if let Ok(split) = result {
                prop_assert!(tested_once(&split, groups.len()));
                for fold in &split {
                    prop_assert!(covers(fold, groups.len()));
                    prop_assert!(side(&groups, &fold.train).is_disjoint(&side(&groups, &fold.test)));
                }
                prop_assert_eq!(&split, &group_folds(&groups, Some(labels), folds, &mut rng(seed)).unwrap());
            }
            if distinct >= 2 {
                for share in [0.1, 0.3, 0.5, 0.8] {
                    let fold = group_hold_out(&groups, None, share, &mut rng(seed)).unwrap();
                    prop_assert!(covers(&fold, groups.len()));
                    prop_assert!(side(&groups, &fold.train).is_disjoint(&side(&groups, &fold.test)));
                }
            }
        }

        #[test]
        fn random_splits_keep_each_label_s_share(
            labels in prop::collection::vec(0..4_u32, 4..300),
            folds in 2..5_usize,
            seed in any::<u64>(),
        ) {
            let count = |rows: &[u32], label| rows.iter().filter(|&&row| labels[row as usize] == label).count();
            let split = random_folds(labels.len(), Some(&labels), folds.min(labels.len()), &mut rng(seed)).unwrap();
            prop_assert!(tested_once(&split, labels.len()));
            for label in 0..4 {
                let counts: Vec<_> = split.iter().map(|fold| count(&fold.test, label)).collect();
                prop_assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1);
            }
            let fold = random_hold_out(labels.len(), Some(&labels), 0.25, &mut rng(seed)).unwrap();
            prop_assert!(covers(&fold, labels.len()));
            for label in 0..4 {
                let all = count(&fold.train, label) + count(&fold.test, label);
                prop_assert!((count(&fold.test, label) as f64 - all as f64 * 0.25).abs() <= 1.0);
            }
        }

        #[test]
        fn nothing_learnt_from_is_later_than_what_is_tested(
            times in prop::collection::vec(-50..50_i64, 2..200),
            share in 0.05..0.95_f64,
        ) {
            let result = time_hold_out(&times, share);
            prop_assert_eq!(result.is_ok(), times.iter().any(|time| *time != times[0]));
            if let Ok(fold) = result {
                prop_assert!(covers(&fold, times.len()));
                let latest = fold.train.iter().map(|&row| times[row as usize]).max();
                let earliest = fold.test.iter().map(|&row| times[row as usize]).min();
                prop_assert!(latest < earliest);
            }
        }
    }

    #[test]
    fn equal_groups_are_dealt_evenly_and_labels_too() {
        // Twenty groups of five rows; every second group has the rare label in one row.
        let groups = block_groups(100, 5);
        let labels: Vec<u32> = (0..100).map(|row| u32::from(row % 10 == 0)).collect();
        for seed in 0..20 {
            for fold in group_folds(&groups, Some(&labels), 5, &mut rng(seed)).unwrap() {
                assert_eq!(fold.test.len(), 20);
                assert_eq!(fold.test.iter().filter(|&&row| labels[row as usize] == 1).count(), 2);
            }
        }
    }

    #[test]
    fn another_seed_is_another_split() {
        let groups: Vec<u32> = (0..50).collect();
        let split = |seed| group_folds(&groups, None, 5, &mut rng(seed)).unwrap();
        assert_eq!(split(1), split(1));
        assert_ne!(split(1), split(2));
    }

    #[test]
    fn what_cannot_be_split_is_refused() {
        assert!(group_folds(&[1, 1, 1], None, 2, &mut rng(0)).is_err());
        assert!(group_folds(&[1, 2, 3], None, 1, &mut rng(0)).is_err());
        assert!(group_folds(&[1, 2], Some(&[0]), 2, &mut rng(0)).is_err());
        assert!(random_folds(1, None, 2, &mut rng(0)).is_err());
        assert!(random_hold_out(3, None, 0.01, &mut rng(0)).is_err());
        assert!(time_since(&[1, 2], 3).is_err());
        assert!(time_hold_out(&[], 0.5).is_err());
        for share in [0.0, 1.0, -0.5, f64::NAN] {
            assert!(time_hold_out(&[1, 2], share).is_err());
        }
    }
}
