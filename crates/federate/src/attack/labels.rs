//! What a liar does to its own labels.

use rand::seq::{SliceRandom, index};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::attack::{Attack, ValidAttack};
use crate::error::Error;

impl ValidAttack {
    /// Changes labels in place, before the client learns from them, and gives the rows whose columns are to be changed
    /// too ([`stamp`](Self::stamp)): ascending, and none unless it is a backdoor.
    ///
    /// # Shapes
    /// `codes` is `[n_rows]`, of this client only.
    /// # Errors
    /// [`Error::Class`] for a label that is none of the table's; `codes` is unchanged.
    pub fn poison_labels(&self, codes: &mut [u32], rng: &mut impl Rng) -> Result<Vec<u32>, Error> {
        let classes = self.classes;
        if let Some(row) = codes.iter().position(|&code| code >= classes) {
            return Err(Error::Class { row, code: codes[row], classes: classes as usize });
        }
        match &self.attack {
            Attack::LabelFlip { from, to } => {
                for code in codes.iter_mut().filter(|code| from.is_none_or(|from| from == **code)) {
                    *code = to.unwrap_or_else(|| another(*code, classes, rng));
                }
            }
            Attack::LabelRotation { by } => {
                let turn = |code: u32| (u64::from(code) + u64::from(*by)) % u64::from(classes);
                codes.iter_mut().for_each(|code| *code = turn(*code) as u32);
            }
            Attack::ColludingFlip { seed } => {
                let plan = plan(classes, *seed);
                codes.iter_mut().for_each(|code| *code = plan[*code as usize]);
            }
            Attack::Backdoor { target, share, .. } => {
                let rows = drawn_rows(codes.len(), *share, rng);
                rows.iter().for_each(|&row| codes[row as usize] = *target);
                return Ok(rows);
            }
            Attack::SignFlip
            | Attack::Scaling { .. }
            | Attack::GaussianNoise { .. }
            | Attack::FreeRider { .. } => {}
        }
        Ok(Vec::new())
    }
}

/// Any class but this one.
fn another(code: u32, classes: u32, rng: &mut impl Rng) -> u32 {
    let drawn = rng.random_range(0..classes - 1);
    if drawn < code { drawn } else { drawn + 1 }
}

/// A permutation of the classes that leaves none where it is: each becomes the next one on a circle in shuffled order.
/// The seed is all that the liars share, so it and nothing else decides.
fn plan(classes: u32, seed: u64) -> Vec<u32> {
    let mut circle: Vec<u32> = (0..classes).collect();
    circle.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let mut plan = vec![0; classes as usize];
    for (at, &code) in circle.iter().enumerate() {
        plan[code as usize] = circle[(at + 1) % circle.len()];
    }
    plan
}

fn drawn_rows(rows: usize, share: f64, rng: &mut impl Rng) -> Vec<u32> {
    let count = (share * rows as f64).round() as usize;
    let drawn = index::sample(rng, rows, count.min(rows));
    let mut drawn: Vec<u32> = drawn.into_iter().map(|row| row as u32).collect();
    drawn.sort_unstable();
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poisoned(attack: Attack, codes: &[u32], seed: u64) -> Vec<u32> {
        let attack = attack.check(4, 1).expect("an attack");
        let mut codes = codes.to_vec();
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        assert!(attack.poison_labels(&mut codes, rng).unwrap().is_empty());
        codes
    }

    fn flip(from: Option<u32>, to: Option<u32>) -> Attack {
        Attack::LabelFlip { from, to }
    }

    const CODES: [u32; 6] = [0, 1, 2, 3, 1, 0];

    #[test]
    fn a_flip_changes_what_it_names() {
        assert_eq!(poisoned(flip(Some(1), Some(3)), &CODES, 1), [0, 3, 2, 3, 3, 0]);
        assert_eq!(poisoned(flip(None, Some(2)), &CODES, 1), [2; 6]);
        let turned = poisoned(Attack::LabelRotation { by: 3 }, &CODES, 1);
        assert_eq!(turned, [3, 0, 1, 2, 0, 3]);
        for attack in [Attack::SignFlip, Attack::Scaling { by: 2.0 }] {
            assert_eq!(poisoned(attack, &CODES, 1), CODES);
        }
    }

    #[test]
    fn a_flip_to_any_class_draws_each_wrong_one_alike() {
        let found = poisoned(flip(Some(1), None), &[1; 30_000], 1);
        for class in [0, 2, 3] {
            let count = found.iter().filter(|&&code| code == class).count();
            // 4.5 standard deviations.
            assert!((count as f64 - 10_000.0).abs() < 368.0, "{class}: {count}");
        }
        assert!(!found.contains(&1));
        let all = poisoned(flip(None, None), &CODES, 1);
        assert!(all.iter().zip(CODES).all(|(&found, was)| found != was && found < 4), "{all:?}");
    }

    #[test]
    fn liars_with_one_seed_flip_alike_and_no_class_stays() {
        let mut plans = std::collections::BTreeSet::new();
        for seed in 0..40 {
            let one = poisoned(Attack::ColludingFlip { seed }, &[0, 1, 2, 3], 1);
            assert_eq!(one, poisoned(Attack::ColludingFlip { seed }, &[0, 1, 2, 3], 2));
            assert!((0..4).all(|class| one[class as usize] != class), "{one:?}");
            let mut distinct = one.clone();
            distinct.sort_unstable();
            assert_eq!(distinct, [0, 1, 2, 3]);
            plans.insert(one);
        }
        // There are six circles of four classes, and all of them are drawn.
        assert_eq!(plans.len(), 6);
    }

    #[test]
    fn an_unknown_label_is_refused() {
        let attack = flip(None, None).check(4, 1).expect("an attack");
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let mut codes = [0, 4];
        let refused = attack.poison_labels(&mut codes, rng);
        assert!(matches!(refused, Err(Error::Class { row: 1, code: 4, classes: 4 })));
        assert_eq!(codes, [0, 4]);
    }
}
