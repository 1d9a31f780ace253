//! Folds, spreads and the paired test on small numbers worked out by hand.

use super::*;
use crate::baseline::{Majority, certain};
use crate::training::Training;

/// Six rows of two classes in three parts.
fn parts() -> Vec<Vec<u32>> {
    vec![vec![0, 3], vec![1, 4], vec![2, 5]]
}

const CODES: [u32; 6] = [0, 1, 0, 1, 1, 1];

fn right(trial: Trial<'_>) -> Result<Probabilities, Error> {
    let labels: Vec<u32> = trial.test.iter().map(|&row| CODES[row as usize]).collect();
    Ok(certain(&labels, 2))
}

#[test]
fn each_part_is_judged_once_and_never_learnt_from_then() {
    let folds = each_once(&parts());
    assert_eq!(folds[1], Fold { train: vec![0, 2, 3, 5], test: vec![1, 4] });
    let repeats = Repeat::same_folds(&[7, 8], &folds);
    let mut seen = Vec::new();
    let result = cross_validate(&CODES, 2, &repeats, |trial| {
        seen.push((trial.seed, trial.fold, trial.train.len()));
        right(trial)
    });
    let result = result.unwrap();
    assert_eq!(seen, [(7, 0, 4), (7, 1, 4), (7, 2, 4), (8, 0, 4), (8, 1, 4), (8, 2, 4)]);
    assert_eq!(result.rows, [0, 3, 1, 4, 2, 5]);
    assert_eq!(result.truth, [0, 1, 1, 1, 0, 1]);
    assert_eq!((result.trials.len(), result.pooled.len()), (6, 2));
    assert_eq!(result.pooled[1].accuracy, 1.0);
    assert_eq!(result.answers().unwrap().predicted(), result.truth);
}

#[test]
fn a_spread_is_over_the_trials() {
    let folds = each_once(&parts());
    let majority = |trial: Trial<'_>| {
        let training = Training {
            columns: &[],
            rows: trial.train,
            codes: &CODES,
            classes: 2,
            class_weights: None,
        };
        Ok::<_, Error>(Majority::fit(&training)?.probabilities(trial.test.len()))
    };
    let low = cross_validate(&CODES, 2, &Repeat::same_folds(&[0], &folds), majority).unwrap();
    // Class 1 is the majority of what folds 0 and 2 learn from; fold 1 learns two of each, so it says 0, of two rows of class 1.
    assert_eq!(low.each(|scores| scores.accuracy), [0.5, 0.0, 0.5]);
    let spread = low.spread(|scores| scores.accuracy).unwrap();
    assert_eq!((spread.low, spread.high, spread.trials), (0.0, 0.5, 3));
    assert!((spread.mean - 1.0 / 3.0).abs() < 1e-15);
    assert!((spread.sd.unwrap() - (1.0_f64 / 12.0).sqrt()).abs() < 1e-15);
    assert_eq!(low.spreads()["accuracy"], spread);
    // The area needs both classes in the fold: the middle one has none.
    assert_eq!(low.spreads()["auroc_macro"].trials, 2);

    let high = cross_validate(&CODES, 2, &Repeat::same_folds(&[0], &folds), right).unwrap();
    let test = high.compare(&low, |scores| scores.accuracy).unwrap().unwrap();
    assert!((test.difference - 2.0 / 3.0).abs() < 1e-15);
    assert_eq!(test.degrees, 2);
    let other = cross_validate(&CODES, 2, &Repeat::same_folds(&[1], &folds), right).unwrap();
    assert!(matches!(high.compare(&other, |scores| scores.accuracy), Err(Error::Length { .. })));
}

#[test]
fn a_leak_is_no_fold() {
    let judge = |fold: Fold| {
        let repeats = [Repeat { seed: 0, folds: vec![fold] }];
        cross_validate(&CODES, 2, &repeats, right).unwrap_err().to_string()
    };
    let fold = |train: &[u32], test: &[u32]| Fold { train: train.to_vec(), test: test.to_vec() };
    assert_eq!(judge(fold(&[0, 1, 2], &[3, 1])), "fold 0 is judged on row 1, which it learns from");
    assert_eq!(judge(fold(&[0, 9], &[1])), "row 9 at place 1 is not below 6");
    assert!(judge(fold(&[0], &[])).starts_with("no rows"));
    assert!(judge(fold(&[], &[0])).starts_with("no rows"));
    let wrong = |trial: Trial<'_>| Ok::<_, Error>(certain(&vec![0; trial.test.len()], 1));
    let repeats = [Repeat { seed: 0, folds: vec![fold(&[0], &[1])] }];
    let error = cross_validate(&CODES, 2, &repeats, wrong).unwrap_err().to_string();
    assert_eq!(error, "classes of an answer: expected 2 values, got 1");
    assert!(matches!(cross_validate(&CODES, 2, &[], right), Err(Error::NoRows { .. })));
    // A row without a label cannot be judged; one may stand among the training rows only if the estimator copes.
    let missing = [0, u32::MAX];
    let repeats = [Repeat { seed: 0, folds: vec![fold(&[0], &[1])] }];
    assert!(matches!(
        cross_validate(&missing, 2, &repeats, right),
        Err(Error::OutOfRange { what: "class", .. })
    ));
}

#[test]
fn the_fewest_packets_that_come_close_are_enough() {
    let folds = each_once(&parts());
    let judge = |packets: u32| {
        // Knows one row more with every packet.
        let answer = |trial: Trial<'_>| {
            let known = |&row: &u32| {
                if row < packets { CODES[row as usize] } else { 1 - CODES[row as usize] }
            };
            Ok::<_, Error>(certain(&trial.test.iter().map(known).collect::<Vec<_>>(), 2))
        };
        cross_validate(&CODES, 2, &Repeat::same_folds(&[0], &folds), answer)
    };
    let curve = after_packets(&[1, 3, 5, 6, 10], judge).unwrap();
    assert_eq!(curve.iter().map(|point| point.packets).collect::<Vec<_>>(), [1, 3, 5, 6, 10]);
    assert!((curve[1].accuracy.mean - 0.5).abs() < 1e-12);
    assert_eq!(soon_enough(&curve).unwrap().packets, 6);
    assert_eq!(soon_enough(&[]), None);
    assert_eq!(Spread::of(&[]), None);
    assert_eq!(Spread::of(&[0.5]).unwrap().sd, None);
}

#[test]
fn a_peak_within_chance_is_no_reason_to_wait() {
    let point = |packets, values: &[f64]| {
        let accuracy = Spread::of(values).unwrap();
        PacketPoint { packets, accuracy, f1_macro: accuracy }
    };
    // 0.80, then a peak at 0.83 with a standard error of 0.04.
    let curve = [
        point(2, &[0.5, 0.6]),
        point(4, &[0.79, 0.81]),
        point(20, &[0.79, 0.87]),
        point(30, &[0.8]),
    ];
    assert_eq!(soon_enough(&curve).unwrap().packets, 4);
    // The same peak without doubt is one.
    let curve = [point(4, &[0.79, 0.81]), point(20, &[0.83, 0.83])];
    assert_eq!(soon_enough(&curve).unwrap().packets, 20);
    // One trial tells no error.
    let curve = [point(4, &[0.80]), point(20, &[0.83])];
    assert_eq!(soon_enough(&curve).unwrap().packets, 20);
}
