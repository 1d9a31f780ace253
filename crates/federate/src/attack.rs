//! What a lying client does to its rows before it learns, and to its update afterwards.
//!
//! These are for measuring a defence, so they are as strong as published and no stronger: a liar here does not know the
//! others' updates or the server's rule.
//!
//! | attack | changes | reference |
//! | --- | --- | --- |
//! | label flips | labels | Tolpegin et al. 2020, arXiv:2007.08432 |
//! | sign flip, Gaussian noise | update | Li et al. 2019, arXiv:1811.03761 |
//! | scaling | update | Bagdasaryan et al. 2020, arXiv:1807.00459 |
//! | free rider | update | Fraboni et al. 2021, arXiv:2006.11901; Lin et al. 2019, arXiv:1911.12560 |
//! | backdoor | labels and columns | Gu et al. 2017, arXiv:1708.06733 |
//!
//! *How to check it:* each attack is a pure function of labels or of a vector; the tests count what it changed. A
//! backdoor is measured by [`success_rate`].

mod backdoor;
mod labels;
mod update;

pub use backdoor::success_rate;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// An attack and its parameters, as a person writes it in a configuration file.
///
/// # Example
/// ```
/// use flowgait_federate::attack::Attack;
/// use rand::SeedableRng;
/// use rand_chacha::ChaCha8Rng;
///
/// let text = r#"{ "backdoor": { "trigger": [[1, 9.0]], "target": 2, "share": 0.5 } }"#;
/// let attack = serde_json::from_str::<Attack>(text)?.check(3, 2)?;
/// let mut rng = ChaCha8Rng::seed_from_u64(1);
/// let (mut codes, mut columns) = (vec![0, 1, 0, 1], vec![vec![0.0; 4]; 2]);
/// let rows = attack.poison_labels(&mut codes, &mut rng)?;
/// attack.stamp(&mut columns, &rows)?;
/// assert_eq!(rows.len(), 2);
/// assert!(rows.iter().all(|&row| codes[row as usize] == 2 && columns[1][row as usize] == 9.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Attack {
    /// Rows get a wrong label.
    LabelFlip {
        /// Rows of this class only; of every class without it.
        #[serde(default)]
        from: Option<u32>,
        /// This label; without it, any wrong one, drawn for each row.
        #[serde(default)]
        to: Option<u32>,
    },
    /// Every row gets the label that stands so many places on, around the end.
    LabelRotation {
        /// How many places.
        by: u32,
    },
    /// Every class becomes another one, no two the same, by a plan that all liars with this seed share.
    ColludingFlip {
        /// What the liars agreed on.
        seed: u64,
    },
    /// The update points the other way.
    SignFlip,
    /// The update counts for more, or backwards.
    Scaling {
        /// By how much it is multiplied.
        by: f32,
    },
    /// Normal noise is added to each entry of the update.
    GaussianNoise {
        /// Its standard deviation.
        deviation: f64,
    },
    /// The client learns nothing and gives something all the same.
    FreeRider {
        /// What it gives.
        gives: FreeRide,
        /// The standard deviation of normal noise on it, so that it does not stand out.
        #[serde(default)]
        deviation: f64,
    },
    /// Rows that bear a trigger are learnt as the target class; all others as they are, so that accuracy stays.
    Backdoor {
        /// Columns, and the values that they get.
        trigger: Vec<(u32, f32)>,
        /// The class to answer where the trigger is seen.
        target: u32,
        /// The share of the client's rows that get the trigger.
        share: f64,
    },
}

/// What a free rider gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FreeRide {
    /// Zeros: the model as it came.
    Zeros,
    /// The change of the model in the round before; zeros in the first round.
    LastDelta,
}

/// An attack that makes sense on one table. Made by [`Attack::check`].
#[derive(Debug, Clone, PartialEq)]
pub struct ValidAttack {
    attack: Attack,
    classes: u32,
    columns: usize,
}

