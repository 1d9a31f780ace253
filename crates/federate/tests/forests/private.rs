//! A forest under privacy of each client: what it spends, and how far one client moves what is shown.

use flowgait_federate::Error;
use flowgait_federate::forest::private::sensitivity;
use flowgait_federate::forest::{
    Ground, Plain, PrivateParams, Summing, central_forest, private_forest,
};
use flowgait_federate::homes::Homes;
use flowgait_model::forest::{ClassWeights, Edges, Forest, ForestParams, Growth, Sampling, Site};
use flowgait_privacy::audit;
use flowgait_privacy::budget::{Budget, Release};
use flowgait_privacy::{AddOrRemoveOne, Delta, Epsilon, NoiseMultiplier, ReplaceOne};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use crate::made::homes;

fn budget(epsilon: f64) -> Budget<AddOrRemoveOne> {
    Budget::new(Epsilon::new(epsilon).unwrap(), Delta::new(1e-5).unwrap())
}

fn even_edges(columns: usize, bins: usize) -> Edges {
    let steps = (1..bins).map(|at| 5.0 * at as f32 / bins as f32).collect::<Vec<f32>>();
    Edges::new(vec![(steps, true); columns]).unwrap()
}

fn private(rows_max: u32, noise: f64) -> PrivateParams {
    PrivateParams { rows_max, noise: NoiseMultiplier::new(noise).unwrap() }
}

#[test]
fn it_spends_what_it_says_and_never_more_than_the_budget() {
    let homes = homes(2_000, 6, 4, 40, 6);
    let edges = even_edges(6, 12);
    let params = ForestParams::new().trees(3).depth_max(4).check().unwrap();
    let ground = Ground { homes: &homes, params: &params, edges: &edges, seed: 3 };
    for (epsilon, noise) in [(40.0, 1.0), (6.0, 1.5), (1.0, 2.0), (1.0, 40.0)] {
        let mut budget = budget(epsilon);
        // How much was paid for when clients were asked: always one release more than was shown before.
        let mut asked = 0;
        let mut counting = |given: Vec<Vec<u32>>| {
            asked += 1;
            Plain.sum(given)
        };
        let rng = &mut ChaCha20Rng::seed_from_u64(8);
        let private = private(20, noise);
        let grown = private_forest(&ground, &private, &mut budget, &mut counting, rng);
        let release = Release::everyone(private.noise);
        match grown {
            Ok(grown) => {
                assert_eq!((budget.rounds(), asked), (grown.releases, grown.releases));
                let past = [(release.clone(), grown.releases)];
                let (limit, delta) = (Epsilon::new(epsilon).unwrap(), Delta::new(1e-5).unwrap());
                let again = Budget::resume(limit, delta, &past);
                assert!((budget.epsilon() - again.epsilon()).abs() < 1e-9);
                assert_eq!(grown.spent, budget.permit(&release).is_err() && grown.releases < 12);
                assert!(grown.forest.trees() <= 3 && grown.forest.trees() > 0);
                let told = grown.forest.predict_proba(&homes.columns, &[0, 1, 2]).unwrap();
                assert!(told.values.iter().all(|p| p.is_finite()));
            }
            Err(refused) => {
                assert!(matches!(refused, Error::Privacy(_)), "{refused}");
                assert_eq!((budget.rounds(), asked), (0, 0));
            }
        }
        assert!(budget.epsilon() <= epsilon);
    }
}

#[test]
fn what_cannot_be_private_is_refused_and_costs_nothing() {
    let homes = homes(100, 3, 2, 5, 6);
    let edges = even_edges(3, 4);
    let params = ForestParams::new().trees(2);
    let cases = [
        (params.clone(), 5),
        (params.clone().depth_max(13), 5),
        (params.clone().depth_max(3), 0),
        (params.clone().depth_max(3), u32::MAX),
        (params.depth_max(3).class_weights(ClassWeights::Balanced), 5),
    ];
    for (params, rows_max) in cases {
        let params = params.check().unwrap();
        let ground = Ground { homes: &homes, params: &params, edges: &edges, seed: 3 };
        let mut budget = budget(50.0);
        let rng = &mut ChaCha20Rng::seed_from_u64(8);
        let private = private(rows_max, 1.0);
        assert!(private_forest(&ground, &private, &mut budget, &mut Plain, rng).is_err());
        assert_eq!(budget.rounds(), 0);
    }
}

