//! Shapley values of any estimator, from orders drawn by chance.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::{Explanation, GoesOn, Measure, Question};
use crate::chance::{below, shuffle};
use crate::error::Error;
use crate::estimator::Estimator;

/// Orders that are drawn; each is also gone through backwards, which takes out most of the chance.
const ORDERS: usize = 24;

pub(super) fn of_any(
    estimator: &Estimator,
    question: &Question<'_>,
    seed: u64,
    goes_on: GoesOn<'_>,
) -> Result<Vec<Explanation>, Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let players = question.players.len();
    let classes = question.classes.len();
    let mut order: Vec<usize> = (0..players).collect();
    let (mut sums, mut squares) = (vec![0.0; classes * players], vec![0.0; classes * players]);
    let mut bases = vec![0.0; classes];
    let mut values = vec![0.0; classes];
    for _ in 0..ORDERS {
        if !goes_on() {
            return Err(Error::GivenUp);
        }
        shuffle(&mut order, &mut rng);
        let other = question.background[below(&mut rng, question.background.len())];
        let forth = walk(estimator, question, other, &order)?;
        order.reverse();
        let back = walk(estimator, question, other, &order)?;
        for class in 0..classes {
            bases[class] += forth.start[class] / ORDERS as f64;
            values[class] = forth.end[class];
            for player in 0..players {
                let at = class * players + player;
                let both = (forth.moved[at] + back.moved[at]) / 2.0;
                sums[at] += both;
                squares[at] += both * both;
            }
        }
    }
    let n = ORDERS as f64;
    let explain = |class: usize| {
        let range = class * players..(class + 1) * players;
        let error = |(sum, square): (&f64, &f64)| {
            let variance = (square / n - (sum / n).powi(2)).max(0.0) * n / (n - 1.0);
            (variance / n).sqrt()
        };
        Explanation {
            measure: Measure::Probability,
            base: bases[class],
            value: values[class],
            contributions: sums[range.clone()].iter().map(|sum| sum / n).collect(),
            errors: sums[range.clone()].iter().zip(&squares[range]).map(error).collect(),
        }
    };
    Ok((0..classes).map(explain).collect())
}

/// What each player did to each class while they came one after the other, and where that began and ended.
struct Moved {
    start: Vec<f64>,
    end: Vec<f64>,
    moved: Vec<f64>,
}

fn walk(
    estimator: &Estimator,
    question: &Question<'_>,
    other: u32,
    order: &[usize],
) -> Result<Moved, Error> {
    let steps = order.len() + 1;
    let mut columns: Vec<Vec<f32>> =
        question.columns.iter().map(|column| vec![column[other as usize]; steps]).collect();
    for (step, &player) in order.iter().enumerate() {
        for &column in &question.players[player] {
            columns[column][step + 1..].fill(question.columns[column][question.row as usize]);
        }
    }
    let rows: Vec<u32> = (0..steps as u32).collect();
    let said = estimator.predict_proba(&columns, &rows)?;
    let of =
        |step: usize, class: usize| f64::from(said.row(step)[question.classes[class] as usize]);
    let classes = question.classes.len();
    let mut moved = vec![0.0; classes * order.len()];
    for class in 0..classes {
        for (step, &player) in order.iter().enumerate() {
            moved[class * order.len() + player] = of(step + 1, class) - of(step, class);
        }
    }
    Ok(Moved {
        start: (0..classes).map(|class| of(0, class)).collect(),
        end: (0..classes).map(|class| of(steps - 1, class)).collect(),
        moved,
    })
}
