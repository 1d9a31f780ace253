//! One round's release: who takes part and under how much noise, as plain data that a ledger can keep.

use serde::{Deserialize, Serialize};

use crate::account::{Rdp, Shares};
use crate::error::Error;
use crate::neighbours::{
    AddOrRemoveOne, Neighbours, Relation, ReplaceOne, SizeIsPublic, ZeroOutOne,
};
use crate::parameter::{Delta, NoiseMultiplier, SamplingRate};

/// Who takes part in a release, and its noise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Terms {
    /// Every client's update is in the sum.
    Everyone {
        /// Over the sensitivity.
        noise: NoiseMultiplier,
    },
    /// Each client joins by a coin of its own.
    Poisson {
        /// The coin's chance.
        rate: SamplingRate,
        /// Over the sensitivity.
        noise: NoiseMultiplier,
    },
    /// A cohort of fixed size is drawn from the population without putting back.
    FixedCohort {
        /// Clients of each round.
        cohort: u32,
        /// Clients to draw from.
        population: u32,
        /// Over the sensitivity.
        noise: NoiseMultiplier,
    },
    /// Every client's update is in the sum, and each added noise of its own.
    Distributed {
        /// Whose noise it is, and how wide.
        shares: Shares,
    },
}

impl Terms {
    /// What so many such releases cost, under the neighbouring relation that something is known of them by: a client is there or not, is
    /// swapped for another in a cohort of fixed size, or gives zeros where each client adds noise.
    ///
    /// # Errors
    /// As [`Release::new`].
    pub fn epsilon(&self, rounds: u64, delta: Delta) -> Result<f64, Error> {
        fn of<N: Neighbours>(terms: Terms, rounds: u64, delta: Delta) -> Result<f64, Error> {
            Ok(Release::<N>::new(terms)?.cost().times(rounds).epsilon(delta))
        }
        match self {
            Self::Everyone { .. } | Self::Poisson { .. } => {
                of::<AddOrRemoveOne>(*self, rounds, delta)
            }
            Self::FixedCohort { .. } => of::<ReplaceOne>(*self, rounds, delta),
            Self::Distributed { .. } => of::<ZeroOutOne>(*self, rounds, delta),
        }
    }

    /// What they are called in an error.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Everyone { .. } => "a sum over everyone",
            Self::Poisson { .. } => "a Poisson sample",
            Self::FixedCohort { .. } => "a cohort of fixed size",
            Self::Distributed { .. } => "noise added by each client",
        }
    }
}

/// One round's release: who takes part, and under how much noise.
///
/// It is written as plain data with its neighbouring relation, and checked when it is read: a release that could not
/// have been made, or that was made under another relation, is refused.
///
/// # Example
/// ```
/// use flowgait_privacy::budget::Release;
/// use flowgait_privacy::{AddOrRemoveOne, NoiseMultiplier, ReplaceOne};
///
/// let release = Release::<AddOrRemoveOne>::everyone(NoiseMultiplier::new(1.5)?);
/// let written = serde_json::to_string(&release)?;
/// assert_eq!(written, r#"{"neighbours":"add_or_remove_one","terms":{"everyone":{"noise":1.5}}}"#);
/// assert_eq!(serde_json::from_str::<Release<AddOrRemoveOne>>(&written)?, release);
///
/// assert!(serde_json::from_str::<Release<ReplaceOne>>(&written).is_err());
/// assert!(serde_json::from_str::<Release<AddOrRemoveOne>>(&written.replace("1.5", "-1.5")).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written", bound = "")]
pub struct Release<N: Neighbours> {
    terms: Terms,
    noise: NoiseMultiplier,
    cost: Rdp<N>,
}

/// A release as it stands in a file, before it is checked.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    neighbours: Relation,
    terms: Terms,
}