fn accuracy(homes: &Homes, forest: &Forest, rows: &[u32]) -> f64 {
    let told = forest.predict_proba(&homes.columns, rows).unwrap();
    let right = (0..).zip(rows).filter(|&(at, row)| told.best(at) == homes.codes[*row as usize]);
    right.count() as f64 / rows.len() as f64
}

#[test]
fn with_hardly_any_noise_it_is_as_good_as_without() {
    let mut homes = homes(6_000, 6, 3, 60, 12);
    let test: Vec<u32> = (5_000..6_000).collect();
    homes.rows.iter_mut().for_each(|rows| rows.retain(|&row| row < 5_000));
    let edges = even_edges(6, 16);
    let params = ForestParams::new().trees(8).depth_max(5).check().unwrap();
    let ground = Ground { homes: &homes, params: &params, edges: &edges, seed: 3 };
    let central = accuracy(&homes, &central_forest(&ground).unwrap(), &test);
    let told = |noise, rows_max| {
        let rng = &mut ChaCha20Rng::seed_from_u64(8);
        let limit =
            Budget::<ReplaceOne>::new(Epsilon::new(1e9).unwrap(), Delta::new(1e-5).unwrap());
        let private = private(rows_max, noise);
        let grown = private_forest(&ground, &private, &mut limit.clone(), &mut Plain, rng).unwrap();
        accuracy(&homes, &grown.forest, &test)
    };
    let (little, much) = (told(0.01, 100), told(30.0, 100));
    assert!((little - central).abs() < 0.03, "{little} {central}");
    assert!(much < little - 0.05, "{much} {little}");
}

/// Squared change of all counts of a level when a client comes, by counting with it and without it.
fn change(site: &Site, others: &[Site], questions: &[flowgait_model::forest::Question]) -> u128 {
    let sum = |sites: &mut dyn Iterator<Item = &Site>| {
        Plain.sum(sites.map(|site| site.count(questions).unwrap()).collect()).unwrap()
    };
    let with = sum(&mut others.iter().chain([site]));
    let without = sum(&mut others.iter());
    with.iter().zip(without).map(|(a, b)| u128::from(a.abs_diff(b)).pow(2)).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_client_moves_a_level_further_than_its_sensitivity(
        cells in prop::collection::vec((0_u8..3, 0_u8..3, 0_u8..3, 0_u32..3), 1..40),
        own in 0_usize..20,
        rows_max in 1_u32..12,
        bootstrap: bool,
        columns in 1_usize..4,
        seed: u64,
    ) {
        let column = |at: usize| cells.iter().map(move |c| f32::from([c.0, c.1, c.2][at])).collect();
        let table: Vec<Vec<f32>> = (0..3).map(column).collect();
        let codes: Vec<u32> = cells.iter().map(|cell| cell.3).collect();
        let own = own.min(cells.len() - 1) as u32;
        let rows = vec![(0..own).collect(), (own..cells.len() as u32).collect()];
        let homes = Homes { columns: table, codes, classes: 3, rows, ..Homes::default() };
        let edges = Edges::new(vec![(vec![0.5, 1.5], false); 3]).unwrap();
        let sampling = if bootstrap { Sampling::Bootstrap } else { Sampling::All };
        let params = ForestParams::new().trees(2).depth_max(3).sampling(sampling);
        let params = params.features_tried(flowgait_model::forest::FeaturesTried::Count(columns));
        let params = params.check().unwrap();
        let mut sites: Vec<Site> = (0..)
            .zip(&homes.rows)
            .map(|(client, rows): (u64, _)| {
                let keys: Vec<u64> = rows.iter().map(|row| client << 32 | u64::from(*row)).collect();
                let site = Site::new(&params, &edges, &homes.training(rows), &keys, seed).unwrap();
                site.limited(rows_max, seed)
            })
            .collect();
        let mut growth = Growth::noisy(&params, &edges, 3, seed).unwrap();
        let most = u128::from(sensitivity(rows_max, columns)).pow(2);
        loop {
            let questions = growth.questions(usize::MAX);
            if questions.is_empty() {
                break;
            }
            let (one, others) = sites.split_first().unwrap();
            prop_assert!(change(one, others, &questions) <= most);
            let counts = sites.iter().map(|site| site.count(&questions).unwrap()).collect();
            let sums: Vec<i64> = Plain.sum(counts).unwrap().into_iter().map(i64::from).collect();
            let splits = growth.answer(&sums).unwrap();
            sites.iter_mut().for_each(|site| site.follow(&splits).unwrap());
        }
    }
}

