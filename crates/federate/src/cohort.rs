//! Which clients a round asks.

use flowgait_privacy::budget::Terms;
use flowgait_privacy::{NoiseMultiplier, SamplingRate};
use rand_chacha::rand_core::Rng;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::stream::{Purpose, stream};

/// How a round's clients are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Sampling {
    /// Every client in every round.
    #[default]
    Everyone,
    /// So many, without putting back.
    Fixed {
        /// How many.
        size: usize,
    },
    /// Each by a coin of its own, so that how many there are is drawn too.
    Poisson {
        /// The coin's chance.
        rate: f64,
    },
}

impl Sampling {
    /// Refuses what cannot be drawn.
    ///
    /// # Errors
    /// [`Error::Cohort`] for a cohort that is empty or larger than all; [`Error::Parameter`] for a chance that is none.
    pub fn check(self, clients: usize) -> Result<(), Error> {
        match self {
            Self::Everyone if clients > 0 => Ok(()),
            Self::Everyone => Err(Error::Cohort { cohort: 0, clients }),
            Self::Fixed { size } if (1..=clients).contains(&size) => Ok(()),
            Self::Fixed { size } => Err(Error::Cohort { cohort: size, clients }),
            Self::Poisson { rate } if rate > 0.0 && rate <= 1.0 && clients > 0 => Ok(()),
            Self::Poisson { rate } => {
                let must = "above 0 and at most 1";
                Err(Error::Parameter { name: "the sampling rate", value: rate, must })
            }
        }
    }

    /// How many clients a round asks, on average. Unlike the number it does ask, this tells nothing of who took part.
    #[must_use]
    pub fn expected(self, clients: usize) -> f64 {
        match self {
            Self::Everyone => clients as f64,
            Self::Fixed { size } => size as f64,
            Self::Poisson { rate } => rate * clients as f64,
        }
    }

    /// What a budget is asked for a round's sum under so much noise, which the coordinator adds.
    ///
    /// # Errors
    /// As [`SamplingRate::new`].
    pub fn terms(self, clients: usize, noise: NoiseMultiplier) -> Result<Terms, Error> {
        Ok(match self {
            Self::Everyone => Terms::Everyone { noise },
            Self::Fixed { size } => {
                Terms::FixedCohort { cohort: size as u32, population: clients as u32, noise }
            }
            Self::Poisson { rate } => Terms::Poisson { rate: SamplingRate::new(rate)?, noise },
        })
    }

    /// The clients of a round, ascending.
    #[must_use]
    pub fn draw(self, clients: usize, round: u64, seed: u64) -> Vec<u32> {
        let all = 0..clients as u32;
        let mut rng = stream(seed, Purpose::Cohort, round, 0);
        match self {
            Self::Everyone => all.collect(),
            Self::Fixed { size } => draw_of(all.collect(), size, &mut rng),
            Self::Poisson { rate } => {
                // 53 bits of a uniform number against the rate; off by less than 2^-53.
                let limit = (rate * (1_u64 << 53) as f64) as u64;
                all.filter(|_| rng.next_u64() >> 11 < limit).collect()
            }
        }
    }
}

/// So many of these, without putting back, ascending where they are.
pub(crate) fn draw_of(mut left: Vec<u32>, size: usize, rng: &mut impl Rng) -> Vec<u32> {
    let count = left.len();
    for at in 0..size.min(count) {
        let other = at + below(rng, count - at);
        left.swap(at, other);
    }
    left.truncate(size);
    left.sort_unstable();
    left
}

/// A number below `limit`, exactly uniform.
fn below(rng: &mut impl Rng, limit: usize) -> usize {
    let limit = limit as u64;
    let most = u64::MAX - u64::MAX % limit;
    loop {
        let drawn = rng.next_u64();
        if drawn < most {
            return (drawn % limit) as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_is_asked_as_often_as_the_rule_says() {
        for sampling in [Sampling::Fixed { size: 6 }, Sampling::Poisson { rate: 0.3 }] {
            let mut asked = [0_u32; 20];
            for round in 0..4_000 {
                let cohort = sampling.draw(20, round, 9);
                assert!(cohort.is_sorted() && cohort.iter().all(|&client| client < 20));
                cohort.iter().for_each(|&client| asked[client as usize] += 1);
            }
            // 1,200 expected of each, with a standard deviation of 29.
            assert!(asked.iter().all(|count| count.abs_diff(1_200) < 130), "{asked:?}");
        }
    }

    #[test]
    fn rounds_draw_anew_and_the_same_round_the_same() {
        let sampling = Sampling::Fixed { size: 5 };
        assert_eq!(sampling.draw(100, 3, 1), sampling.draw(100, 3, 1));
        assert_ne!(sampling.draw(100, 3, 1), sampling.draw(100, 4, 1));
        assert_ne!(sampling.draw(100, 3, 1), sampling.draw(100, 3, 2));
        assert_eq!(Sampling::Everyone.draw(3, 1, 1), [0, 1, 2]);
        assert_eq!(Sampling::Poisson { rate: 1.0 }.draw(3, 1, 1), [0, 1, 2]);
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let told = |sampling: Sampling| sampling.check(3).unwrap_err().to_string();
        assert_eq!(
            told(Sampling::Fixed { size: 4 }),
            "a cohort of 4 cannot be drawn from 3 clients"
        );
        assert!(told(Sampling::Fixed { size: 0 }).starts_with("a cohort of 0"));
        assert_eq!(
            told(Sampling::Poisson { rate: 1.5 }),
            "the sampling rate is 1.5, but must be above 0 and at most 1"
        );
        assert!(Sampling::Poisson { rate: f64::NAN }.check(3).is_err());
        assert!(Sampling::Everyone.check(0).is_err());
    }
}
