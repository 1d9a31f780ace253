//! What holds for the scores of any answers, and what is refused.

use flowgait_model::metrics::{
    Answers, Average, Confusion, LOG_LOSS_FLOOR, Scores, unknown_score, wilson,
};
use flowgait_model::{Error, Probabilities};
use proptest::prelude::*;

/// Answers with many equal confidences, as a small forest gives them.
#[derive(Clone, Debug)]
struct Given {
    classes: usize,
    truth: Vec<u32>,
    votes: Vec<Vec<u32>>,
}

impl Given {
    fn values(&self) -> Vec<f64> {
        let row = |votes: &Vec<u32>| {
            let sum: u32 = votes.iter().sum();
            votes.iter().map(|&vote| f64::from(vote) / f64::from(sum)).collect::<Vec<_>>()
        };
        self.votes.iter().flat_map(row).collect()
    }

    fn turned(&self) -> Self {
        let turn = |rows: &Vec<u32>| rows.iter().rev().copied().collect();
        Self {
            truth: turn(&self.truth),
            votes: self.votes.iter().rev().cloned().collect(),
            ..*self
        }
    }
}

fn given() -> impl Strategy<Value = Given> {
    (2_usize..9, 1_usize..60).prop_flat_map(|(classes, rows)| {
        let votes = prop::collection::vec(0_u32..4, classes).prop_map(|mut votes| {
            votes[0] += u32::from(votes.iter().all(|&vote| vote == 0));
            votes
        });
        let truth = prop::collection::vec(0..classes as u32, rows);
        (truth, prop::collection::vec(votes, rows)).prop_map(move |(truth, votes)| Given {
            classes,
            truth,
            votes,
        })
    })
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-12
}