impl<N: Neighbours> Release<N> {
    /// The release with these terms.
    ///
    /// # Errors
    /// [`Error::NotCovered`] when nothing is known of them under this relation; as the functions below otherwise.
    pub fn new(terms: Terms) -> Result<Self, Error> {
        let noise = match terms {
            Terms::Everyone { noise }
            | Terms::Poisson { noise, .. }
            | Terms::FixedCohort { noise, .. } => noise,
            Terms::Distributed { shares } => shares.noise_multiplier::<N>()?,
        };
        let cost = match (terms, N::RELATION) {
            (Terms::Everyone { noise }, _) => Rdp::gaussian(noise),
            (Terms::Poisson { rate, noise }, Relation::AddOrRemoveOne) => {
                Rdp::poisson(rate, noise).under()
            }
            (Terms::FixedCohort { cohort, population, noise }, Relation::ReplaceOne) => {
                Rdp::fixed_cohort(cohort, population, noise)?.under()
            }
            (Terms::Distributed { shares }, Relation::ReplaceOne) => {
                shares.rdp::<ReplaceOne>().under()
            }
            (Terms::Distributed { shares }, Relation::ZeroOutOne) => {
                shares.rdp::<ZeroOutOne>().under()
            }
            _ => return Err(Error::NotCovered { what: terms.name(), by: N::RELATION.name() }),
        };
        Ok(Self { terms, noise, cost })
    }

    /// Every client's update is in the sum; nothing is claimed of sampling.
    #[must_use]
    pub fn everyone(noise: NoiseMultiplier) -> Self {
        Self { terms: Terms::Everyone { noise }, noise, cost: Rdp::gaussian(noise) }
    }

    /// Who takes part, and the noise.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The noise of the release; that of all shares together where clients add it.
    #[must_use]
    pub fn noise(&self) -> NoiseMultiplier {
        self.noise
    }

    /// What one such release costs.
    #[must_use]
    pub fn cost(&self) -> &Rdp<N> {
        &self.cost
    }
}

impl Release<AddOrRemoveOne> {
    /// Each client joins by a coin of its own.
    #[must_use]
    pub fn poisson(rate: SamplingRate, noise: NoiseMultiplier) -> Self {
        Self { terms: Terms::Poisson { rate, noise }, noise, cost: Rdp::poisson(rate, noise) }
    }
}

impl Release<ReplaceOne> {
    /// A cohort of fixed size is drawn from the population without putting back.
    ///
    /// # Errors
    /// [`Error::Cohort`] when the cohort is empty or larger than the population.
    pub fn fixed_cohort(
        cohort: u32,
        population: u32,
        noise: NoiseMultiplier,
    ) -> Result<Self, Error> {
        Self::new(Terms::FixedCohort { cohort, population, noise })
    }
}

impl<N: SizeIsPublic> Release<N> {
    /// Each client adds noise of its own; only that of survivors counts, so this is made once they are known.
    ///
    /// # Errors
    /// [`Error::Parameter`] when the whole noise is below any [`NoiseMultiplier`].
    pub fn distributed(shares: Shares) -> Result<Self, Error> {
        Self::new(Terms::Distributed { shares })
    }
}

impl<N: Neighbours> From<Release<N>> for Written {
    fn from(release: Release<N>) -> Self {
        Self { neighbours: N::RELATION, terms: release.terms }
    }
}

impl<N: Neighbours> TryFrom<Written> for Release<N> {
    type Error = Error;

