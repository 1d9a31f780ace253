//! The ways in which a federation's forest grows.

use flowgait_federate::coordinator::{Mechanism, PrivacyPlan, ValidPlan};
use flowgait_federate::federation::{Federation, ForestPlan, ForestWay};
use flowgait_federate::forest::{
    EdgeParams, Ground, Keeping, Noised, Plain, PrivateGrown, Secured, SharedEdges, SharedNoise,
    Summing, TreeRound, TreeShares, Trusted, fixed_edges, histogram_rounds, pooled_rounds,
    private_forest, shared_edges,
};
use flowgait_federate::run::Ended;
use flowgait_federate::secure::Traffic;
use flowgait_model::forest::{Edges, Forest, ValidForestParams};
use flowgait_privacy::{Delta, Epsilon, NoiseMultiplier};

use super::super::homes::Prepared;
use super::super::runs;
use super::Keeper;
use crate::failure::Failure;

/// Greatest count that a client may give: rows of a client are fewer.
const COUNT_MAX: u64 = 1 << 20;

/// A forest and what it took.
pub struct Grown {
    pub forest: Forest,
    /// Where the plain forest is cut.
    pub edges: Edges,
    pub traffic: Traffic,
    /// How often clients were asked.
    pub rounds: u64,
    pub epsilon: Option<f64>,
    pub ended: Ended,
}

/// Grows it, from the rounds that were kept on.
pub fn grow(
    federation: &Federation,
    prepared: &Prepared,
    plan: &ValidPlan,
    past: &[TreeRound],
    keeper: &mut Keeper,
) -> Result<Grown, Failure> {
    let forest = federation.forest.expect("called for a forest");
    if let Some(privacy) = plan.privacy() {
        return private(federation, prepared, &privacy, past, keeper);
    }
    let params = forest.params(federation.model.balanced).map_err(runs::usage)?;
    let way = Way { federation, prepared, params: &params, plan: forest };
    match federation.secure {
        None => way.plain(&mut Plain, past, keeper),
        Some(secure) => {
            way.plain(&mut Secured::new(secure, COUNT_MAX, federation.seed), past, keeper)
        }
    }
}

/// What a forest without noise is grown of.
struct Way<'a> {
    federation: &'a Federation,
    prepared: &'a Prepared,
    params: &'a ValidForestParams,
    plan: ForestPlan,
}

impl Way<'_> {
    fn plain(
        &self,
        summing: &mut impl Summing,
        past: &[TreeRound],
        keeper: &mut Keeper,
    ) -> Result<Grown, Failure> {
        let homes = &self.prepared.homes;
        let SharedEdges { edges, traffic, rounds } =
            shared_edges(homes, EdgeParams::default(), summing)?;
        let (params, seed) = (self.params, self.federation.seed);
        let ground = Ground { homes, params, edges: &edges, seed };
        let keeping = Keeping { past, after: |round: &TreeRound| keeper.keep(round) };
        let grown = match self.plan.way {
            ForestWay::Histogram => histogram_rounds(&ground, summing, keeping)?,
            ForestWay::Pooled => pooled_rounds(&ground, TreeShares::default(), keeping)?,
        };
        Ok(Grown {
            forest: grown.forest,
            edges,
            traffic: traffic + grown.traffic,
            rounds: rounds + grown.rounds,
            epsilon: None,
            ended: Ended::Done,
        })
    }
}

/// Grows it under privacy, by who adds the noise.
fn private(
    federation: &Federation,
    prepared: &Prepared,
    privacy: &PrivacyPlan,
    past: &[TreeRound],
    keeper: &mut Keeper,
) -> Result<Grown, Failure> {
    let limit = (Epsilon::new(privacy.epsilon), Delta::new(privacy.delta));
    let library = |error: flowgait_privacy::Error| runs::usage(error.into());
    let limit = (limit.0.map_err(library)?, limit.1.map_err(library)?);
    let noise = NoiseMultiplier::new(privacy.noise_multiplier).map_err(library)?;
    let (seed, clients) = (federation.seed, prepared.clients.len() as u32);
    let plan = federation.forest.expect("called for a forest");
    let ground = (federation, prepared);
    match (privacy.mechanism, federation.secure) {
        (Mechanism::Distributed, secure) => {
            // Without secure aggregation the plan was refused.
            let secure = secure.unwrap_or_default();
            let mut noised = SharedNoise::simulated(limit, noise, secure, clients, seed);
            under(ground, plan, &mut noised, past, keeper)
        }
        (Mechanism::Central, None) => {
            under(ground, plan, &mut Trusted::simulated(limit, noise, Plain, seed), past, keeper)
        }
        (Mechanism::Central, Some(secure)) => {
            let summing = Secured::new(secure, plan.rows_max.into(), seed);
            under(ground, plan, &mut Trusted::simulated(limit, noise, summing, seed), past, keeper)
        }
    }
}

fn under(
    (federation, prepared): (&Federation, &Prepared),
    plan: ForestPlan,
    noised: &mut impl Noised,
    past: &[TreeRound],
    keeper: &mut Keeper,
) -> Result<Grown, Failure> {
    let (homes, seed) = (&prepared.homes, federation.seed);
    let edges = fixed_edges(&homes.schema)?;
    let params = plan.params_private().map_err(runs::usage)?;
    let ground = Ground { homes, params: &params, edges: &edges, seed };
    let after = |round: &TreeRound| keeper.keep(round);
    let grown = private_forest(&ground, plan.rows_max, noised, Keeping { past, after })?;
    let PrivateGrown { forest, traffic, releases, spent } = grown;
    let epsilon = noised.epsilon();
    let ended = match spent {
        false => Ended::Done,
        true => Ended::BudgetSpent(format!(
            "{releases} levels of trees spent epsilon {epsilon:.3}, and one more would pass the budget"
        )),
    };
    let plain = shared_edges(homes, EdgeParams::default(), &mut Plain)?.edges;
    let epsilon = Some(epsilon);
    Ok(Grown { forest, edges: plain, traffic, rounds: releases, epsilon, ended })
}
