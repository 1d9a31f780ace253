//! A forest grown from sums is the forest of one place, whoever has the rows and whatever hides the counts.

use flowgait_federate::forest::{
    EdgeParams, Ground, Plain, Secured, Summing, central_forest, histogram_forest, shared_edges,
};
use flowgait_federate::homes::Homes;
use flowgait_federate::secure::SecurePlan;
use flowgait_model::forest::{ClassWeights, Edges, ForestParams};
use proptest::prelude::*;

use crate::made::{Masked, homes};

#[test]
fn ten_clients_grow_the_forest_of_one_place() {
    let homes = homes(4_000, 9, 7, 10, 3);
    let edges = Edges::learn(&homes.columns, &homes.all_rows());
    for params in [ForestParams::new(), ForestParams::extra_trees()] {
        for weights in [ClassWeights::Equal, ClassWeights::Balanced] {
            let params = params.clone().class_weights(weights).trees(4).depth_max(9);
            let params = params.check().unwrap();
            let ground = Ground { homes: &homes, params: &params, edges: &edges, seed: 11 };
            let central = central_forest(&ground).unwrap();
            let plain = histogram_forest(&ground, &mut Plain).unwrap();
            assert!(plain.forest == central);
            let mut masked = Masked { seed: 5, sums: 0 };
            let masked = histogram_forest(&ground, &mut masked).unwrap();
            assert!(masked == plain);
            assert!(plain.traffic.up > plain.traffic.down && plain.rounds > 9);
        }
    }
}

#[test]
fn secure_aggregation_gives_the_same_forest() {
    let homes = homes(400, 6, 5, 6, 21);
    let edges = Edges::learn(&homes.columns, &homes.all_rows());
    let params = ForestParams::new().trees(3).depth_max(5).check().unwrap();
    let ground = Ground { homes: &homes, params: &params, edges: &edges, seed: 4 };
    let plain = histogram_forest(&ground, &mut Plain).unwrap();
    let mut secured = Secured::new(SecurePlan::default(), 400 * 20, 17);
    let masked = histogram_forest(&ground, &mut secured).unwrap();
    assert!(masked.forest == plain.forest && masked.rounds == plain.rounds);
    // Keys and shares on top of the counts; but counts take no more bits than the ring has.
    let sent = secured.traffic().unwrap();
    assert!(sent.up > plain.traffic.up / 2 && sent.down > 0);
    // A bound that counts pass is noticed.
    assert!(histogram_forest(&ground, &mut Secured::new(SecurePlan::default(), 3, 17)).is_err());
}

#[test]
fn nobodys_rows_are_refused_as_in_one_place() {
    let mut homes = homes(30, 2, 2, 3, 21);
    let edges = Edges::learn(&homes.columns, &homes.all_rows());
    homes.rows.iter_mut().for_each(Vec::clear);
    let params = ForestParams::extra_trees().trees(3).check().unwrap();
    let ground = Ground { homes: &homes, params: &params, edges: &edges, seed: 4 };
    let told = histogram_forest(&ground, &mut Plain).unwrap_err().to_string();
    assert_eq!(told, central_forest(&ground).unwrap_err().to_string());
    let other = Edges::learn(&homes.columns[..1], &[]);
    let ground = Ground { edges: &other, ..ground };
    assert!(histogram_forest(&ground, &mut Plain).is_err());
}

/// A table of few rows, and whose they are.
fn dealt() -> impl Strategy<Value = Homes> {
    (1_u32..220, 1_usize..9, 1_usize..12, 1_u32..8, any::<u64>()).prop_map(
        |(rows, columns, classes, clients, seed)| homes(rows, columns, classes, clients, seed),
    )
}

fn any_params() -> impl Strategy<Value = ForestParams> {
    let kind = prop_oneof![Just(ForestParams::new()), Just(ForestParams::extra_trees())];
    let weights = prop_oneof![Just(ClassWeights::Equal), Just(ClassWeights::Balanced)];
    (kind, weights, 1_usize..4, 1_usize..4).prop_map(|(kind, weights, trees, leaf)| {
        kind.class_weights(weights).trees(trees).leaf_rows_min(leaf)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn masked_or_not_it_is_the_forest_of_one_place(
        homes in dealt(),
        params in any_params(),
        bins_max in 2_usize..256,
        seed: u64,
    ) {
        let params = params.check().unwrap();
        let edges = EdgeParams { bins_max, rows_least: 2 };
        let shared = shared_edges(&homes, edges, &mut Plain).unwrap();
        let masked = shared_edges(&homes, edges, &mut Masked { seed, sums: 0 }).unwrap();
        prop_assert_eq!(&shared, &masked);
        let ground = Ground { homes: &homes, params: &params, edges: &shared.edges, seed };
        let central = central_forest(&ground).unwrap();
        let plain = histogram_forest(&ground, &mut Plain).unwrap();
        prop_assert_eq!(&plain.forest, &central);
        let masked = histogram_forest(&ground, &mut Masked { seed, sums: 0 }).unwrap();
        prop_assert_eq!(&masked, &plain);
    }
}
