//! What must hold for any explanation: it adds up, it is what the definition says, and it finds what was planted.

#![allow(clippy::unwrap_used)]

use flowgait_features::{Feature, Schema};
use flowgait_model::explain::{Explanation, Question, explain};
use flowgait_model::recipe::{EstimatorKind, Recipe};
use flowgait_model::{Error, Estimator, Training};
use proptest::prelude::*;

struct Fitted {
    columns: Vec<Vec<f32>>,
    estimator: Estimator,
}

/// Rows whose class follows from the first two columns, and a third that says nothing; some values are missing.
fn fitted(kind: EstimatorKind, rows: u32, features: usize, seed: u64) -> Fitted {
    let noise = |row: u32, column: u32| {
        let mixed = (row * 31 + column + 7 * seed as u32).wrapping_mul(0x9e37_79b9);
        (mixed ^ mixed >> 15).wrapping_mul(0x85eb_ca6b) >> 8
    };
    let columns: Vec<Vec<f32>> = (0..features as u32)
        .map(|column| {
            let value = |row| match noise(row, column) % 11 {
                0 => f32::NAN,
                _ => (noise(row, column) % 97) as f32,
            };
            (0..rows).map(value).collect()
        })
        .collect();
    let class = |row: u32| {
        let [a, b] = [0, 1].map(|c| columns[c][row as usize]);
        u32::from(a > 50.0) + u32::from(a > 50.0 && b > 30.0)
    };
    let codes: Vec<u32> = (0..rows).map(class).collect();
    let all: Vec<u32> = (0..rows).collect();
    let training =
        Training { columns: &columns, rows: &all, codes: &codes, classes: 3, class_weights: None };
    let feature = |c| Feature { name: format!("column {c}"), unit: String::new() };
    let schema = Schema { name: "made".into(), features: (0..features).map(feature).collect() };
    let recipe = Recipe { trees: 12, ..Recipe::new(kind) };
    let estimator = recipe.fit(&schema, &training, seed, &|| {}).unwrap();
    Fitted { columns, estimator }
}

fn alone(features: usize) -> Vec<Vec<usize>> {
    (0..features).map(|column| vec![column]).collect()
}

impl Fitted {
    fn ask(&self, row: u32, background: &[u32], players: &[Vec<usize>]) -> Vec<Explanation> {
        let question =
            Question { columns: &self.columns, row, background, classes: &[0, 1, 2], players };
        explain(&self.estimator, &question, 1).unwrap()
    }

    /// What the estimator says of a row made of two, in the explanation's own measure.
    fn mixed(&self, row: u32, other: u32, from_row: impl Fn(usize) -> bool) -> Vec<f64> {
        let pick = |(column, values): (usize, &Vec<f32>)| {
            vec![values[if from_row(column) { row } else { other } as usize]]
        };
        let columns: Vec<Vec<f32>> = self.columns.iter().enumerate().map(pick).collect();
        let said = self.estimator.predict_proba(&columns, &[0]).unwrap();
        let values = said.row(0).iter().map(|p| f64::from(*p));
        match self.estimator {
            Estimator::Boost(_) => values.map(f64::ln).collect(),
            _ => values.collect(),
        }
    }

