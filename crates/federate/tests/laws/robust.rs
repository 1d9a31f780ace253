//! Laws of the robust rules: who the clients are does not matter, and few liars do not either.

use flowgait_federate::robust::{Combined, RobustKind};
use proptest::prelude::*;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const CLIENTS: usize = 15;

/// Every rule; three liars of fifteen are what the strictest of them can bear.
const KINDS: [RobustKind; 8] = [
    RobustKind::Median,
    RobustKind::TrimmedMean { beta: 0.2 },
    RobustKind::GeometricMedian { smoothing: 1e-6 },
    RobustKind::Krum { f: 3 },
    RobustKind::MultiKrum { f: 3, m: Some(5) },
    RobustKind::Bulyan { f: 3 },
    RobustKind::NormClipping { bound: None },
    RobustKind::NormClipping { bound: Some(1.5) },
];

fn combine(kind: RobustKind, updates: &[Vec<f32>]) -> Combined {
    let views: Vec<&[f32]> = updates.iter().map(Vec::as_slice).collect();
    kind.check(updates.len()).expect("a rule").combine(&views).expect("updates")
}

fn drawn(clients: usize, parameters: usize, rng: &mut ChaCha8Rng) -> Vec<Vec<f32>> {
    let mut update = || (0..parameters).map(|_| rng.random::<f32>() - 0.5).collect();
    (0..clients).map(|_| update()).collect()
}

fn apart(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

proptest! {
    #[test]
    fn the_order_of_clients_does_not_matter(seed: u64, parameters in 2usize..40) {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let updates = drawn(CLIENTS, parameters, rng);
        let mut order: Vec<usize> = (0..CLIENTS).collect();
        order.shuffle(rng);
        let shuffled: Vec<Vec<f32>> = order.iter().map(|&client| updates[client].clone()).collect();
        for kind in KINDS {
            let (one, other) = (combine(kind, &updates), combine(kind, &shuffled));
            // Weighted sums are added in the order of clients, so their last bit may differ.
            prop_assert!(apart(&one.update, &other.update) < 1e-6, "{kind:?}");
            let exact = matches!(kind, RobustKind::Median | RobustKind::TrimmedMean { .. });
            prop_assert!(!exact || one.update == other.update, "{kind:?}");
            let mut names = other.kept.iter().map(|&at| order[at]).collect::<Vec<_>>();
            let mut kept = one.kept;
            names.sort_unstable();
            kept.sort_unstable();
            prop_assert_eq!(kept, names, "{:?}", kind);
        }
    }

    #[test]
    fn updates_that_agree_are_what_comes_out(
        update in prop::collection::vec(-1e30f32..1e30, 0..40),
    ) {
        let same = vec![update.clone(); CLIENTS];
        for kind in KINDS {
            // A fixed bound may shorten even what all agree on.
            if kind == (RobustKind::NormClipping { bound: Some(1.5) }) {
                continue;
            }
            let found = combine(kind, &same).update;
            // Means of many may round; nothing else may.
            for (found, value) in found.iter().zip(&update) {
                prop_assert!((found - value).abs() <= value.abs() * f32::EPSILON, "{kind:?}");
            }
        }
    }

    #[test]
    fn fewer_than_half_cannot_push_the_median_out_of_the_honest_range(
        honest in 1usize..9,
        liars in 0usize..8,
        lies in prop::collection::vec(prop::num::f32::NORMAL | prop::num::f32::ZERO, 8 * 5),
        seed: u64,
    ) {
        let liars = liars.min(honest - 1);
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let truth = drawn(honest, 5, rng);
        let mut updates = truth.clone();
        updates.extend(lies.chunks(5).take(liars).map(<[f32]>::to_vec));
        updates.shuffle(rng);
        let found = combine(RobustKind::Median, &updates).update;
        for (at, found) in found.into_iter().enumerate() {
            let values = truth.iter().map(|update| update[at]);
            let least = values.clone().fold(f32::INFINITY, f32::min);
            let most = values.fold(f32::NEG_INFINITY, f32::max);
            prop_assert!((least..=most).contains(&found), "{found} of {least} to {most}");
        }
    }

    #[test]
    fn far_liars_are_not_selected_and_do_not_pull(
        seed: u64,
        lies in prop::collection::vec(100f32..1e30, 3),
        together: bool,
    ) {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let mut updates = drawn(CLIENTS, 6, rng);
        // The last three lie: each its own way, or all the same.
        for (liar, update) in updates[CLIENTS - 3..].iter_mut().enumerate() {
            let lie = if together { lies[0] } else { lies[liar] };
            *update = vec![if together || liar % 2 == 0 { lie } else { -lie }; 6];
        }
        for kind in KINDS {
            let combined = combine(kind, &updates);
            // Bulyan may select liars that agree, from its last pools; then the coordinates must leave them out.
            let selects = matches!(kind, RobustKind::Krum { .. } | RobustKind::MultiKrum { .. })
                || matches!(kind, RobustKind::Bulyan { .. }) && !together;
            if selects {
                prop_assert!(combined.kept.iter().all(|&client| client < CLIENTS - 3), "{kind:?}");
            }
            // Clipping lets three of fifteen pull with what an honest client may; the geometric median of twelve
            // clients in a unit cube is pulled less than the cube is wide.
            prop_assert!(combined.update.iter().all(|value| value.abs() <= 1.0), "{kind:?}");
        }
    }

    #[test]
    fn no_clipped_mean_is_longer_than_its_bound(
        updates in prop::collection::vec(prop::collection::vec(-1e3f32..1e3, 7), 1..9),
        bound in 1e-3f64..1e3,
    ) {
        let found = combine(RobustKind::NormClipping { bound: Some(bound) }, &updates).update;
        let norm = found.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
        prop_assert!(norm <= bound * (1.0 + 1e-6), "{norm}");
    }
}

#[test]
fn the_number_of_threads_does_not_show() {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    // Several blocks of every kind, and a bit.
    let updates = drawn(21, 5003, rng);
    for kind in KINDS {
        let by = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("threads").install(|| combine(kind, &updates))
        };
        let one = by(1);
        assert_eq!(one, by(2), "{kind:?}");
        assert_eq!(one, by(5), "{kind:?}");
    }
}

#[test]
fn every_rule_names_the_client_that_is_wrong() {
    for kind in KINDS {
        let rule = kind.check(CLIENTS).expect("a rule");
        let mut updates = vec![[0.5f32, 1.0].as_slice(); CLIENTS];
        updates[4] = &[0.5];
        let told = rule.combine(&updates).expect_err("a short update").to_string();
        assert_eq!(told, "the update of client 4 has 1 entries, but must have 2");
        updates[4] = &[0.5, f32::NAN];
        let told = rule.combine(&updates).expect_err("no number").to_string();
        assert_eq!(told, "entry 1 of the update of client 4 is NaN, but must be finite");
        assert!(rule.combine(&[]).is_err());
    }
}