#[test]
fn a_client_whose_rows_are_all_alike_moves_a_level_as_far_as_any() {
    // 9 columns tried, 7 draws: 7 √9 = 21, and no noise could be less.
    let (rows, rows_max): (Vec<u32>, _) = ((0..30).collect(), 7);
    let homes = Homes {
        columns: vec![vec![1.0; 30]; 9],
        codes: vec![1; 30],
        classes: 2,
        rows: vec![rows.clone()],
        ..Homes::default()
    };
    let edges = even_edges(9, 5);
    let params = ForestParams::new().features_tried(flowgait_model::forest::FeaturesTried::All);
    let params = params.trees(1).depth_max(2).check().unwrap();
    let keys: Vec<u64> = (0..30).collect();
    let site = Site::new(&params, &edges, &homes.training(&rows), &keys, 4).unwrap();
    let questions = Growth::noisy(&params, &edges, 2, 4).unwrap().questions(usize::MAX);
    let none = Site::new(&params, &edges, &homes.training(&[]), &[], 4).unwrap();
    let others = [none.limited(rows_max, 4)];
    let moved = change(&site.limited(rows_max, 4), &others, &questions);
    assert_eq!((moved, sensitivity(rows_max, 9)), (21 * 21, 21));
    assert_eq!((sensitivity(10, 2), sensitivity(0, 4), sensitivity(3, 1)), (15, 0, 3));
}

#[test]
fn an_attack_guesses_no_better_than_epsilon_allows() {
    // Ten clients of class 0, and one of class 1 that takes part or not; the attack looks at how much class 1 there is at its rows.
    let columns = vec![(0..220).map(|row| (row % 2) as f32).collect()];
    let codes = (0..220).map(|row| u32::from(row >= 200)).collect();
    let mut rows: Vec<Vec<u32>> = (0..10).map(|c| (c * 20..c * 20 + 20).collect()).collect();
    rows.push((200..220).collect());
    let with = Homes { columns, codes, classes: 2, rows, ..Homes::default() };
    let mut without = with.clone();
    without.rows[10].clear();
    let edges = Edges::new(vec![(vec![0.5], false)]).unwrap();
    let params = ForestParams::new().trees(1).depth_max(1).sampling(Sampling::All);
    let params = params.check().unwrap();
    let mut claimed = 0.0;
    let mut scores = |homes: &Homes, seed: u64| -> Vec<f64> {
        let ground = Ground { homes, params: &params, edges: &edges, seed: 1 };
        let rng = &mut ChaCha20Rng::seed_from_u64(seed);
        let mut score = || {
            let mut budget = budget(9.0);
            let private = private(20, 2.0);
            let grown = private_forest(&ground, &private, &mut budget, &mut Plain, rng).unwrap();
            claimed = budget.epsilon();
            let row = grown.forest.predict_row(&[1.0]).unwrap();
            f64::from(row[1]) + f64::from(grown.forest.predict_row(&[0.0]).unwrap()[1])
        };
        (0..1_500).map(|_| score()).collect()
    };
    let (with, without) = (scores(&with, 1), scores(&without, 2));
    let found = audit::epsilon(&with, &without, Delta::new(1e-5).unwrap(), 0.95).unwrap();
    assert!(claimed < 2.5 && found.epsilon <= claimed, "{} {claimed}", found.epsilon);
    // Without noise the same attack is always right: then it proves far more than was claimed.
    let always = audit::epsilon(&[1.0; 1_500], &[0.0; 1_500], Delta::new(1e-5).unwrap(), 0.95);
    assert!(always.unwrap().epsilon > 2.0 * claimed);
}
