//! What a liar does to the update that it learnt.

use rand::Rng;

use crate::attack::{Attack, FreeRide, ValidAttack};
use crate::chance::normal;
use crate::error::Error;

impl ValidAttack {
    /// Changes an update in place, before it is sent. A large scaling may make entries infinite; a server refuses
    /// those.
    ///
    /// # Shapes
    /// `update` is `[n_parameters]`, and so is `last`: the change of the model in the round before, if there was one.
    /// # Errors
    /// [`Error::Count`] when `last` has another length; `update` is unchanged.
    pub fn poison_update(
        &self,
        update: &mut [f32],
        last: Option<&[f32]>,
        rng: &mut impl Rng,
    ) -> Result<(), Error> {
        match self.attack {
            Attack::SignFlip => update.iter_mut().for_each(|value| *value = -*value),
            Attack::Scaling { by } => update.iter_mut().for_each(|value| *value *= by),
            Attack::GaussianNoise { deviation } => add_noise(update, deviation, rng),
            Attack::FreeRider { gives, deviation } => {
                match last.filter(|_| gives == FreeRide::LastDelta) {
                    Some(last) if last.len() != update.len() => {
                        let (what, found) = ("entries of the last update", last.len());
                        return Err(Error::Count { what, found, expected: update.len() });
                    }
                    Some(last) => update.copy_from_slice(last),
                    None => update.fill(0.0),
                }
                add_noise(update, deviation, rng);
            }
            Attack::LabelFlip { .. }
            | Attack::LabelRotation { .. }
            | Attack::ColludingFlip { .. }
            | Attack::Backdoor { .. } => {}
        }
        Ok(())
    }
}

fn add_noise(update: &mut [f32], deviation: f64, rng: &mut impl Rng) {
    for value in update {
        *value = (f64::from(*value) + deviation * normal(rng)) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn poisoned(attack: Attack, update: &[f32], last: Option<&[f32]>) -> Vec<f32> {
        let attack = attack.check(2, 1).expect("an attack");
        let mut update = update.to_vec();
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        attack.poison_update(&mut update, last, rng).expect("one length");
        update
    }

    fn rider(gives: FreeRide, deviation: f64) -> Attack {
        Attack::FreeRider { gives, deviation }
    }

    #[test]
    fn an_update_is_turned_scaled_or_left_out() {
        let (update, last) = ([1.0, -2.0], [0.5, 0.25]);
        let check = |attack, expected: [f32; 2]| {
            assert_eq!(poisoned(attack, &update, Some(&last)), expected);
        };
        check(Attack::SignFlip, [-1.0, 2.0]);
        check(Attack::Scaling { by: 10.0 }, [10.0, -20.0]);
        check(Attack::LabelRotation { by: 1 }, update);
        check(Attack::GaussianNoise { deviation: 0.0 }, update);
        check(rider(FreeRide::Zeros, 0.0), [0.0; 2]);
        check(rider(FreeRide::LastDelta, 0.0), last);
        assert_eq!(poisoned(rider(FreeRide::LastDelta, 0.0), &update, None), [0.0; 2]);
    }

    #[test]
    fn noise_has_its_deviation() {
        for attack in [Attack::GaussianNoise { deviation: 0.5 }, rider(FreeRide::Zeros, 0.5)] {
            let found = poisoned(attack, &[0.0; 20_000], None);
            let squares = found.iter().map(|&value| f64::from(value).powi(2));
            let variance = squares.sum::<f64>() / 20_000.0;
            // 4.5 standard deviations of a variance: 0.25 √(2/n).
            assert!((variance - 0.25).abs() < 4.5 * 0.25 * 0.01, "{variance}");
        }
    }

    #[test]
    fn the_last_update_must_fit() {
        let attack = rider(FreeRide::LastDelta, 0.0).check(2, 1).expect("an attack");
        let (mut update, rng) = ([1.0], &mut ChaCha8Rng::seed_from_u64(1));
        let told = attack.poison_update(&mut update, Some(&[1.0, 2.0]), rng);
        let told = told.expect_err("two entries").to_string();
        assert_eq!(told, "there are 2 entries of the last update, but must be 1");
        assert_eq!(update, [1.0]);
    }
}