proptest! {
    #[test]
    fn the_order_of_the_rows_is_immaterial(given in given()) {
        let (values, turned) = (given.values(), given.turned());
        let turned_values = turned.values();
        let one = Scores::of(&Answers::new(&given.truth, &values, given.classes).unwrap());
        let other = Scores::of(&Answers::new(&turned.truth, &turned_values, given.classes).unwrap());
        for ((name, one), (_, other)) in one.named().into_iter().zip(other.named()) {
            let same = match (one, other) {
                (Some(one), Some(other)) => close(one, other),
                (one, other) => one == other,
            };
            prop_assert!(same, "{}: {:?} {:?}", name, one, other);
        }
    }

    #[test]
    fn every_score_is_in_its_range(given in given()) {
        let values = given.values();
        let answers = Answers::new(&given.truth, &values, given.classes).unwrap();
        for (name, value) in Scores::of(&answers).named() {
            let top = match name { "brier" => 2.0, "log_loss" => -LOG_LOSS_FLOOR.ln(), _ => 1.0 };
            prop_assert!(value.is_none_or(|value| (0.0..=top + 1e-12).contains(&value)), "{} {:?}", name, value);
        }
    }

    #[test]
    fn the_views_of_one_answer_agree(given in given()) {
        let values = given.values();
        let answers = Answers::new(&given.truth, &values, given.classes).unwrap();
        let scores = Scores::of(&answers);
        let confusion = Confusion::new(&given.truth, &answers.predicted(), given.classes).unwrap();
        prop_assert_eq!(&confusion, &answers.confusion());
        prop_assert_eq!(confusion.rows(), given.truth.len() as u64);
        // The weighted recall is the accuracy, by definition of both.
        prop_assert!(close(scores.recall_weighted, scores.accuracy));
        let top = answers.top_k(given.classes + 1);
        prop_assert!(close(top[0], scores.accuracy));
        prop_assert!(top.windows(2).all(|pair| pair[0] <= pair[1]));
        prop_assert_eq!(top[given.classes - 1], 1.0);
        let curve = answers.risk_coverage(1_000);
        let last = curve.points.last().unwrap();
        prop_assert_eq!(last.coverage, 1.0);
        prop_assert!(close(last.accuracy, scores.accuracy));
        prop_assert!(curve.points.windows(2).all(|pair| pair[0].threshold > pair[1].threshold));
        let calibration = answers.calibration(15);
        prop_assert_eq!(calibration.bins.iter().map(|bin| bin.rows).sum::<u64>(), given.truth.len() as u64);
        prop_assert_eq!(calibration.histogram.iter().sum::<u64>(), given.truth.len() as u64);
    }

    #[test]
    fn the_area_is_the_share_of_pairs_won(given in given()) {
        let values = given.values();
        let answers = Answers::new(&given.truth, &values, given.classes).unwrap();
        for (class, area) in answers.auroc_one_vs_rest().into_iter().enumerate() {
            let score = |row: usize| values[row * given.classes + class];
            let (mut won, mut pairs) = (0.0, 0.0);
            for (a, &truth) in given.truth.iter().enumerate().filter(|each| *each.1 as usize == class) {
                for (b, _) in given.truth.iter().enumerate().filter(|each| *each.1 != truth) {
                    pairs += 1.0;
                    won += if score(a) > score(b) { 1.0 } else if score(a) == score(b) { 0.5 } else { 0.0 };
                }
            }
            match area {
                Some(area) => prop_assert!(close(area, won / pairs)),
                None => prop_assert_eq!(pairs, 0.0),
            }
        }
    }

    #[test]
    fn folds_add_up(given in given(), cut in 1_usize..59) {
        prop_assume!(cut < given.truth.len());
        let values = given.values();
        let predicted = Answers::new(&given.truth, &values, given.classes).unwrap().predicted();
        let part = |from: usize, to: usize| Confusion::new(&given.truth[from..to], &predicted[from..to], given.classes).unwrap();
        let mut sum = part(0, cut);
        sum.add(&part(cut, given.truth.len())).unwrap();
        prop_assert_eq!(sum, part(0, given.truth.len()));
    }

    #[test]
    fn a_thinned_curve_keeps_its_ends(given in given(), limit in 2_usize..20) {
        let values = given.values();
        let answers = Answers::new(&given.truth, &values, given.classes).unwrap();
        let (whole, thin) = (answers.risk_coverage(1_000), answers.risk_coverage(limit));
        prop_assert!(thin.points.len() <= limit);
        prop_assert_eq!(thin.points.first(), whole.points.first());
        prop_assert_eq!(thin.points.last(), whole.points.last());
        prop_assert_eq!(thin.area, whole.area);
    }

    #[test]
    fn unknowns_are_found_within_the_alarms_allowed(
        known in prop::collection::vec(0_u8..20, 1..50), unknown in prop::collection::vec(0_u8..20, 1..50), allowed in 0.0_f64..0.5,
    ) {
        let sure = |votes: &[u8]| votes.iter().map(|&vote| f64::from(vote) / 20.0).collect::<Vec<_>>();
        let (known, unknown) = (sure(&known), sure(&unknown));
        let score = unknown_score(&known, &unknown, allowed).unwrap();
        let below = |rows: &[f64]| rows.iter().filter(|&&c| c < score.threshold).count() as f64 / rows.len() as f64;
        prop_assert!(score.false_alarms <= allowed);
        prop_assert!(close(below(&known), score.false_alarms));
        prop_assert!(close(below(&unknown), score.found));
        // The next higher threshold would have raised too many alarms, or there is none.
        let next = known.iter().chain(&unknown).copied().filter(|&c| c > score.threshold).fold(f64::INFINITY, f64::min);
        let alarms = known.iter().filter(|&&c| c < next).count() as f64 / known.len() as f64;
        prop_assert!(next.is_infinite() || alarms > allowed);
    }
}