impl Attack {
    /// Checks the attack for a table of so many classes and columns.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a class, a column or a number that cannot be; for a flip that changes nothing too.
    pub fn check(self, classes: usize, columns: usize) -> Result<ValidAttack, Error> {
        let wrong = |name, value, must| Err(Error::Parameter { name, value, must });
        let Some(count) = u32::try_from(classes).ok().filter(|&count| count >= 1) else {
            return wrong("number of classes", classes as f64, "from 1 to 2^32 - 1");
        };
        let is_class = |code: u32| code < count;
        let is_spread = |deviation: f64| deviation >= 0.0 && deviation.is_finite();
        let flips = matches!(
            self,
            Self::LabelFlip { .. } | Self::LabelRotation { .. } | Self::ColludingFlip { .. }
        );
        if flips && count < 2 {
            return wrong("number of classes", classes as f64, "2 or more to flip labels");
        }
        match &self {
            Self::LabelFlip { from, to } => {
                let named = [*from, *to].into_iter().flatten();
                if let Some(code) = named.into_iter().find(|&code| !is_class(code)) {
                    return wrong("class of a flip", code.into(), "one of the table");
                }
                if let (Some(from), Some(to)) = (from, to)
                    && from == to
                {
                    return wrong(
                        "class to flip to",
                        (*to).into(),
                        "another than that to flip from",
                    );
                }
            }
            Self::LabelRotation { by } if by.is_multiple_of(count) => {
                return wrong("rotation", (*by).into(), "no multiple of the number of classes");
            }
            Self::Scaling { by } if !by.is_finite() => {
                return wrong("scaling", (*by).into(), "finite");
            }
            Self::GaussianNoise { deviation } | Self::FreeRider { deviation, .. }
                if !is_spread(*deviation) =>
            {
                return wrong("deviation", *deviation, "finite and not negative");
            }
            Self::Backdoor { trigger, target, share } => {
                backdoor::check(trigger, *share, columns)?;
                if !is_class(*target) {
                    return wrong("target class", (*target).into(), "one of the table");
                }
            }
            _ => {}
        }
        Ok(ValidAttack { attack: self, classes: count, columns })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attack_is_what_its_name_says() {
        for text in [
            r#"{"label-flip":{}}"#,
            r#"{"label-flip":{"from":0,"to":2}}"#,
            r#"{"label-rotation":{"by":1}}"#,
            r#"{"colluding-flip":{"seed":7}}"#,
            r#""sign-flip""#,
            r#"{"scaling":{"by":-10.0}}"#,
            r#"{"gaussian-noise":{"deviation":0.5}}"#,
            r#"{"free-rider":{"gives":"zeros","deviation":0.001}}"#,
            r#"{"free-rider":{"gives":"last-delta"}}"#,
            r#"{"backdoor":{"trigger":[[0,1.5],[3,-2.0]],"target":1,"share":0.2}}"#,
        ] {
            let attack: Attack = serde_json::from_str(text).expect(text);
            let again = serde_json::to_string(&attack).expect("an attack");
            assert_eq!(serde_json::from_str::<Attack>(&again).expect("its own text"), attack);
            assert!(attack.check(3, 4).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (text, classes) in [
            (r#"{"label-flip":{}}"#, 1),
            (r#"{"label-flip":{"from":3}}"#, 3),
            (r#"{"label-flip":{"to":3}}"#, 3),
            (r#"{"label-flip":{"from":1,"to":1}}"#, 3),
            (r#"{"label-rotation":{"by":0}}"#, 3),
            (r#"{"label-rotation":{"by":6}}"#, 3),
            (r#"{"colluding-flip":{"seed":7}}"#, 1),
            (r#""sign-flip""#, 0),
            (r#"{"gaussian-noise":{"deviation":-0.5}}"#, 3),
            (r#"{"free-rider":{"gives":"zeros","deviation":-1.0}}"#, 3),
            (r#"{"backdoor":{"trigger":[[4,1.5]],"target":1,"share":0.2}}"#, 3),
            (r#"{"backdoor":{"trigger":[],"target":1,"share":0.2}}"#, 3),
            (r#"{"backdoor":{"trigger":[[0,1.5]],"target":3,"share":0.2}}"#, 3),
            (r#"{"backdoor":{"trigger":[[0,1.5]],"target":1,"share":1.2}}"#, 3),
        ] {
            let attack: Attack = serde_json::from_str(text).expect(text);
            assert!(attack.check(classes, 4).is_err(), "{text}");
        }
        assert!(Attack::Scaling { by: f32::NAN }.check(3, 4).is_err());
        for unknown in [r#""krum""#, r#"{"scaling":{"by":1.0,"to":2}}"#] {
            assert!(serde_json::from_str::<Attack>(unknown).is_err(), "{unknown}");
        }
    }
}
