//! Laws of partitions: every row has one client, whatever the partition, and chance is only the seed's.

use flowgait_federate::partition::Partition;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn partitions() -> impl Strategy<Value = Partition> {
    let alpha = || prop_oneof![Just(1e-6), 1e-3f64..10.0, Just(1e9)];
    prop_oneof![
        Just(Partition::Iid),
        alpha().prop_map(|alpha| Partition::Dirichlet { alpha }),
        (alpha(), 0usize..3)
            .prop_map(|(alpha, rows_min)| Partition::DirichletByClass { alpha, rows_min }),
        (1usize..3).prop_map(|per_client| Partition::Shards { per_client }),
        (0f64..=1.0).prop_map(|share| Partition::Favourite { share }),
        (alpha(), 0usize..3).prop_map(|(alpha, rows_min)| Partition::Quantity { alpha, rows_min }),
    ]
}

fn rows_min(partition: Partition) -> usize {
    match partition {
        Partition::DirichletByClass { rows_min, .. } | Partition::Quantity { rows_min, .. } => {
            rows_min
        }
        Partition::Shards { per_client } => per_client,
        Partition::Favourite { .. } => 0,
        _ => 1,
    }
}

fn is_whole(parts: &[Vec<u32>], rows: usize) -> bool {
    let ascending = parts.iter().all(|part| part.is_sorted());
    let mut all = parts.concat();
    all.sort_unstable();
    ascending && all.into_iter().eq(0..rows as u32)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_row_goes_to_one_client(
        codes in prop::collection::vec(0u32..5, 30..200),
        clients in 1usize..15,
        partition in partitions(),
        seed: u64,
    ) {
        let split = || {
            let rng = &mut ChaCha8Rng::seed_from_u64(seed);
            partition.split(&codes, 6, None, clients, rng).expect("enough rows")
        };
        let parts = split();
        prop_assert_eq!(parts.len(), clients);
        prop_assert!(is_whole(&parts, codes.len()), "{:?}", parts);
        prop_assert!(parts.iter().all(|part| part.len() >= rows_min(partition)), "{:?}", parts);
        prop_assert_eq!(parts, split());
    }

    #[test]
    fn a_group_has_one_client(groups in prop::collection::vec(0u32..9, 1..60)) {
        let mut distinct = groups.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let rng = &mut ChaCha8Rng::seed_from_u64(0);
        let codes = vec![0; groups.len()];
        let clients = distinct.len();
        let parts = Partition::ByGroup.split(&codes, 1, Some(&groups), clients, rng);
        let parts = parts.expect("as many clients as groups");
        prop_assert!(is_whole(&parts, groups.len()));
        for (part, group) in parts.iter().zip(distinct) {
            prop_assert!(part.iter().all(|&row| groups[row as usize] == group));
        }
    }
}

#[test]
fn another_seed_deals_otherwise() {
    let codes: Vec<u32> = (0..200).map(|row| row % 5).collect();
    for partition in [
        Partition::Iid,
        Partition::Dirichlet { alpha: 1.0 },
        Partition::DirichletByClass { alpha: 1.0, rows_min: 1 },
        Partition::Shards { per_client: 2 },
        Partition::Favourite { share: 0.7 },
        Partition::Quantity { alpha: 1.0, rows_min: 1 },
    ] {
        let split = |seed| {
            let rng = &mut ChaCha8Rng::seed_from_u64(seed);
            partition.split(&codes, 5, None, 8, rng).expect("enough rows")
        };
        assert_ne!(split(1), split(2), "{partition:?}");
    }
}
