//! A forest under privacy of each client: what it spends, and how far one client moves what is shown.

use flowgait_federate::Error;
use flowgait_federate::forest::private::sensitivity;
use flowgait_federate::forest::{
    Ground, Keeping, Noised, Plain, SharedNoise, Summing, Trusted, central_forest, private_forest,
};
use flowgait_federate::homes::Homes;
use flowgait_federate::secure::SecurePlan;
use flowgait_model::forest::{ClassWeights, Edges, Forest, ForestParams, Growth, Sampling, Site};
use flowgait_privacy::audit;
use flowgait_privacy::budget::{Budget, Release};
use flowgait_privacy::grid::Grid;
use flowgait_privacy::{
    AddOrRemoveOne, ClipNorm, Delta, Epsilon, Neighbours, NoiseMultiplier, ReplaceOne,
};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use crate::made::homes;

fn limit(epsilon: f64) -> (Epsilon, Delta) {
    (Epsilon::new(epsilon).unwrap(), Delta::new(1e-5).unwrap())
}

fn noise(multiplier: f64) -> NoiseMultiplier {
    NoiseMultiplier::new(multiplier).unwrap()
}

/// The chance of a release.
fn chance(seed: u64) -> impl FnMut(u64) -> ChaCha20Rng {
    move |release| {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        rng.set_stream(release);
        rng
    }
}

fn trusted<N: Neighbours>(
    epsilon: f64,
    multiplier: f64,
) -> Trusted<N, Plain, impl FnMut(u64) -> ChaCha20Rng> {
    Trusted::new(limit(epsilon), noise(multiplier), Plain, chance(8))
}

fn even_edges(columns: usize, bins: usize) -> Edges {
    let steps = (1..bins).map(|at| 5.0 * at as f32 / bins as f32).collect::<Vec<f32>>();
    Edges::new(vec![(steps, true); columns]).unwrap()
}

#[test]
fn it_spends_what_it_says_and_never_more_than_the_budget() {
    let homes = homes(2_000, 6, 4, 40, 6);
    let edges = even_edges(6, 12);
    let params = ForestParams::new().trees(3).depth_max(4).check().unwrap();
    let ground = Ground { homes: &homes, params: &params, edges: &edges, seed: 3 };
    for (epsilon, multiplier) in [(40.0, 1.0), (6.0, 1.5), (1.0, 2.0), (1.0, 40.0)] {
        // How often clients were asked: as often as was paid for.
        let mut asked = 0;
        let counting = |given: Vec<Vec<u32>>| {
            asked += 1;
            Plain.sum(given)
        };
        let mut noised = Trusted::<AddOrRemoveOne, _, _>::new(
            limit(epsilon),
            noise(multiplier),
            counting,
            chance(8),
        );
        let grown = private_forest(&ground, 20, &mut noised, Keeping::nothing());
        let mut budget = noised.budget().clone();
        let release = Release::everyone(noise(multiplier));
        match grown {
            Ok(grown) => {
                assert_eq!((budget.rounds(), asked), (grown.releases, grown.releases));
                let past = [(release.clone(), grown.releases)];
                let (limit, delta) = limit(epsilon);
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
        let mut noised = trusted::<AddOrRemoveOne>(50.0, 1.0);
        assert!(private_forest(&ground, rows_max, &mut noised, Keeping::nothing()).is_err());
        assert_eq!(noised.budget().rounds(), 0);
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
    let told = |multiplier, rows_max| {
        let mut noised = trusted::<ReplaceOne>(1e9, multiplier);
        let grown = private_forest(&ground, rows_max, &mut noised, Keeping::nothing()).unwrap();
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
        let mut run = seed << 32;
        let mut score = || {
            run += 1;
            let chance = chance(run);
            let mut noised =
                Trusted::<AddOrRemoveOne, _, _>::new(limit(9.0), noise(2.0), Plain, chance);
            let grown = private_forest(&ground, 20, &mut noised, Keeping::nothing()).unwrap();
            claimed = noised.epsilon();
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

#[test]
fn noise_of_clients_under_masks_is_as_much_and_is_paid_for() {
    let homes = homes(3_000, 6, 3, 12, 6);
    let edges = even_edges(6, 8);
    let params = ForestParams::new().trees(2).depth_max(3).check().unwrap();
    let ground = Ground { homes: &homes, params: &params, edges: &edges, seed: 3 };
    let plan = SecurePlan { lost_share: 0.25, corrupt_share: 0.0, security_bits: 40 };
    let grow = |epsilon, multiplier| {
        let mut noised = SharedNoise::simulated(limit(epsilon), noise(multiplier), plan, 12, 3);
        let grown = private_forest(&ground, 100, &mut noised, Keeping::nothing());
        (grown, noised.epsilon())
    };
    // Nobody is lost, so there are shares of twelve where nine would do: at noise 4 · √(12/9) six levels cost what a Gaussian of that costs.
    let (grown, epsilon) = grow(20.0, 4.0);
    assert_eq!(grown.unwrap().releases, 6);
    let release = Release::<AddOrRemoveOne>::everyone(noise(4.0 * (12.0_f64 / 9.0).sqrt()));
    let (epsilon_max, delta) = limit(20.0);
    let gaussian = Budget::resume(epsilon_max, delta, &[(release, 6)]).epsilon();
    assert!((epsilon / gaussian - 1.0).abs() < 0.01, "{epsilon} {gaussian}");
    // A budget for less than all ends the forest, one for nothing refuses it.
    let (grown, epsilon) = grow(gaussian * 0.6, 4.0);
    let grown = grown.unwrap();
    assert!(grown.spent && (1..6).contains(&grown.releases) && epsilon <= gaussian * 0.6);
    assert!(matches!(grow(0.05, 4.0).0, Err(Error::Privacy(_))));
}

#[test]
fn a_sum_under_shares_spreads_as_the_noise_says() {
    // Nothing to count: what is shown is noise alone, of 3 · 10 · √(20/16).
    let plan = SecurePlan { lost_share: 0.2, corrupt_share: 0.0, security_bits: 40 };
    let mut noised = SharedNoise::simulated(limit(1e3), noise(3.0), plan, 20, 5);
    let grid = Grid::new(ClipNorm::new(10.0).unwrap(), 10).unwrap();
    let (sums, _) = noised.shown(&grid, 2_000, || Ok(vec![vec![0; 2_000]; 20])).unwrap();
    let variance = sums.iter().map(|sum| (sum * sum) as f64).sum::<f64>() / 2_000.0;
    let expected = (3.0 * 10.0_f64).powi(2) * 20.0 / 16.0;
    // Six standard deviations of a variance of 2,000 draws.
    assert!((variance / expected - 1.0).abs() < 0.19, "{variance} {expected}");
    let (again, _) = noised.shown(&grid, 2_000, || Ok(vec![vec![0; 2_000]; 20])).unwrap();
    assert_ne!(sums, again);
}
