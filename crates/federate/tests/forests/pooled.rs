//! A forest of each client's trees.

use flowgait_federate::forest::{
    EdgeParams, Ground, Plain, TreeShares, judge, local_forest, pooled_forest, shared_edges,
};
use flowgait_federate::homes::{HeldOut, Homes};
use flowgait_model::Estimator;
use flowgait_model::forest::{Forest, ForestParams};

use crate::made::homes;

/// Share of the rows that nobody learnt from which a forest tells.
fn accuracy(homes: &Homes, forest: &Forest, rows: &[u32]) -> f64 {
    let told = forest.predict_proba(&homes.columns, rows).unwrap();
    for at in 0..told.rows() {
        assert!((told.row(at).iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
    let right = (0..).zip(rows).filter(|&(at, row)| told.best(at) == homes.codes[*row as usize]);
    right.count() as f64 / rows.len() as f64
}

#[test]
fn together_they_know_more_than_each_alone() {
    let mut homes = homes(3_000, 8, 5, 6, 4);
    // Few rows to learn from, and many that nobody has.
    homes.rows.iter_mut().for_each(|rows| rows.retain(|&row| row < 300));
    let edges = shared_edges(&homes, EdgeParams::default(), &mut Plain).unwrap().edges;
    let params = ForestParams::new().trees(31).check().unwrap();
    let ground = Ground { homes: &homes, params: &params, edges: &edges, seed: 9 };
    let test: Vec<u32> = (300..3_000).collect();
    let held_out =
        HeldOut { of_clients: vec![vec![300], vec![], vec![400, 401]], common: test.clone() };
    let alone: Vec<f64> = (0..6)
        .map(|client| accuracy(&homes, &local_forest(&ground, client, 31).unwrap(), &test))
        .collect();
    let mean = alone.iter().sum::<f64>() / 6.0;
    for shares in [TreeShares::ByRows, TreeShares::Evenly] {
        let pooled = pooled_forest(&ground, shares).unwrap();
        assert_eq!((pooled.forest.trees(), pooled.forest.classes()), (31, 5));
        let importance: f32 = pooled.forest.importance().iter().sum();
        assert!((importance - 1.0).abs() < 1e-4);
        let together = accuracy(&homes, &pooled.forest, &test);
        assert!(together > mean + 0.02, "{together} {alone:?}");
        let judged = judge(&homes, &held_out, &Estimator::Forest(pooled.forest)).unwrap();
        assert!((judged.scores.unwrap().accuracy - together).abs() < 1e-12);
        assert!(judged.clients[1].is_none() && judged.clients[2].is_some());
        assert!(pooled.traffic.up > 0 && pooled.traffic.down > 0);
    }
}

#[test]
fn a_pooled_forest_says_the_mean_of_what_its_trees_say() {
    let homes = homes(600, 7, 4, 3, 8);
    let edges = shared_edges(&homes, EdgeParams::default(), &mut Plain).unwrap().edges;
    let params = ForestParams::extra_trees().trees(12).check().unwrap();
    let ground = Ground { homes: &homes, params: &params, edges: &edges, seed: 2 };
    let pooled = pooled_forest(&ground, TreeShares::Evenly).unwrap().forest;
    let rows: Vec<u32> = (0..600).collect();
    let told = pooled.predict_proba(&homes.columns, &rows).unwrap();
    let own: Vec<_> = (0..3)
        .map(|client| {
            let forest = local_forest(&ground, client, 4).unwrap();
            forest.predict_proba(&homes.columns, &rows).unwrap()
        })
        .collect();
    for (at, value) in told.values.iter().enumerate() {
        let mean = own.iter().map(|own| own.values[at]).sum::<f32>() / 3.0;
        assert!((value - mean).abs() < 1e-5);
    }
}

#[test]
fn a_class_gets_no_votes_of_clients_that_lack_it() {
    let mut homes = homes(600, 5, 3, 2, 4);
    let codes = homes.codes.clone();
    homes.rows[0].retain(|&row| codes[row as usize] != 2);
    let edges = shared_edges(&homes, EdgeParams::default(), &mut Plain).unwrap().edges;
    let params = ForestParams::new().trees(10).check().unwrap();
    let ground = Ground { homes: &homes, params: &params, edges: &edges, seed: 2 };
    let pooled = pooled_forest(&ground, TreeShares::Evenly).unwrap().forest;
    let rows: Vec<u32> = (0..600).filter(|row| codes[*row as usize] == 2).collect();
    let told = pooled.predict_proba(&homes.columns, &rows).unwrap();
    let votes: Vec<f32> = (0..told.rows()).map(|at| told.row(at)[2]).collect();
    assert!(votes.iter().all(|vote| *vote <= 0.5 + 1e-6) && votes.iter().any(|vote| *vote > 0.3));
}

#[test]
fn a_client_without_rows_grows_nothing() {
    let mut homes = homes(200, 3, 2, 3, 1);
    homes.rows[1].clear();
    let edges = shared_edges(&homes, EdgeParams::default(), &mut Plain).unwrap().edges;
    let params = ForestParams::new().trees(5).check().unwrap();
    let ground = Ground { homes: &homes, params: &params, edges: &edges, seed: 2 };
    assert_eq!(pooled_forest(&ground, TreeShares::Evenly).unwrap().forest.trees(), 5);
    homes.rows.iter_mut().for_each(Vec::clear);
    let ground = Ground { homes: &homes, params: &params, edges: &edges, seed: 2 };
    assert!(pooled_forest(&ground, TreeShares::ByRows).is_err());
}