    fn try_from(written: Written) -> Result<Self, Error> {
        if written.neighbours != N::RELATION {
            let what = "a release under another neighbouring relation";
            return Err(Error::NotCovered { what, by: N::RELATION.name() });
        }
        Self::new(written.terms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributed::Noise;
    use crate::parameter::Survivors;
    use crate::sample::Variance;

    fn noise(z: f64) -> NoiseMultiplier {
        NoiseMultiplier::new(z).expect("noise")
    }

    fn shares() -> Shares {
        let noise = Noise::DiscreteGaussian(Variance::new(2500, 1).expect("a variance"));
        Shares::new(noise, Survivors::new(80).expect("survivors"), 1 << 15, 49_000).expect("one")
    }

    fn check<N: Neighbours>(release: &Release<N>, expected: &str) {
        let written = serde_json::to_string(release).expect("plain data");
        assert_eq!(written, expected);
        assert_eq!(&serde_json::from_str::<Release<N>>(&written).expect("a release"), release);
    }

    #[test]
    fn releases_are_read_as_they_were_written() {
        let rate = SamplingRate::new(0.01).expect("a rate");
        check(
            &Release::poisson(rate, noise(1.1)),
            r#"{"neighbours":"add_or_remove_one","terms":{"poisson":{"rate":0.01,"noise":1.1}}}"#,
        );
        check(
            &Release::fixed_cohort(10, 1000, noise(2.0)).expect("a cohort"),
            r#"{"neighbours":"replace_one","terms":{"fixed_cohort":{"cohort":10,"population":1000,"noise":2.0}}}"#,
        );
        check(
            &Release::<ZeroOutOne>::distributed(shares()).expect("a release"),
            concat!(
                r#"{"neighbours":"zero_out_one","terms":{"distributed":{"shares":{"noise":"#,
                r#"{"discrete_gaussian":{"numerator":2500,"denominator":1}},"#,
                r#""survivors":80,"n_padded":32768,"squares_max":49000}}}}"#
            ),
        );
    }

    #[test]
    fn releases_that_could_not_have_been_made_are_refused() {
        let good = Release::<ZeroOutOne>::distributed(shares()).expect("a release");
        let written = serde_json::to_string(&good).expect("plain data");
        let read = |from: &str, to: &str| {
            let changed = written.replace(from, to);
            assert_ne!(changed, written);
            serde_json::from_str::<Release<ZeroOutOne>>(&changed)
        };
        assert!(read("80", "81").is_ok());
        assert!(read(r#""survivors":80"#, r#""survivors":0"#).is_err());
        assert!(read(r#""denominator":1"#, r#""denominator":0"#).is_err());
        assert!(read(r#""numerator":2500"#, r#""numerator":-2500"#).is_err());
        assert!(read(r#""numerator":2500"#, r#""numerator":0"#).is_err());
        assert!(read("49000", "0").is_err());
        assert!(read(r#""survivors""#, r#""asked":90,"survivors""#).is_err());
        assert!(read("zero_out_one", "replace_one").is_err());
        let over = r#"{"neighbours":"replace_one","terms":{"fixed_cohort":{"cohort":9,"population":8,"noise":2.0}}}"#;
        assert!(serde_json::from_str::<Release<ReplaceOne>>(over).is_err());
    }

    #[test]
    fn terms_cost_what_their_releases_do() {
        let delta = Delta::new(1e-5).expect("a delta");
        // Of the shared reference: 10 of 1,000, z = 1, 1,000 rounds.
        let terms = Terms::FixedCohort { cohort: 10, population: 1000, noise: noise(1.0) };
        let epsilon = terms.epsilon(1000, delta).expect("a cohort");
        assert!((epsilon - 3.576_111).abs() < 1e-4, "{epsilon}");
        let rate = SamplingRate::new(0.01).expect("a rate");
        let epsilon = Terms::Poisson { rate, noise: noise(1.0) }.epsilon(1000, delta);
        assert!((epsilon.expect("a sample") - 2.101_367).abs() < 1e-4);
        let shared = Terms::Distributed { shares: shares() }.epsilon(1, delta).expect("shares");
        let release = Release::<ZeroOutOne>::distributed(shares()).expect("a release");
        assert_eq!(shared, release.cost().epsilon(delta));
    }

    #[test]
    fn terms_are_covered_only_where_something_is_known() {
        let refused = Release::<AddOrRemoveOne>::new(Terms::Distributed { shares: shares() });
        let told = "noise added by each client is not covered by AddOrRemoveOne";
        assert_eq!(refused.expect_err("the size is not public").to_string(), told);
        let rate = SamplingRate::new(0.5).expect("a rate");
        assert!(Release::<ReplaceOne>::new(Terms::Poisson { rate, noise: noise(1.0) }).is_err());
        assert!(Release::<ZeroOutOne>::new(Terms::Poisson { rate, noise: noise(1.0) }).is_err());
        assert!(Release::<ZeroOutOne>::new(Terms::Everyone { noise: noise(1.0) }).is_ok());
    }
}
