//! A forest grown from sums is the forest of one place, whoever has the rows and whatever hides the counts.

use flowgait_federate::forest::{Plain, central_forest, histogram_forest};
use flowgait_model::forest::{ClassWeights, Edges, ForestParams};

use crate::made::{Masked, homes};

#[test]
fn ten_clients_grow_the_forest_of_one_place() {
    let homes = homes(4_000, 9, 7, 10, 3);
    let edges = Edges::learn(&homes.columns, &homes.all_rows());
    for params in [ForestParams::new(), ForestParams::extra_trees()] {
        for weights in [ClassWeights::Equal, ClassWeights::Balanced] {
            let params = params.clone().class_weights(weights).trees(4).depth_max(9);
            let params = params.check().unwrap();
            let central = central_forest(&homes, &params, &edges, 11).unwrap();
            let plain = histogram_forest(&homes, &params, &edges, 11, &mut Plain).unwrap();
            assert!(plain.forest == central);
            let mut masked = Masked { seed: 5, sums: 0 };
            let masked = histogram_forest(&homes, &params, &edges, 11, &mut masked).unwrap();
            assert!(masked == plain);
            assert!(plain.traffic.up > plain.traffic.down && plain.rounds > 9);
        }
    }
}