    /// By the definition: the mean over all subsets of the other players.
    fn by_hand(&self, row: u32, background: &[u32], class: usize) -> Vec<f64> {
        let count = self.columns.len();
        let factorial = |n: usize| (1..=n).map(|k| k as f64).product::<f64>();
        let mut values = vec![0.0; count];
        for &other in background {
            for (player, value) in values.iter_mut().enumerate() {
                for set in (0..1_usize << count).filter(|set| set >> player & 1 == 0) {
                    let size = set.count_ones() as usize;
                    let weight = factorial(size) * factorial(count - size - 1) / factorial(count);
                    let with = self.mixed(row, other, |c| set >> c & 1 == 1 || c == player);
                    let without = self.mixed(row, other, |c| set >> c & 1 == 1);
                    *value += weight * (with[class] - without[class]) / background.len() as f64;
                }
            }
        }
        values
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn contributions_sum_to_the_answer(seed in 0_u64..500, row in 0_u32..300, kind in 0_usize..3) {
        let kinds = [EstimatorKind::Forest, EstimatorKind::ExtraTrees, EstimatorKind::Boost];
        let fitted = fitted(kinds[kind], 300, 8, seed);
        let background: Vec<u32> = (0..300).step_by(7).collect();
        for players in [alone(8), vec![vec![0, 5], vec![1], vec![7, 2, 3], vec![4, 6]]] {
            for said in fitted.ask(row, &background, &players) {
                let sum: f64 = said.contributions.iter().sum();
                prop_assert!((sum - (said.value - said.base)).abs() < 1e-4, "{sum} {said:?}");
                prop_assert!(said.errors.is_empty());
            }
        }
    }
}

#[test]
fn trees_give_the_values_of_the_definition() {
    for kind in [EstimatorKind::Forest, EstimatorKind::ExtraTrees] {
        let fitted = fitted(kind, 200, 5, 3);
        let background = [1, 17, 50, 99];
        for row in [0, 44, 123] {
            let said = fitted.ask(row, &background, &alone(5));
            for (class, said) in said.iter().enumerate() {
                let by_hand = fitted.by_hand(row, &background, class);
                for (ours, exact) in said.contributions.iter().zip(&by_hand) {
                    assert!((ours - exact).abs() < 1e-5, "{ours}, not {exact}");
                }
            }
        }
    }
}

#[test]
fn boosting_gives_the_values_of_the_definition() {
    let fitted = fitted(EstimatorKind::Boost, 300, 4, 5);
    let background = [2, 9];
    let said = fitted.ask(250, &background, &alone(4));
    // The logarithm of a probability is the margin less what all classes share: the difference of two classes is free of that.
    let hand = [0, 1].map(|class| fitted.by_hand(250, &background, class));
    let of_both = said[0].contributions.iter().zip(&said[1].contributions);
    let by_hand = hand[0].iter().zip(&hand[1]);
    for ((a, b), (exact_a, exact_b)) in of_both.zip(by_hand) {
        let (ours, exact) = (a - b, exact_a - exact_b);
        assert!((ours - exact).abs() < 1e-3, "{ours}, not {exact}");
    }
}

#[test]
fn a_vote_has_the_mean_of_its_members_values() {
    let vote = fitted(EstimatorKind::Voting, 300, 4, 5);
    let background = [2, 9];
    let by_hand = [0, 1, 2].map(|class| vote.by_hand(250, &background, class));
    for (said, exact) in vote.ask(250, &background, &alone(4)).iter().zip(by_hand) {
        let sum: f64 = said.contributions.iter().sum();
        assert!((sum - (said.value - said.base)).abs() < 1e-6);
        for ((ours, exact), error) in said.contributions.iter().zip(exact).zip(&said.errors) {
            // Two rows of background and 24 orders: what is drawn is off by its error, a few times at most.
            assert!((ours - exact).abs() < 5.0 * error + 1e-3, "{ours}, not {exact} ± {error}");
        }
    }
}

#[test]
fn orders_by_chance_come_near_the_exact_values() {
    let forest = fitted(EstimatorKind::Forest, 300, 6, 8);
    let stack =
        Fitted { columns: forest.columns.clone(), ..fitted(EstimatorKind::Stack, 300, 6, 8) };
    let background: Vec<u32> = (0..300).step_by(5).collect();
    for said in stack.ask(20, &background, &alone(6)) {
        let sum: f64 = said.contributions.iter().sum();
        assert!((sum - (said.value - said.base)).abs() < 1e-6);
        assert_eq!(said.errors.len(), 6);
        assert!(said.errors.iter().all(|error| *error < 0.2), "{:?}", said.errors);
    }
}

#[test]
fn a_planted_column_is_found() {
    let kinds =
        [EstimatorKind::Forest, EstimatorKind::Boost, EstimatorKind::Voting, EstimatorKind::Stack];
    for kind in kinds {
        let Fitted { mut columns, .. } = fitted(kind, 600, 10, 2);
        let noise = |row: u32| (row.wrapping_mul(0x9e37_79b9) >> 12) % 4;
        let codes: Vec<u32> = (0..600).map(noise).collect();
        // As an address or a session's number would be: it names the class, and nothing else does.
        columns[6] = codes.iter().map(|&code| code as f32 * 1_000.0 + 7.0).collect();
        let all: Vec<u32> = (0..600).collect();
        let training = Training {
            columns: &columns,
            rows: &all,
            codes: &codes,
            classes: 4,
            class_weights: None,
        };
        let feature = |c| Feature { name: format!("column {c}"), unit: String::new() };
        let schema = Schema { name: "made".into(), features: (0..10).map(feature).collect() };
        let recipe = Recipe { trees: 40, ..Recipe::new(kind) };
        let estimator = recipe.fit(&schema, &training, 1, &|| {}).unwrap();
        let background: Vec<u32> = (0..600).step_by(11).collect();
        for row in [3, 77, 401] {
            let question = Question {
                columns: &columns,
                row,
                background: &background,
                classes: &[codes[row as usize]],
                players: &alone(10),
            };
            let said = &explain(&estimator, &question, 1).unwrap()[0];
            let planted = said.contributions[6];
            let others: f64 = said.contributions.iter().map(|c| c.abs()).sum::<f64>() - planted;
            assert!(planted > 2.0 * others, "{kind:?}: {planted} beside {others}");
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let fitted = fitted(EstimatorKind::Forest, 50, 3, 1);
    let ask = |row, background: &[u32], classes: &[u32], players: &[Vec<usize>]| {
        let question = Question { columns: &fitted.columns, row, background, classes, players };
        explain(&fitted.estimator, &question, 1).map(|_| ())
    };
    let players = alone(3);
    assert!(ask(0, &[1], &[0], &players).is_ok());
    assert!(matches!(ask(50, &[1], &[0], &players), Err(Error::RowOutOfRange { .. })));
    assert!(matches!(ask(0, &[50], &[0], &players), Err(Error::RowOutOfRange { .. })));
    assert!(matches!(ask(0, &[], &[0], &players), Err(Error::NoRows { .. })));
    assert!(matches!(ask(0, &[1], &[3], &players), Err(Error::ClassOutOfRange { .. })));
    for players in [vec![vec![0], vec![1]], vec![vec![0, 1], vec![1, 2]], vec![vec![0, 1, 2, 3]]] {
        assert!(matches!(ask(0, &[1], &[0], &players), Err(Error::ColumnCount { .. })));
    }
}