#[test]
fn a_perfect_model_is_perfect() {
    let (truth, values) = ([0, 1, 2], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    let scores = Scores::of(&Answers::new(&truth, &values, 3).unwrap());
    for (name, value) in scores.named() {
        let best = if matches!(name, "ece" | "brier" | "log_loss") { 0.0 } else { 1.0 };
        assert_eq!(value, Some(best), "{name}");
    }
}

#[test]
fn one_class_alone_has_no_curve() {
    let answers = Answers::new(&[0, 0, 0], &[0.9, 0.1, 0.6, 0.4, 0.2, 0.8], 2).unwrap();
    let scores = Scores::of(&answers);
    assert_eq!(scores.auroc_macro, None);
    assert_eq!(scores.accuracy, 2.0 / 3.0);
    assert_eq!(scores.balanced_accuracy, 2.0 / 3.0);
}

#[test]
fn a_class_that_never_comes_up_does_not_lower_the_mean() {
    let confusion = Confusion::new(&[0, 1, 0], &[0, 1, 0], 5).unwrap();
    assert_eq!(confusion.averages(Average::Macro).f1, 1.0);
    let confusion = Confusion::new(&[0, 1, 0], &[0, 1, 4], 5).unwrap();
    // Class 4 is predicted once and never right: it counts, with 0. F1: 2/3, 1, 0.
    assert!(close(confusion.averages(Average::Macro).f1, 5.0 / 9.0));
    // The mean recall is over the classes that occur.
    assert_eq!(confusion.balanced_accuracy(), 0.75);
}

#[test]
fn the_interval_of_a_share_is_wilsons() {
    // statsmodels: proportion_confint(8, 10, method="wilson"), and the closed forms at 0 and n of n.
    let (low, high) = wilson(8.0, 10.0);
    assert!((low - 0.490_162_4).abs() < 1e-6 && (high - 0.943_317_8).abs() < 1e-6, "{low} {high}");
    let z2 = 1.959_963_984_540_054_f64.powi(2);
    assert!(close(wilson(0.0, 7.0).1, z2 / (7.0 + z2)));
    assert!(close(wilson(7.0, 7.0).0, 7.0 / (7.0 + z2)));
    assert_eq!(wilson(0.0, 0.0), (0.0, 1.0));
}

#[test]
fn what_cannot_be_scored_is_refused() {
    let refused = |truth: &[u32], values: &[f64], classes| {
        Answers::new(truth, values, classes).err().map(|e| e.to_string())
    };
    let cases = [
        (refused(&[], &[], 2), "no rows: a score needs at least one"),
        (refused(&[0], &[1.0], 2), "probabilities: expected 2 values, got 1"),
        (refused(&[0, 2], &[1.0, 0.0, 1.0, 0.0], 2), "class 2 at place 1 is not below 2"),
        (refused(&[0], &[], 0), "class 0 at place 0 is not below 0"),
        (refused(&[0], &[f64::NAN, 1.0], 2), "row 0 holds no probabilities: they sum to NaN"),
        (refused(&[0], &[1.5, -0.5], 2), "row 0 holds no probabilities: they sum to 1"),
        (refused(&[0], &[0.5, 0.4], 2), "row 0 holds no probabilities: they sum to 0.9"),
    ];
    for (got, expected) in cases {
        assert_eq!(got.as_deref(), Some(expected));
    }
    let one = Confusion::new(&[0], &[0], 2).unwrap();
    assert!(matches!(
        one.clone().add(&Confusion::new(&[0], &[0], 3).unwrap()),
        Err(Error::Length { .. })
    ));
    assert!(matches!(Confusion::new(&[0], &[0, 1], 2), Err(Error::Length { .. })));
    assert!(matches!(Confusion::new(&[0], &[7], 2), Err(Error::OutOfRange { .. })));
    assert!(matches!(Answers::of(&[0], &Probabilities::default()), Err(Error::OutOfRange { .. })));
    assert_eq!(unknown_score(&[], &[0.5], 0.05), None);
    assert_eq!(unknown_score(&[f64::NAN], &[0.5], 0.05), None);
}
